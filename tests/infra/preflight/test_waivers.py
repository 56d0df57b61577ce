"""A waiver names a floor, or it is refused with the names of all floors."""

import pytest

from infra import policy, preflight, settings
from infra.errors import SettingsError


def refused(backend: str, **waivers: str) -> list[str]:
    """The lines with which these waivers are refused."""
    chosen = settings.Settings(backend=backend, waivers={k.replace("_", "-"): v for k, v in waivers.items()})  # type: ignore[arg-type]  # Checked by pydantic.
    try:
        preflight.require(chosen, project="session-database", stack="prod")
    except SettingsError as error:
        return [line for line in str(error).splitlines() if ":waivers" in line]
    return []


def test_an_unknown_floor_is_refused_with_the_names_of_all() -> None:
    """A typo must not look like a waiver."""
    (line,) = refused("sqlite", high_availabilty="the team accepts an hour")

    assert line.startswith("Pulumi.prod.yaml: session-database:waivers.high-availabilty: expected a floor")
    assert all(name in line for name in policy.FLOORS)
    assert "For example: session-database:waivers: {alerts: " in line


@pytest.mark.parametrize("name", [rule.name for rule in policy.RULES if rule.everywhere])
def test_what_holds_everywhere_cannot_be_waived(name: str) -> None:
    """It is said why, since the name itself is right."""
    (line,) = refused("sqlite", **{name: "because I say so"})

    assert "this one holds everywhere" in line


@pytest.mark.parametrize("name", policy.FLOORS)
def test_every_floor_can_be_waived(name: str) -> None:
    """By its name and a reason."""
    assert refused("sqlite", **{name: "for a good reason"}) == []
