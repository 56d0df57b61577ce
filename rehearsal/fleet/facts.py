"""What a managed server tells about itself; nothing here changes it."""

import threading
from pathlib import Path
from typing import Any

from rehearsal import configuration
from rehearsal.binaries import version
from rehearsal.cluster import Cluster
from rehearsal.fleet.archive import Archive
from rehearsal.fleet.body import Body
from rehearsal.fleet.spec import Spec


class Facts:
    """One server of a cloud, to look at."""

    def __init__(self, body: Body) -> None:
        """Take the parts; `ManagedServer.create` and its like make them."""
        self._body, self._lock = body, threading.RLock()

    @property
    def folder(self) -> Path:
        """The server's folder; its archive may outlive it there."""
        return self._body.state.folder

    @property
    def archive(self) -> Archive:
        """Its log of changes and backups."""
        return self._body.archive

    @property
    def spec(self) -> Spec:
        """What was asked for, with all changes since; without the password."""
        return self._body.state.spec

    @property
    def address(self) -> tuple[str, int]:
        """Where clients find it; the same for all its life, through failovers and restarts."""
        return configuration.HOST, self._body.state.port

    @property
    def version(self) -> str:
        """The version that really runs, for example 15.18."""
        return version(self._body.state.binaries)

    @property
    def running(self) -> bool:
        """Whether the process that clients talk to lives."""
        return self._body.pair.primary.running

    @property
    def is_replica(self) -> bool:
        """Whether it follows another server."""
        return self._body.state.source is not None

    @property
    def has_standby(self) -> bool:
        """Whether every acknowledged commit is on a standby in this moment."""
        return self._body.state.joined

    @property
    def primary(self) -> Cluster:
        """The process that clients talk to, for its superuser's questions; another one after each failover."""
        return self._body.pair.primary

    @property
    def ignored(self) -> list[str]:
        """The names of parameters that have no effect here."""
        return self._body.settings.ignored(self.spec.parameters)

    def describe(self) -> dict[str, Any]:
        """All that is known of it, for JSON; no password is in it, and `open` needs nothing but the folder."""
        latest, earliest = self._body.archive.latest, self._body.archive.earliest
        return {
            **self._body.state.plain(),
            "version": self.version,
            "running": self.running,
            "earliest_restorable": earliest and earliest.isoformat(),
            "latest_restorable": latest and latest.isoformat(),
            "ignored": self.ignored,
        }
