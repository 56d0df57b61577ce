"""Servers of a cloud, where a control plane runs them: what the three vendors' servers have in common."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from rehearsal.plugin.living import Found, Living, Resource
from rehearsal.plugin.plane import Need, Plane
from rehearsal.values import Inputs

Record = dict[str, Any]
"""What the control plane says of a server."""


class Hosted(Living):
    """A type of resource that is a server."""

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """A server that runs; half of one has no standby yet."""
        asked = {**self.asked(behind, this), "attributes": this.inputs, "needs": list(self.needs(behind, this))}
        if half:
            asked["standby"] = False
        record = behind.ask("servers.create", name=self.server_of(this), **asked)
        self.begun(behind, this)
        return self.told(behind, this, record)

    def change(self, behind: Plane, this: Resource, before: dict[str, Any]) -> Inputs:
        """The same server, changed."""
        asked = {**self.changed(behind, this, before), "attributes": this.inputs}
        needs = list(self.needs(behind, this))
        record = behind.ask("servers.modify", name=self.server_of(this), needs=needs, **asked)
        return self.told(behind, this, record)

    def look(self, behind: Plane, this: Resource) -> Found | None:
        """The server as it is: after a failover, grown, mended by its vendor, or gone."""
        record = behind.server(self.server_of(this))
        if record is None:
            return None
        # A server that was restored by hand has its source's attributes, but a name of its own.
        named = self.autoname.field if self.autoname else ""
        said = {**record["attributes"], **self.seen(this, record)}
        inputs = {key: value for key, value in said.items() if key in self.schema.inputs.fields and key != named}
        return Found(inputs, self.told(behind, this, record))

    def end(self, behind: Plane, this: Resource) -> None:
        """Gone, with what the vendor keeps of it."""
        name = self.server_of(this)
        if behind.server(name) is not None:
            behind.ask("servers.delete", name=name, **self.keeping(this))

    def begun(self, behind: Plane, this: Resource) -> None:
        """What a vendor makes by itself beside a new server."""

    @abstractmethod
    def server_of(self, this: Resource) -> str:
        """The server's name in its cloud."""

    @abstractmethod
    def asked(self, behind: Plane, this: Resource) -> dict[str, Any]:
        """The arguments of `servers.create` for what is asked, but for name, needs and attributes."""

    @abstractmethod
    def changed(self, behind: Plane, this: Resource, before: dict[str, Any]) -> dict[str, Any]:
        """The arguments of `servers.modify` likewise, from the inputs before."""

    @abstractmethod
    def told(self, behind: Plane, this: Resource, record: Record) -> Inputs:
        """What the vendor says of a server, as outputs."""

    @abstractmethod
    def seen(self, this: Resource, record: Record) -> Inputs:
        """What of the inputs the server itself decides, as it is now."""

    @abstractmethod
    def keeping(self, this: Resource) -> dict[str, Any]:
        """The arguments of `servers.delete`: what stays of the server."""

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """What it stands on."""
        del behind, this
        return ()


def number(value: Any, otherwise: float = 0) -> float:
    """A number of inputs, where there is one."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
