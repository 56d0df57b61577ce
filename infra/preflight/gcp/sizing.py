"""Machine, edition, standby, disk and connections: what goes together."""

from collections.abc import Iterator
from typing import Final

from infra.preflight.gcp.machines import Machine, custom_tier, machine, tier_for
from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

PER_PROCESS: Final = 15
"""Connections of one API server process: ADK's pool of 5 and an overflow of 10."""

RESERVED: Final = 10
"""Connections left to Cloud SQL's own agents, the bootstrapper and whoever is on call."""

_SHARED_GIB: Final = 3062
"""The biggest disk of a shared-core machine (Cloud SQL, "Quotas and limits")."""

_HYPERDISK_GIB: Final = 20
"""The smallest Hyperdisk Balanced (pulumi-gcp, `DatabaseInstanceSettings.disk_size`)."""

_FIRST: Final = {"ENTERPRISE": "db-custom-2-7680", "ENTERPRISE_PLUS": "db-perf-optimized-N-2"}


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with the size of the servers; read-only.

    What depends on the machine is only looked at once the machine is one.
    """
    yield from _disk(settings)
    known = machine(settings.tier)
    if known is None:
        yield _no_machine(settings)
        return
    if _no_custom(known):
        yield _odd_custom(known)
        return
    if known.edition != settings.edition:
        yield _other_edition(settings, known)
        return
    yield from _standby(settings, known)
    yield from _disk_of(settings, known)
    yield from _connections(settings, known)


def _no_machine(settings: GcpSettings) -> Refusal:
    fits = _FIRST[settings.edition]
    return Refusal("gcp.tier", f"a PostgreSQL machine of {settings.edition}, such as {fits}", f"{{tier: {fits}}}")


def _no_custom(known: Machine) -> bool:
    """Whether CPUs and memory are a mix that there is no custom machine for."""
    return known.tier.startswith("db-custom-") and custom_tier(known.cpus, known.memory_mib) != known.tier


def _odd_custom(known: Machine) -> Refusal:
    return Refusal(
        "gcp.tier",
        "a custom machine with 1 CPU or an even number up to 96, and 0.9 to 6.5 GiB for each, in steps of 256 MiB "
        "from 3840 MiB on",
        f"{{tier: {custom_tier(known.cpus, known.memory_mib)}}}",
    )


def _other_edition(settings: GcpSettings, known: Machine) -> Refusal:
    return Refusal(
        "gcp.tier",
        f"a machine of {settings.edition}, since {known.tier} is one of {known.edition}",
        f"{{tier: {_FIRST[settings.edition]}}}",
    )


def _standby(settings: GcpSettings, known: Machine) -> Iterator[Refusal]:
    if settings.high_availability and known.shared:
        yield Refusal(
            "gcp.high_availability",
            f"a machine with a CPU of its own for a standby, since no SLA covers {known.tier}",
            "{high_availability: true, tier: db-custom-2-7680}",
        )


def _disk(settings: GcpSettings) -> Iterator[Refusal]:
    storage = settings.storage
    if storage.max_gib < storage.size_gib:
        yield Refusal(
            "gcp.storage.max_gib",
            f"{storage.size_gib} or more, the size that the disk has from the start",
            f"{{storage: {{size_gib: {storage.size_gib}, max_gib: {min(storage.size_gib * 4, 65536)}}}}}",
        )


def _disk_of(settings: GcpSettings, known: Machine) -> Iterator[Refusal]:
    storage = settings.storage
    if known.shared and max(storage.size_gib, storage.max_gib) > _SHARED_GIB:
        yield Refusal(
            "gcp.storage.max_gib",
            f"{_SHARED_GIB} or less, the biggest disk of {known.tier}",
            f"{{storage: {{size_gib: {min(storage.size_gib, _SHARED_GIB)}, max_gib: {_SHARED_GIB}}}}}",
        )
    if known.hyperdisk and storage.size_gib < _HYPERDISK_GIB:
        yield Refusal(
            "gcp.storage.size_gib",
            f"{_HYPERDISK_GIB} or more, the smallest disk of {known.tier}",
            f"{{storage: {{size_gib: {_HYPERDISK_GIB}}}}}",
        )


def _connections(settings: GcpSettings, known: Machine) -> Iterator[Refusal]:
    wanted = settings.api_processes * PER_PROCESS + RESERVED
    if wanted <= known.max_connections:
        return
    fits = tier_for(settings.edition, wanted)
    processes = (known.max_connections - RESERVED) // PER_PROCESS
    yield Refusal(
        "gcp.api_processes",
        f"{processes} or fewer on {known.tier}, which allows {known.max_connections} connections: "
        f"{PER_PROCESS} for each process and {RESERVED} for others",
        f"{{tier: {fits}}}" if fits else f"{{api_processes: {processes}}}",
    )
