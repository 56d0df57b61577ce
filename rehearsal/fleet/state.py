"""What is known of a server between two processes: everything that opening it again needs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from rehearsal.fleet import files
from rehearsal.fleet.spec import Spec

NodeName = Literal["a", "b"]

_FILE: Final = "server.json"


@dataclass(frozen=True)
class Source:
    """The server that a replica follows.

    Attributes:
        port: Where it listens.
        archive: The folder of its archive's log.
    """

    port: int
    archive: Path


@dataclass
class State:
    """A server as it is, beside what is in its data.

    Attributes:
        folder: The server's folder.
        spec: What was asked for, changes included.
        binaries: The folder of the programs that made its data.
        port: Where clients find it.
        spare: The port of the node that is not for clients.
        primary: The node that clients talk to.
        joined: Whether the other node is a synchronous standby.
        read_only: Whether a full disk has made it read-only.
        source: The server that it follows; None for one of its own.
    """

    folder: Path
    spec: Spec
    binaries: Path
    port: int
    spare: int
    primary: NodeName = "a"
    joined: bool = False
    read_only: bool = False
    source: Source | None = None

    @property
    def other(self) -> NodeName:
        """The node that is or becomes the standby."""
        return "b" if self.primary == "a" else "a"

    def plain(self) -> dict[str, Any]:
        """The same as JSON has it; no password is in it."""
        source = self.source and {"port": self.source.port, "archive": str(self.source.archive)}
        return {
            "spec": self.spec.plain(),
            "binaries": str(self.binaries),
            "port": self.port,
            "spare": self.spare,
            "primary": self.primary,
            "joined": self.joined,
            "read_only": self.read_only,
            "source": source,
        }

    def save(self) -> None:
        """Write it into the server's folder."""
        files.save(self.folder / _FILE, self.plain())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` has written into a server's folder."""
        plain = files.load(folder / _FILE)
        source = plain["source"] and Source(plain["source"]["port"], Path(plain["source"]["archive"]))
        rest = {"spec": Spec.of(plain["spec"]), "binaries": Path(plain["binaries"]), "source": source}
        return cls(folder, **{**plain, **rest})
