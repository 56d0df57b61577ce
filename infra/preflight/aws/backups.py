"""Backups: what rests on them, when they are taken and where they are copied to."""

from collections.abc import Iterator
from typing import Final

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

_DAY: Final = 24 * 60
_WINDOW: Final = 60
"""Both windows last an hour, in minutes; RDS wants half an hour at least."""


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the backups; read-only."""
    yield from _retention(settings)
    yield from _windows(settings)
    yield from _regions(settings)


def _retention(settings: AwsSettings) -> Iterator[Refusal]:
    if settings.backup.retention_days:
        return
    needed = {
        "high_availability": settings.high_availability,
        "read_replicas": settings.read_replicas > 0,
        "replica_region": settings.replica_region,
        "backup.copy_region": settings.backup.copy_region,
        "a restored server": any(server.restore for server in settings.servers),
    }
    if because := [name for name, there in needed.items() if there]:
        yield Refusal(
            "aws.backup.retention_days",
            f"1 to 35 days, since {' and '.join(because)} rest on backups",
            "{backup: {retention_days: 7}}",
        )


def _windows(settings: AwsSettings) -> Iterator[Refusal]:
    hour, minute = map(int, settings.backup.window.split(":"))
    backup, maintenance = hour * 60 + minute, settings.maintenance.hour * 60
    apart = (backup - maintenance) % _DAY
    if apart < _WINDOW or _DAY - apart < _WINDOW:
        free = (settings.maintenance.hour - 2) % 24
        yield Refusal(
            "aws.backup.window",
            f"an hour apart from the maintenance window, which starts at {settings.maintenance.hour:02}:00",
            f"{{backup: {{window: '{free:02}:00'}}}}",
        )


def _regions(settings: AwsSettings) -> Iterator[Refusal]:
    other = "eu-central-1" if settings.region != "eu-central-1" else "eu-west-1"
    for key, region in (
        ("backup.copy_region", settings.backup.copy_region),
        ("replica_region", settings.replica_region),
    ):
        fix = f"{{backup: {{copy_region: {other}}}}}" if key.startswith("backup") else f"{{replica_region: {other}}}"
        if region == settings.region:
            yield Refusal(f"aws.{key}", f"another region than the stack's own, {settings.region}", fix)
        elif region and _partition(region) != _partition(settings.region):
            yield Refusal(
                f"aws.{key}", "a region of the same partition: nothing is copied to or from China or GovCloud", fix
            )


def _partition(region: str) -> str:
    return region.partition("-")[0] if region.startswith("cn-") else "gov" if "-gov-" in region else "aws"
