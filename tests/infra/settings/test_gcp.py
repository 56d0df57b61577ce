"""The `gcp` section: each profile stands by itself, and forms that Google Cloud does not have are refused at once."""

import json
from typing import Any

import pytest

from infra import settings
from infra.errors import SettingsError
from infra.preflight import gcp

PROJECT = "session-database"


def load(profile: str = "prod", **section: Any) -> settings.Settings:
    """Load a stack file with this section."""
    config = {"backend": "gcp", "profile": profile, "gcp": json.dumps({"project": "example-project", **section})}
    return settings.load({f"{PROJECT}:{key}": text for key, text in config.items()}, project=PROJECT, stack="prod")


@pytest.mark.parametrize(
    ("profile", "tier", "standby"),
    [("dev", "db-g1-small", False), ("staging", "db-custom-1-3840", False), ("prod", "db-custom-2-7680", True)],
)
def test_a_profile_and_a_project_are_a_whole_section(profile: str, tier: str, *, standby: bool) -> None:
    """What a profile sets by itself is a mix that Cloud SQL takes."""
    section = load(profile).gcp

    assert (tier, standby) == (section.tier, section.high_availability)
    assert list(gcp.check(section)) == []


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"region": "us-central1-a"}, "gcp.region"),
        ({"region": "US"}, "gcp.region"),
        ({"project": "Example Project"}, "gcp.project"),
        ({"edition": "DEVELOPER"}, "gcp.edition"),
        ({"tier": "n2-standard-2"}, "gcp.tier"),
        ({"storage": {"size_gib": 9}}, "gcp.storage.size_gib"),
        ({"storage": {"max_gib": 65537}}, "gcp.storage.max_gib"),
        ({"backup": {"window": "3:00"}}, "gcp.backup.window"),
        ({"backup": {"window": "24:00"}}, "gcp.backup.window"),
        ({"backup": {"pitr_days": 36}}, "gcp.backup.pitr_days"),
        ({"backup": {"copy_region": "europe"}}, "gcp.backup.copy_region"),
        ({"network": {"mode": "vpn"}}, "gcp.network.mode"),
        ({"network": {"id": "default"}}, "gcp.network.id"),
        ({"network": {"allowed_cidrs": ["0.0.0.0/0"]}}, "gcp.network.allowed_cidrs"),
        ({"encryption_key": "my-key"}, "gcp.encryption_key"),
        (
            {"encryption_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"},
            "gcp.encryption_key",
        ),
    ],
)
def test_a_form_that_google_cloud_does_not_have_is_refused(section: dict[str, Any], key: str) -> None:
    """One line, with the key and an example."""
    with pytest.raises(SettingsError) as caught:
        load(**section)

    (line,) = str(caught.value).splitlines()
    assert f"{PROJECT}:{key}: expected" in line
    assert "For example: " in line
