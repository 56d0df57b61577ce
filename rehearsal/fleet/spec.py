"""What a managed server is to be, in words that all clouds share."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

VendorName = Literal["aws", "gcp", "azure"]


@dataclass(frozen=True)
class Spec:
    """What somebody asks for.

    Attributes:
        name: The server's name, for people and for its log.
        vendor: Whose quirks it has.
        version: The major version asked for, for example 17; which one really runs is `ManagedServer.version`.
        hosts: The names in its certificate, its host name first. For example ("main.abc.eu-west-1.rds.amazonaws.com",).
        owner: The administrator that the cloud hands out; empty where there is none yet.
        owner_password: Its password; empty where it has none yet, or where it keeps what it has.
        database: The first database; None for none.
        standby: Whether it has a synchronous standby.
        parameters: PostgreSQL's settings by name, and the cloud's own, which have no effect here.
        storage_gib: The size of its disk, GiB; tests have tiny ones.
        autogrow_gib: How far the disk grows by itself, GiB; 0 for not at all.
    """

    name: str
    vendor: VendorName
    version: int
    hosts: tuple[str, ...]
    owner: str = ""
    owner_password: str = field(default="", repr=False)
    database: str | None = None
    standby: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    storage_gib: float = 20
    autogrow_gib: float = 0

    def plain(self) -> dict[str, Any]:
        """The same as JSON has it, without the password."""
        values = asdict(self)
        del values["owner_password"]
        return {**values, "hosts": list(self.hosts), "parameters": dict(self.parameters)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` has written."""
        return cls(**{**plain, "hosts": tuple(plain["hosts"])})
