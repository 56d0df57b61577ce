"""A server that a restore drill has kept beside a stack's own, and which is to go now."""

from collections.abc import Callable

from app.control import waiting
from app.control.interface import Control, require_made_here, server
from app.errors import CloudRefusedError
from app.stack import Record


def require(record: Record, control: Control, name: str) -> str:
    """The server, if it may be deleted; read-only.

    Args:
        record: The stack's.
        control: Its cloud.
        name: Its name, of Cloud SQL's with or without project and region.

    Returns:
        Its name as in a record.

    Raises:
        CloudRefusedError: No drill made it, the stack has adopted it, or it is not there.
    """
    require_made_here(name)
    place, colon, _ = record.text("instance").rpartition(":")
    instance = name if ":" in name else f"{place}{colon}{name}"
    own = [str(each.get("instance")) for each in dict(record.outputs.get("servers") or {}).values()]
    if _last(name) in map(_last, own):
        message = f"expected a server that stack {record.stack} does not know, but {name} is one of its own"
        raise CloudRefusedError(message)
    return server(control, instance).instance


def discard(control: Control, instance: str, tell: Callable[[str], None]) -> None:
    """Delete it, and wait until it is gone.

    Args:
        control: Its cloud.
        instance: Its name as in a record.
        tell: Takes lines of progress.

    Raises:
        CloudRefusedError: The cloud does not do it.
    """
    tell(f"deletion of {instance}")
    waiting.settled(control, instance)
    control.discard(instance)
    waiting.gone(control, instance)


def _last(instance: str) -> str:
    return instance.rpartition(":")[2]
