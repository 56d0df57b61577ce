"""What Cloud SQL refuses beyond its model: editions, machines, disks, backups, ways in.

Written from Google's documentation alone, so that it can judge the project's own preflight.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Tree, at
from rehearsal.vendors.gcp.base import given, number, text, within

_PLUS: Final = re.compile(r"db-perf-optimized-N-(2|4|8|16|32|48|64|80|96|128)|db-c4a-highmem-(1|4|8|16|32|48|64|72)")
_CUSTOM: Final = re.compile(r"db-custom-(?P<cpus>\d+)-(?P<mib>\d+)")
_SHARED: Final = ("db-f1-micro", "db-g1-small")
"""Cloud SQL, "Machine series overview" and "About instance settings"."""

_NAME: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_LONGEST_WITH_PROJECT: Final = 98
"""`project:instance` (Cloud SQL, "About instance settings", Instance ID)."""

_NETWORK: Final = re.compile(r"(https://www\.googleapis\.com/compute/(v1|beta)/)?projects/[^/]+/global/networks/[^/]+")

_FIRST_PLUS_BY_DEFAULT: Final = 16
"""Without an edition PostgreSQL 16 and later is ENTERPRISE_PLUS (magic-modules#18014)."""

_MAJORS: Final = range(9, 19)

_PRIVATE: Final = tuple(ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918; no authorized network (Cloud SQL, "Authorize with authorized networks")."""


def instance(inputs: dict[str, Any], *, fresh: bool = True) -> Iterator[Refusal]:
    """What is wrong with an instance.

    Args:
        inputs: Without marks of secrecy.
        fresh: Whether it is to be made, so that what is missing is missing.
    """
    yield from _name(inputs)
    version = text(inputs.get("databaseVersion"))
    if not given(inputs.get("databaseVersion")):
        yield Refusal("databaseVersion", "expected a version of PostgreSQL, for example POSTGRES_17")
    settings = inputs.get("settings")
    if not isinstance(settings, dict):
        if fresh and not given(inputs.get("clone")) and settings is not UNKNOWN:
            yield Refusal("settings", "expected settings with a tier, unless the instance is a clone")
        return
    edition = _edition(settings, version)
    yield from _machine(settings, edition)
    yield from _disk(settings)
    yield from _backups(settings, edition, replica=given(inputs.get("masterInstanceName")))
    yield from _ways_in(settings.get("ipConfiguration"))
    yield from _watching(settings, edition)
    yield from _maintenance(settings)


def _name(inputs: dict[str, Any]) -> Iterator[Refusal]:
    name = text(inputs.get("name"))
    if name and not _NAME.fullmatch(name):
        yield Refusal(
            "name",
            "expected lowercase letters, numbers and hyphens, a letter first and no hyphen last, for example "
            f"adk-sessions, got {name!r}",
        )
    if len(name) + len(text(inputs.get("project"))) + 1 > _LONGEST_WITH_PROJECT:
        yield Refusal("name", f"expected at most {_LONGEST_WITH_PROJECT} characters for project:instance")


def _edition(settings: dict[str, Any], version: str) -> str:
    if edition := text(settings.get("edition")):
        return edition
    major = re.fullmatch(r"POSTGRES_(\d+)(_\d+)?", version)
    return "ENTERPRISE_PLUS" if major and int(major[1]) >= _FIRST_PLUS_BY_DEFAULT else "ENTERPRISE"


def _machine(settings: dict[str, Any], edition: str) -> Iterator[Refusal]:
    tier = text(settings.get("tier"))
    if not tier:
        return
    custom = _CUSTOM.fullmatch(tier)
    if edition == "ENTERPRISE_PLUS" and not _PLUS.fullmatch(tier):
        reason = (
            f"Invalid Tier ({tier}) for (ENTERPRISE_PLUS) Edition. Use a predefined Tier like db-perf-optimized-N-* "
        )
        yield Refusal("settings.tier", f"{reason}instead, for example db-perf-optimized-N-2; or edition ENTERPRISE")
    elif edition == "ENTERPRISE" and _PLUS.fullmatch(tier):
        reason = f"Invalid Tier ({tier}) for (ENTERPRISE) Edition: expected db-custom-<CPUs>-<MiB>"
        yield Refusal("settings.tier", f"{reason}, for example db-custom-2-7680; or edition ENTERPRISE_PLUS")
    elif edition == "ENTERPRISE" and not custom and tier not in _SHARED:
        reason = "Only custom or shared-core instance Billing Tier type allowed for PostgreSQL database"
        yield Refusal("settings.tier", f"{reason}, for example db-custom-2-7680, got {tier!r}")
    elif edition == "ENTERPRISE" and custom:
        yield from _custom(tier, int(custom["cpus"]), int(custom["mib"]))


def _custom(tier: str, cpus: int, mib: int) -> Iterator[Refusal]:
    """Cloud SQL, "About instance settings", Cores and Memory."""
    if cpus != 1 and (cpus % 2 or not 0 < cpus <= 96):  # noqa: PLR2004  # The documented limits, said once.
        yield Refusal("settings.tier", f"expected 1 CPU or an even number of them up to 96, got {tier!r}")
    if mib % 256 or mib < 3840 or not 0.9 * 1024 * cpus <= mib <= 6.5 * 1024 * cpus:  # noqa: PLR2004  # The same.
        expected = "memory of 0.9 to 6.5 GiB per CPU, a multiple of 256 MiB and at least 3840 MiB"
        yield Refusal("settings.tier", f"expected {expected}, got {tier!r}")


def _disk(settings: dict[str, Any]) -> Iterator[Refusal]:
    size, limit = number(settings.get("diskSize")), number(settings.get("diskAutoresizeLimit"))
    yield from within("settings.diskSize", size, 10, 65536, "a disk in GiB")
    if limit and size and limit < size:
        yield Refusal("settings.diskAutoresizeLimit", f"expected 0 or at least diskSize, {size:g} GiB, got {limit:g}")
    hyper = text(settings.get("tier")).startswith("db-c4a-")
    kind = text(settings.get("diskType"))
    if hyper and kind and kind != "HYPERDISK_BALANCED":
        yield Refusal("settings.diskType", f"expected HYPERDISK_BALANCED, the only disk of a C4A machine, got {kind}")
    if not hyper and kind == "HYPERDISK_BALANCED" and settings.get("tier") is not UNKNOWN:
        yield Refusal("settings.diskType", "expected PD_SSD or PD_HDD: HYPERDISK_BALANCED needs a C4A or N4 machine")


def _backups(settings: dict[str, Any], edition: str, *, replica: bool) -> Iterator[Refusal]:
    """Cloud SQL, "About Cloud SQL backups", "Point-in-time recovery" and "High availability"."""
    backup = settings.get("backupConfiguration")
    if backup is UNKNOWN:
        return
    backup, here = backup or {}, "settings.backupConfiguration"
    most = 35 if edition == "ENTERPRISE_PLUS" else 7
    days = number(backup.get("transactionLogRetentionDays"))
    if days is not None and not 1 <= days <= most:
        reason = f"The number of transaction log retention days must be between 1 and {most}, got {days:g}"
        yield Refusal(f"{here}.transactionLogRetentionDays", reason)
    kept = number(at(backup, "backupRetentionSettings.retainedBackups"))
    yield from within(f"{here}.backupRetentionSettings.retainedBackups", kept, 1, 365, "backups to keep")
    if kept is not None and days is not None and kept < days:
        yield Refusal(
            f"{here}.backupRetentionSettings.retainedBackups", f"expected at least as many as log days, {days:g}"
        )
    if (backup.get("startTime") or "00:00") is not UNKNOWN and not re.fullmatch(
        r"([01]\d|2[0-3]):[0-5]\d", text(backup.get("startTime")) or "00:00"
    ):
        yield Refusal(f"{here}.startTime", f"expected HH:MM in 24 hours, UTC, got {backup['startTime']!r}")
    on, pitr = backup.get("enabled"), backup.get("pointInTimeRecoveryEnabled")
    if pitr is True and on is not True and on is not UNKNOWN:
        yield Refusal(f"{here}.pointInTimeRecoveryEnabled", "expected enabled: true, which it needs")
    if settings.get("availabilityType") == "REGIONAL" and not replica and not (on and pitr):
        reason = "a REGIONAL instance needs automated backups and point-in-time recovery: set enabled and "
        yield Refusal(here, f"{reason}pointInTimeRecoveryEnabled to true")
    if replica and on is True:
        yield Refusal(f"{here}.enabled", "a PostgreSQL read replica cannot have automated backups")
    final = number(at(settings, "finalBackupConfig.retentionDays"))
    yield from within("settings.finalBackupConfig.retentionDays", final, 1, 365, "days to keep the final backup")


def _ways_in(ways: Tree) -> Iterator[Refusal]:
    """Cloud SQL, "Configure public IP", "Configure private IP", "Private Service Connect"."""
    here = "settings.ipConfiguration"
    if not isinstance(ways, dict):
        return
    public = ways.get("ipv4Enabled", True)
    psc = any(each is UNKNOWN or each.get("pscEnabled") for each in ways.get("pscConfigs") or [])
    if public is False and not given(ways.get("privateNetwork")) and not psc:
        yield Refusal(here, "At least one of Public IP or Private IP or PSC connectivity must be enabled")
    network = text(ways.get("privateNetwork"))
    if network and not _NETWORK.fullmatch(network):
        yield Refusal(f"{here}.privateNetwork", f"expected projects/<project>/global/networks/<name>, got {network!r}")
    for index, each in enumerate(ways.get("authorizedNetworks") or []):
        path = f"{here}.authorizedNetworks[{index}].value"
        yield from _block(path, text(each.get("value")) if isinstance(each, dict) else "")
        if public is False:
            yield Refusal(path, "authorized networks need a public address: ipv4Enabled is false")


def _block(path: str, block: str) -> Iterator[Refusal]:
    try:
        found = ipaddress.ip_network(block or "203.0.113.0/24")
    except ValueError:
        yield Refusal(path, f"expected an IPv4 block in CIDR notation, for example 203.0.113.0/24, got {block!r}")
        return
    if any(found.overlaps(private) for private in _PRIVATE):
        yield Refusal(path, f"expected public addresses: {block} are private ones, which no client of the internet has")


def _watching(settings: dict[str, Any], edition: str) -> Iterator[Refusal]:
    """Cloud SQL, "Use Query insights", "Password policies" and "Database flags"."""
    insights = settings.get("insightsConfig")
    if isinstance(insights, dict):
        longest = 1048576 if edition == "ENTERPRISE_PLUS" else 4500
        here = "settings.insightsConfig"
        yield from within(
            f"{here}.queryStringLength", insights.get("queryStringLength"), 256, longest, "bytes of a query"
        )
        most = 200 if edition == "ENTERPRISE_PLUS" else 20
        yield from within(f"{here}.queryPlansPerMinute", insights.get("queryPlansPerMinute"), 0, most, "plans a minute")
    seen: set[str] = set()
    for index, flag in enumerate(settings.get("databaseFlags") or []):
        name = text(flag.get("name")) if isinstance(flag, dict) else ""
        if name in seen or not re.fullmatch(r"[a-z][a-z0-9_.]*", name or "x"):
            yield Refusal(f"settings.databaseFlags[{index}].name", f"expected each flag once and by name, got {name!r}")
        seen.add(name)


def _maintenance(settings: dict[str, Any]) -> Iterator[Refusal]:
    """Cloud SQL, "About maintenance on Cloud SQL instances"."""
    window = settings.get("maintenanceWindow")
    if isinstance(window, dict):
        yield from within("settings.maintenanceWindow.day", window.get("day"), 1, 7, "a day of the week from Monday on")
        yield from within("settings.maintenanceWindow.hour", window.get("hour"), 0, 23, "an hour, UTC")
    deny = settings.get("denyMaintenancePeriod")
    if isinstance(deny, dict):
        days = [_day(text(deny.get(key))) for key in ("startDate", "endDate")]
        if None in days:
            yield Refusal("settings.denyMaintenancePeriod", "expected dates as YYYY-MM-DD or MM-DD")
        elif days[0] and days[1] and not 0 <= (days[1] - days[0]).days % 365 <= 90:  # noqa: PLR2004  # The limit.
            yield Refusal("settings.denyMaintenancePeriod", "expected a period of at most 90 days")


def _day(written: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(written if written.count("-") > 1 else f"2027-{written}")
    except ValueError:
        return None
