"""When RDS backs up and maintains an instance."""

import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.refusal import Refusal
from rehearsal.values import Tree

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_SHORTEST: Final = 30
"""Minutes of a window (RDS User Guide, "Backup window", "The Amazon RDS maintenance window")."""


def windows(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """What is wrong with the windows of an instance; inputs without marks of secrecy."""
    backup = _backup_window(inputs.get("backupWindow"))
    upkeep = _maintenance_window(inputs.get("maintenanceWindow"))
    if isinstance(backup, str):
        yield Refusal("backupWindow", backup)
    if isinstance(upkeep, str):
        yield Refusal("maintenanceWindow", upkeep)
    if isinstance(backup, tuple) and isinstance(upkeep, tuple) and _overlap(backup, upkeep):
        yield Refusal("maintenanceWindow", "The backup window and maintenance window must not overlap.")


def _backup_window(text: Tree) -> tuple[int, int] | str | None:
    if not isinstance(text, str) or not text:
        return None
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if not found:
        return f"expected hh24:mi-hh24:mi in UTC, for example 03:00-03:30, got {text!r}"
    start, end = (int(found[at]) * 60 + int(found[at + 1]) for at in (1, 3))
    length = (end - start) % _DAY
    return (start, length) if length >= _SHORTEST else f"expected at least {_SHORTEST} minutes, got {text!r}"


def _maintenance_window(text: Tree) -> tuple[int, int] | str | None:
    if not isinstance(text, str) or not text:
        return None
    day = f"({'|'.join(_DAYS)})"
    found = re.fullmatch(rf"{day}:([01]\d|2[0-3]):([0-5]\d)-{day}:([01]\d|2[0-3]):([0-5]\d)", text.lower())
    if not found:
        return f"expected ddd:hh24:mi-ddd:hh24:mi in UTC, for example sun:04:00-sun:04:30, got {text!r}"
    start, end = (_DAYS.index(found[at]) * _DAY + int(found[at + 1]) * 60 + int(found[at + 2]) for at in (1, 4))
    length = (end - start) % _WEEK
    return (start, length) if _SHORTEST <= length <= _DAY else f"expected 30 minutes to 24 hours, got {text!r}"


def _overlap(daily: tuple[int, int], weekly: tuple[int, int]) -> bool:
    days = [(day * _DAY + daily[0]) for day in range(-1, 9)]
    return any(start < weekly[0] + weekly[1] and weekly[0] < start + daily[1] for start in days)
