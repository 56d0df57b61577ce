"""Backups, PITR and maintenance."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

_PITR_DAYS: Final = {"ENTERPRISE": 7, "ENTERPRISE_PLUS": 35}
"""How long logs are kept at most (pulumi-gcp, `transaction_log_retention_days`)."""

_LONGEST_DENIAL: Final = timedelta(days=90)
"""Cloud SQL, "About maintenance on Cloud SQL instances"."""

_DATE: Final = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)")

_LEAP_YEAR: Final = 2028
"""Stands for every year, so that 29 February is a day."""

LONGEST_BACKUP_AGE: Final = 47
"""Hours: an alert looks back 24 and waits up to 23.5 more (Cloud Monitoring, "Alerting limits")."""


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with backups and maintenance; read-only."""
    yield from _pitr(settings)
    yield from _denial(settings)
    if settings.alerts.enabled and settings.alerts.backup_age_hours > LONGEST_BACKUP_AGE:
        yield Refusal(
            "gcp.alerts.backup_age_hours",
            f"{LONGEST_BACKUP_AGE} or less, as far as Cloud Monitoring looks back",
            f"{{alerts: {{backup_age_hours: {LONGEST_BACKUP_AGE}}}}}",
        )


def _pitr(settings: GcpSettings) -> Iterator[Refusal]:
    backup, longest = settings.backup, _PITR_DAYS[settings.edition]
    if settings.high_availability and not backup.pitr_days:
        yield Refusal(
            "gcp.backup.pitr_days", "1 or more with high_availability, which rests on it", "{backup: {pitr_days: 7}}"
        )
    if backup.pitr_days > longest:
        yield Refusal(
            "gcp.backup.pitr_days",
            f"{longest} or less with {settings.edition}",
            f"{{backup: {{pitr_days: {longest}}}}}",
        )
    elif backup.pitr_days > backup.retention_days:
        yield Refusal(
            "gcp.backup.pitr_days",
            f"no more than retention_days, {backup.retention_days}, since a moment is restored from a backup before it",
            f"{{backup: {{pitr_days: {backup.retention_days}}}}}",
        )


def _denial(settings: GcpSettings) -> Iterator[Refusal]:
    deny = settings.deny_maintenance
    if deny is None:
        return
    fix = "{deny_maintenance: {start: '11-20', end: '12-02'}}"
    start, end = _day(deny.start), _day(deny.end)
    if start is None or end is None:
        yield Refusal("gcp.deny_maintenance", "two days of the calendar, MM-DD or YYYY-MM-DD", fix)
        return
    if len(deny.start) != len(deny.end):
        yield Refusal("gcp.deny_maintenance", "a year in both days or in neither", fix)
        return
    if len(deny.start) == len("MM-DD") and end < start:
        end = end.replace(year=end.year + 1, day=min(end.day, 28))
    if not timedelta(0) <= end - start <= _LONGEST_DENIAL:
        yield Refusal("gcp.deny_maintenance", "an end within 90 days after its start", fix)


def _day(text: str) -> date | None:
    """The day, in some year where it comes every year, or None where there is no such day."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    try:
        return date(int(found[1] or _LEAP_YEAR), int(found[2]), int(found[3]))
    except ValueError:
        return None
