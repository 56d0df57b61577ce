"""A control plane put together: what it remembers, what it runs, and what it can be asked."""

from collections.abc import Sequence
from pathlib import Path

from rehearsal import tls
from rehearsal.controlplane import reach
from rehearsal.controlplane import record as status
from rehearsal.controlplane.admission import Admission
from rehearsal.controlplane.contents import Contents
from rehearsal.controlplane.faults import Faults
from rehearsal.controlplane.ledger import Ledger
from rehearsal.controlplane.machines import Machines
from rehearsal.controlplane.names import Names
from rehearsal.controlplane.operations import Operations
from rehearsal.controlplane.register import Register
from rehearsal.controlplane.servers import Servers
from rehearsal.controlplane.things import Things
from rehearsal.controlplane.vendors.rules import Rules
from rehearsal.controlplane.watch import Watch
from rehearsal.controlplane.works import Works
from rehearsal.tls import Authority


class ControlPlane:
    """The cloud of one rehearsal.

    Args:
        folder: The rehearsal's.
        url: Where it will be reached, for the file of ways to reach it.
        clouds: What the clouds call things and refuse.

    Attributes:
        servers: Servers.
        contents: Users and databases on them.
        things: All other resources.
        names: Names that are taken or reserved.
        faults: What the next operations shall run into.
        authority: The PEM of the authority that every server's certificate comes from.
    """

    def __init__(self, folder: Path, url: str, clouds: Sequence[Rules]) -> None:
        """Remember; nothing is started yet."""
        self._folder, self._url = folder, url
        self._ledger = Ledger(folder)
        self._register = Register(self._ledger)
        self._operations = Operations(self._ledger)
        authority = _authority(folder)
        self.authority = (folder / tls.ROOT).read_text()
        self._machines = Machines(folder, authority)
        self.things = Things(self._ledger)
        self.names = Names(self._ledger)
        self.faults = Faults(self._ledger)
        works = Works(self._register, self._machines, self._reach)
        rules = {each.cloud: each for each in clouds}
        admission = Admission(self._register, self.things, self.names, rules)
        self.servers = Servers(self._register, self._operations, works, admission)
        self.contents = Contents(self.servers, self._machines)
        self._watch = Watch(self.servers)

    def start(self) -> None:
        """Start every server that the ledger knows; what a killed control plane was making is cleared away."""
        for record in self._register.servers():
            self.servers.mend(record)
        for backup in self._register.backups():
            if backup.ended is None:
                self._register.forget_backup(backup)
        records = self._register.servers()
        self._machines.start(records)
        for record in records:
            machine = self._machines.get(record)
            record.port, record.version, record.status = machine.address[1], machine.version, status.AVAILABLE
            self._register.keep(record)
        self._reach()
        self._watch.start()

    def stop(self) -> None:
        """Let what runs come to its end, then stop every server; all of it stays."""
        self._watch.stop()
        self._operations.settle()
        self._machines.stop()
        self._ledger.close()

    def _reach(self) -> None:
        reach.write(self._folder, self._url, self._register.servers())


def _authority(folder: Path) -> Authority:
    """The rehearsal's own, made with the first control plane."""
    if (folder / tls.KEY).exists():
        return Authority.open(folder)
    authority = Authority()
    authority.keep(folder)
    return authority
