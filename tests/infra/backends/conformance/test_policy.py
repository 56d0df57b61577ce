"""Every rule holds for production as it is by default, and each one bites where its setting is turned off."""

from typing import Any

import pytest
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from infra import policy
from infra.policy.rule import Posture, Resource

EVERY = ("gcp", "aws", "azure")

OFF: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "high-availability": (EVERY, {"high_availability": False}),
    "pitr": (("gcp", "aws"), {"high_availability": False}),
    "backup-retention": (("gcp", "aws"), {}),
    "final-backup": (("gcp", "aws"), {"backup": {"final": False}}),
    "deletion-protection": (EVERY, {"deletion_protection": False}),
    "private-network": (EVERY, {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}}),
    "alerts": (EVERY, {"alerts": {"enabled": False}}),
    "alert-recipients": (EVERY, {"alerts": {"emails": []}}),
}
"""Each floor, the clouds whose settings can be under it, and the settings that are."""

BACKUPS: dict[tuple[str, str], dict[str, Any]] = {
    ("pitr", "gcp"): {"backup": {"pitr_days": 0}},
    ("pitr", "aws"): {"backup": {"retention_days": 0}},
    ("backup-retention", "gcp"): {"backup": {"retention_days": 3, "pitr_days": 2}},
    ("backup-retention", "aws"): {"backup": {"retention_days": 3}},
}
"""What differs by cloud of them."""

BY_SETTINGS_ALONE = {"minor-upgrades"}
"""Floors that no setting turns off: the backends keep them by themselves."""


def plain(value: Any) -> Any:
    """An input as the engine's transform gives it to a rule."""
    if is_rpc_secret(value):
        return plain(unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def broken(recording: Any, **posture: Any) -> set[str]:
    """The rules that a recording does not keep."""
    resources = [Resource(each.type, each.name, plain(each.inputs), each.protect) for each in recording.resources]
    return {found.rule.name for found in policy.violations(resources, Posture(**posture))}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"read_replicas": 2},
        {"rotation": 1},
        {"servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]},
    ],
    ids=str,
)
def test_production_keeps_every_rule_as_it_is(cloud: Any, provision: Any, changes: dict[str, Any]) -> None:
    """Somebody to tell is all that a stack file has to add."""
    assert broken(provision(backend=cloud.name, **cloud.section(**changes))) == set()


def test_a_replica_in_another_region_keeps_every_rule(cloud: Any, provision: Any) -> None:
    """It is private and encrypted like its leader."""
    assert broken(provision(backend=cloud.name, **cloud.section(replica_region=cloud.far))) == set()


def test_logins_by_identity_keep_every_rule(cloud: Any, provision: Any) -> None:
    """Whoever may log in may do nothing else."""
    iam = {"iam": cloud.iam} if cloud.iam else {}

    assert broken(provision(backend=cloud.name, **cloud.section(auth="iam", **iam))) == set()


@pytest.mark.parametrize("name", sorted(OFF))
def test_each_floor_bites_where_its_setting_is_off_and_a_waiver_lets_it_through(
    cloud: Any, provision: Any, name: str
) -> None:
    """In production; elsewhere it is no floor."""
    clouds, changes = OFF[name]
    if cloud.name not in clouds:
        assert not any("azure-native" in kind and rule.name == name for rule in policy.RULES for kind in rule.each) or (
            name == "backup-retention"
        ), "Azure keeps 7 days or more whatever is asked for"
        return
    recording = provision(backend=cloud.name, **cloud.section(**changes, **BACKUPS.get((name, cloud.name), {})))

    found = broken(recording)
    assert name in found
    assert name not in broken(recording, waivers={name: "for a good reason"})
    assert broken(recording, waivers=dict.fromkeys(found, "for a good reason")) == set()
    assert broken(recording, profile="staging") == set()


def test_every_floor_is_tried(cloud: Any) -> None:  # noqa: ARG001  # Once would do.
    """A new floor without a setting that breaks it is a floor that nobody has seen bite."""
    assert set(OFF) | BY_SETTINGS_ALONE == set(policy.FLOORS)


@pytest.mark.parametrize("profile", ["dev", "staging"])
def test_what_holds_everywhere_holds_in_the_other_profiles(cloud: Any, provision: Any, profile: str) -> None:
    """By their own defaults."""
    recording = provision(backend=cloud.name, profile=profile, **{cloud.name: cloud.keys})

    assert broken(recording, profile=profile) == set()


def test_a_retired_generation_needs_no_waiver(cloud: Any, provision: Any) -> None:
    """The first of two steps: its protection is lifted, while the other one is in use."""
    servers = [{"id": "g1", "deletion_protection": False}, {"id": "g2"}]
    recording = provision(backend=cloud.name, **cloud.section(servers=servers, active="g2"))

    assert broken(recording, retiring=frozenset({"adk-sessions-g1"})) == set()
    assert broken(recording) == {"deletion-protection"}


def test_an_adopted_server_is_under_the_same_rules(cloud: Any, provision: Any) -> None:
    """What the program asks for is asked of it too, as soon as the line is taken out."""
    recording = provision(backend=cloud.name, **cloud.section(servers=[{"id": "g1", "adopt": cloud.adopt}]))

    assert broken(recording) == set()
