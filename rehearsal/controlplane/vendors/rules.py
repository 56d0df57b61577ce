"""What the clouds differ in, as far as it concerns servers; each fills in the same form."""

import datetime as dt
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerRequest
from rehearsal.errors import CloudRefusalError


@dataclass(frozen=True)
class Place:
    """Where a cloud puts a new server.

    Attributes:
        resource_id: What it never gives to another server.
        hosts: Its host names, the first is the one to use.
        addresses: Its IP addresses, where the cloud shows them.
        zone: Of the primary.
        standby_zone: Of the standby.
    """

    resource_id: str
    hosts: list[str]
    addresses: list[str]
    zone: str
    standby_zone: str


class Rules(ABC):
    """A cloud.

    Attributes:
        cloud: Its name.
        region: Where servers are that nobody placed.
        waits: Whether its provider waits while a server is busy, rather than fail.
        reserves_names: Whether the name of a deleted server stays reserved.
        adopts_databases: Whether to make a database that is there already is no error.
    """

    cloud: ClassVar[str]
    region: ClassVar[str]
    waits: ClassVar[bool] = True
    reserves_names: ClassVar[bool] = False
    adopts_databases: ClassVar[bool] = False

    @abstractmethod
    def place(self, request: ServerRequest, number: int) -> Place:
        """Where a new server goes; `number` differs for every server of a rehearsal."""

    @abstractmethod
    def is_protected(self, record: ServerRecord) -> bool:
        """Whether its protection forbids that it is deleted."""

    @abstractmethod
    def busy(self, name: str) -> CloudRefusalError:
        """Another operation runs on the server."""

    @abstractmethod
    def taken(self, name: str) -> CloudRefusalError:
        """There is a server of the name."""

    @abstractmethod
    def reserved(self, name: str) -> CloudRefusalError:
        """There was a server of the name."""

    @abstractmethod
    def missing(self, name: str) -> CloudRefusalError:
        """There is no server of the name."""

    @abstractmethod
    def protected(self, name: str) -> CloudRefusalError:
        """The server is protected from deletion."""

    @abstractmethod
    def alone(self, name: str) -> CloudRefusalError:
        """The server has no standby to fail over to."""

    @abstractmethod
    def followed(self, name: str) -> CloudRefusalError:
        """The server has replicas, with which it cannot be deleted."""

    @abstractmethod
    def unrestorable(self, name: str, time: dt.datetime) -> CloudRefusalError:
        """The server cannot be restored to the moment."""

    @abstractmethod
    def backup_taken(self, label: str) -> CloudRefusalError:
        """There is a backup of the name."""


def digits(*about: str, length: int) -> str:
    """Hexadecimal digits, always the same ones for the same words."""
    return hashlib.sha256("|".join(about).encode()).hexdigest()[:length]
