"""What a restore has begun and not brought to its end: it is not left to cost where nobody looks."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.control import waiting
from app.control.interface import Control
from app.errors import CloudRefusedError


@contextmanager
def made_or_discarded(control: Control, instance: str) -> Iterator[None]:
    """Discard a server where the body, which asks for it, is left by an error or by Ctrl-C.

    A request whose answer is lost has made it all the same.

    Args:
        control: Its cloud.
        instance: Its name, which nothing may have yet.

    Raises:
        CloudRefusedError: There is a server of that name, or what was begun cannot be discarded.
    """
    if control.find(instance) is not None:
        message = f"expected no server {instance} before it is made, but there is one. Try again"
        raise CloudRefusedError(message)
    try:
        yield
    except BaseException as error:
        try:
            _discard(control, instance)
        except CloudRefusedError as refused:
            message = f"{error}; and {instance}, which was begun, is still there: {refused}. Delete it in the cloud"
            raise CloudRefusedError(message) from None
        raise


def _discard(control: Control, instance: str) -> None:
    if control.find(instance) is not None:
        waiting.settled(control, instance)
        control.discard(instance)
