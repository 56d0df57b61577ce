"""Machine, high availability, replicas, connections and storage: which go together."""

from collections.abc import Iterator
from typing import Final

from infra.preflight.azure.machines import MACHINES, Machine, smallest_for
from infra.preflight.azure.regions import REGIONS
from infra.settings.azure import AzureSettings
from infra.settings.refusals import Refusal

POOL: Final = 15
"""Connections that one API server process opens: a pool of 5 and an overflow of 10 (SQLAlchemy, "QueuePool")."""

SIZES: Final = {
    32: "P4",
    64: "P6",
    128: "P10",
    256: "P15",
    512: "P20",
    1024: "P30",
    2048: "P40",
    4095: "P50",
    4096: "P50",
    8192: "P60",
    16384: "P70",
    32767: "P80",
}
"""Sizes of Premium SSD in GiB, each with the performance tier that it has by itself
(hashicorp/terraform-provider-azurerm, `azurerm_postgresql_flexible_server`, storage_tier)."""

_TIERS: Final = tuple(dict.fromkeys(SIZES.values()))
_NO_MORE_GROWTH: Final = 32767
_MOST_REPLICAS: Final = 5
_CACHED: Final = 4096
"""Below this size in GiB a tier goes up to P50; from it on, up to P80."""


def check(settings: AzureSettings) -> Iterator[Refusal]:
    """What is wrong with the machine and its storage; read-only."""
    machine = MACHINES.get(settings.sku)
    if machine is None:
        yield Refusal("azure.sku", f"a size that Azure offers, not {settings.sku}", "{sku: Standard_D2ds_v5}")
    else:
        yield from _machine(settings, machine)
        yield from _connections(settings, machine)
    yield from _replicas(settings, machine)
    yield from _zones(settings)
    yield from _storage(settings)


def _machine(settings: AzureSettings, machine: Machine) -> Iterator[Refusal]:
    bigger = f"{{sku: {smallest_for(machine.connections, 'GeneralPurpose').name}}}"
    if machine.tier == "Burstable":
        if settings.high_availability:
            why = f"a size with a standby: {machine.name} is burstable and has none"
            yield Refusal("azure.sku", why, bigger.replace("}", ", high_availability: true}"))
        if settings.read_replicas or settings.replica_region:
            yield Refusal("azure.sku", f"a size with read replicas: {machine.name} is burstable and has none", bigger)
        if settings.backup.on_demand:
            why = f"a size with backups on demand: {machine.name} is burstable and has none"
            yield Refusal("azure.sku", why, bigger)
    newest = 6
    if machine.generation == newest and settings.network.mode == "private":
        why = f"private_endpoint with {machine.name}: generation 6 cannot be in a delegated subnet"
        yield Refusal("azure.network.mode", why, "{network: {mode: private_endpoint}}")


def _connections(settings: AzureSettings, machine: Machine) -> Iterator[Refusal]:
    needed = settings.api_processes * POOL
    if needed > machine.connections:
        tier = "GeneralPurpose" if machine.tier == "Burstable" else machine.tier
        most = machine.connections // POOL
        fix = smallest_for(needed, tier)
        why = (
            f"a size with at least {needed} connections for {settings.api_processes} API processes of {POOL} each: "
            f"{machine.name} has {machine.connections}, enough for {most}"
        )
        fits = fix.connections >= needed
        yield Refusal("azure.sku", why, f"{{sku: {fix.name}}}" if fits else f"{{api_processes: {most}}}")


def _replicas(settings: AzureSettings, machine: Machine | None) -> Iterator[Refusal]:
    if settings.replica_region == settings.region:
        yield Refusal(
            "azure.replica_region",
            f"another region than {settings.region}; replicas in the same one are read_replicas",
            "{read_replicas: 1, replica_region: ''}",
        )
    if settings.read_replicas + bool(settings.replica_region) > _MOST_REPLICAS:
        why = f"{_MOST_REPLICAS} replicas at most, the one in {settings.replica_region} included"
        yield Refusal("azure.read_replicas", why, f"{{read_replicas: {_MOST_REPLICAS - 1}}}")
    if machine and settings.replica_sku:
        replica = MACHINES.get(settings.replica_sku)
        if replica is None or replica.tier == "Burstable" or replica.vcores < machine.vcores:
            why = f"a size of at least the primary's {machine.vcores} processors, and none that is burstable"
            yield Refusal("azure.replica_sku", why, f"{{replica_sku: {machine.name}}}")


def _zones(settings: AzureSettings) -> Iterator[Refusal]:
    region = REGIONS.get(settings.region)
    zonal = settings.high_availability and settings.high_availability_mode == "ZoneRedundant"
    if region and not region.zones and zonal:
        yield Refusal(
            "azure.high_availability_mode",
            f"SameZone in {settings.region}, which has no availability zones, or another region",
            "{high_availability_mode: SameZone}",
        )


def _storage(settings: AzureSettings) -> Iterator[Refusal]:
    storage = settings.storage
    if storage.size_gib not in SIZES:
        larger = next((size for size in SIZES if size >= storage.size_gib), _NO_MORE_GROWTH)
        why = f"one of {', '.join(map(str, SIZES))}"
        yield Refusal("azure.storage.size_gib", why, f"{{storage: {{size_gib: {larger}}}}}")
        return
    if storage.max_gib < storage.size_gib:
        why = f"at least storage.size_gib, {storage.size_gib}"
        yield Refusal("azure.storage.max_gib", why, f"{{storage: {{max_gib: {storage.size_gib}}}}}")
    own, last = SIZES[storage.size_gib], "P50" if storage.size_gib <= _CACHED else "P80"
    fitting = _TIERS[_TIERS.index(own) : _TIERS.index(last) + 1]
    if storage.tier and storage.tier not in fitting:
        why = f"one of {', '.join(fitting)} for {storage.size_gib} GiB"
        yield Refusal("azure.storage.tier", why, f"{{storage: {{tier: {own}}}}}")
