"""Waivers that lift nothing, because there is no floor of that name."""

from collections.abc import Iterator

from infra import policy
from infra.settings import Settings
from infra.settings.refusals import Refusal


def check(settings: Settings) -> Iterator[Refusal]:
    """What is wrong with the names of waivers; read-only and offline."""
    for name in sorted(settings.waivers.keys() - set(policy.FLOORS)):
        lasting = any(rule.name == name for rule in policy.RULES)
        yield Refusal(
            f"waivers.{name}" if name.replace("-", "").isalnum() else "waivers",
            f"a floor that can be waived, one of: {', '.join(policy.FLOORS)}"
            + ("; this one holds everywhere" if lasting else ""),
            "{alerts: watched by the monitoring of the platform team}",
        )
