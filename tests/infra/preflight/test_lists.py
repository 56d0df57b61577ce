"""What stands twice in a list is refused in one line, with the list that would do."""

import json
from typing import Any

import pytest
import yaml

from infra import preflight, settings
from infra.errors import SettingsError

ARN = "arn:aws:iam::123456789012:role/api"
OBJECT = "11111111-1111-1111-1111-111111111111"

TWICE: list[tuple[str, dict[str, Any], str, str]] = [
    ("gcp", {"alerts": {"emails": ["a@example.com", "a@example.com"]}}, "alerts.emails", "a@example.com"),
    ("aws", {"alerts": {"emails": ["a@example.com", "a@EXAMPLE.com"]}}, "alerts.emails", "a@EXAMPLE.com"),
    ("aws", {"alerts": {"channels": ["arn:aws:sns:x", "arn:aws:sns:x"]}}, "alerts.channels", "arn:aws:sns:x"),
    ("aws", {"secret_readers": [ARN, ARN]}, "secret_readers", ARN),
    ("azure", {"secret_readers": [OBJECT, f"User:{OBJECT}"]}, "secret_readers", f"User:{OBJECT}"),
    ("gcp", {"secret_readers": ["user:a@x.com", "user:a@X.com"]}, "secret_readers", "user:a@X.com"),
    ("gcp", {"network": {"allowed_cidrs": ["192.0.2.7", "192.0.2.7/32"]}}, "network.allowed_cidrs", "192.0.2.7/32"),
    ("azure", {"network": {"allowed_cidrs": ["192.0.2.0/24"] * 3}}, "network.allowed_cidrs", "192.0.2.0/24"),
    ("aws", {"network": {"client_cidrs": ["10.0.0.0/24"] * 2}}, "network.client_cidrs", "10.0.0.0/24"),
    ("gcp", {"secret_regions": ["us-east1", "us-east1"]}, "secret_regions", "us-east1"),
    ("azure", {"backup": {"on_demand": ["before", "before"]}}, "backup.on_demand", "before"),
]


def refused(cloud: str, section: dict[str, Any]) -> dict[str, str]:
    """The line of each key of a list with something twice."""
    chosen = settings.load(
        {"session-database:backend": cloud, f"session-database:{cloud}": json.dumps(section)},
        project="session-database",
        stack="prod",
    )
    found = [each for each in preflight.check(chosen) if "each entry once" in each.expected]
    assert len({each.key for each in found}) == len(found)
    return {each.key: each.line("session-database", "prod") for each in found}


@pytest.mark.parametrize(("cloud", "section", "key", "again"), TWICE)
def test_an_entry_that_stands_twice_is_refused_in_whatever_spelling(
    cloud: str, section: dict[str, Any], key: str, again: str
) -> None:
    """The engine would speak of duplicate URNs, or the cloud of a conflict half-way through the `up`."""
    ((place, line),) = refused(cloud, section).items()

    assert place == f"{cloud}.{key}"
    assert f"each entry once, but {again} stands there again" in line
    mended = yaml.safe_load(line.partition("For example: ")[2])[f"session-database:{cloud}"]
    assert refused(cloud, mended) == {}


@pytest.mark.parametrize(
    "section",
    [
        {"alerts": {"emails": ["a@example.com", "A@example.com", "a@example.org"]}},
        {"network": {"allowed_cidrs": ["192.0.2.0/24", "192.0.2.0/25"]}},
        {"servers": [{"id": "g1"}, {"id": "g1"}]},
    ],
)
def test_what_is_only_alike_is_not_the_same(section: dict[str, Any]) -> None:
    """A mailbox may tell cases apart, a block may be in another; and servers have a line of their own."""
    assert refused("gcp", section) == {}


def test_a_block_with_an_address_in_it_is_no_other_spelling() -> None:
    """It is refused by itself: nobody can tell which of the two was meant."""
    with pytest.raises(SettingsError, match=r"gcp\.network\.allowed_cidrs: expected a list of public IPv4"):
        refused("gcp", {"network": {"allowed_cidrs": ["192.0.2.1/24", "192.0.2.0/24"]}})
