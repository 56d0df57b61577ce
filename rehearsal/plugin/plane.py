"""What stands behind a stand-in: the control plane of a rehearsal where there is one, else nothing."""

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rehearsal.errors import CloudRefusalError

if TYPE_CHECKING:
    from rehearsal.controlplane.client import ControlPlaneClient

VARIABLE: Final = "SESSION_DB_REHEARSAL"
"""The environment variable with the rehearsal's folder; without it the engine's state is the only memory."""

GONE: Final = 404
"""The status of every vendor's answer about what is not there."""

Need = dict[str, Any]
"""What a thing stands on, as the control plane takes it: an id, and the words where it is missing or in use."""


@dataclass(frozen=True)
class Plane:
    """One cloud of a control plane.

    Attributes:
        cloud: "aws", "gcp" or "azure".
    """

    cloud: str
    _client: "ControlPlaneClient" = field(repr=False)

    def ask(self, verb: str, **asked: Any) -> dict[str, Any]:
        """Have something done, and wait for it.

        Args:
            verb: For example "servers.create".
            asked: Its arguments but for the cloud.

        Raises:
            CloudRefusalError: The cloud refuses.
            ControlPlaneError: It does not answer.
        """
        return self._client.call(verb, cloud=self.cloud, **asked)

    def server(self, name: str) -> dict[str, Any] | None:
        """A server by its name or resource id; None where it is gone. Read-only."""
        return self._or_none("servers.describe", name=name)

    def thing(self, identity: str) -> dict[str, Any] | None:
        """Any other resource by its id; None where it is gone. Read-only."""
        found: dict[str, Any] | None = self.ask("things.get", id=identity)["thing"]
        return found

    def things(self, *, below: str) -> Iterator[str]:
        """The ids that begin so. Read-only."""
        yield from (each["id"] for each in self.ask("things.list")["things"] if each["id"].startswith(below))

    def known(self, *needs: Need) -> list[Need]:
        """Those needs that the cloud knows of: what was given, and not made here, is somebody else's to keep."""
        return [need for need in needs if need["id"] and self.thing(need["id"]) is not None]

    def _or_none(self, verb: str, **asked: Any) -> dict[str, Any] | None:
        try:
            return self.ask(verb, **asked)
        except CloudRefusalError as error:
            if error.status == GONE:
                return None
            raise


def plane(cloud: str) -> Plane | None:
    """The cloud behind the stand-ins of this process; None where they stand alone.

    Args:
        cloud: "aws", "gcp" or "azure".

    Raises:
        ControlPlaneError: It cannot be started.
    """
    folder = os.environ.get(VARIABLE)
    return _connected(cloud, folder) if folder else None


@cache
def _connected(cloud: str, folder: str) -> Plane:
    """Imported with the first use: a preview needs none of it."""
    client = importlib.import_module("rehearsal.controlplane.client")
    return Plane(cloud, client.connect(Path(folder)))


def need(identity: Any, in_use: str, code: str = "InUse", *, missing: Need | None = None) -> Need:
    """A need with the vendor's words for the day when somebody removes what is needed.

    Args:
        identity: The id of what is needed.
        in_use: The words; {id} is what is to be removed, {by} who needs it.
        code: The vendor's code.
        missing: The words where it is not there.
    """
    words: Need = {"id": str(identity or ""), "in_use": {"code": code, "message": in_use}}
    return {**words, "missing": missing} if missing else words
