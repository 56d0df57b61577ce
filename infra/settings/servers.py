"""The generations of a server: the one in use, the one before, and the one that is restored beside them."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from infra.settings.section import Section
from infra.settings.types import Moment, PostgresVersion, ServerId, Switch


class Restore(Section):
    """Where a generation's data comes from. It matters once, when the server is made; later edits change nothing."""

    source: ServerId = Field(
        alias="from",
        description="the id of the server whose backups are restored",
        examples=["g1"],
    )
    time: Moment | Literal["latest"] = Field(
        description="the moment to restore, UTC, or latest",
        examples=["2026-11-23T17:05:00Z"],
    )


class Server(Section):
    """One generation of the database server."""

    id: ServerId = Field(
        description="a short name of the generation: a small letter, then up to 7 small letters or digits",
        examples=["g1"],
    )
    version: PostgresVersion | None = Field(
        default=None,
        description="the PostgreSQL major version of this generation, where it is not the section's",
        examples=[17],
    )
    restore: Restore | None = Field(
        default=None,
        description="a point in time of another generation, from which this one is made",
        examples=["{from: g1, time: 2026-11-23T17:05:00Z}"],
    )
    adopt: str | None = Field(
        default=None,
        min_length=1,
        description="the cloud's id of an existing server, which becomes this generation as it is",
        examples=["projects/example/instances/sessions"],
    )
    deletion_protection: Switch | None = Field(
        default=None,
        description="whether this generation is protected, if not as the section says; false before it is retired",
        examples=[False],
    )


def servers_refusal(servers: Sequence[Server], active: str) -> str | None:
    """What was expected of a list of generations, in the words behind "expected", or None; read-only.

    Args:
        servers: The generations, in the order of the stack file.
        active: The id of the one that the exported URI leads to.
    """
    ids = [server.id for server in servers]
    if len(set(ids)) < len(ids):
        return "each id once"
    if active not in ids:
        return f"the id of `active`, {active}, among the servers"
    for server in servers:
        if server.restore and server.adopt:
            return f"either restore or adopt for {server.id}"
    return _circle({server.id: server.restore.source for server in servers if server.restore})


def _circle(sources: Mapping[str, str]) -> str | None:
    """A generation that would, by whatever detour, be restored from itself."""
    for start in sources:
        place = sources[start]
        for _ in sources:
            if place == start:
                return f"{start} to be restored from another server"
            place = sources.get(place, "")
    return None
