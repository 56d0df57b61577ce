"""Each rule is a plain function of a type and its inputs: it holds for what is safe and names what is not."""

import copy
import json
from typing import Any

import pytest
import yaml

from infra import policy, settings
from infra.policy.rule import CLOUDS, UNKNOWN, Fix, Posture, Resource
from infra.policy.servers import AWS, AZURE, GCP, SERVERS

SAFE: dict[str, dict[str, Any]] = {
    GCP: {
        "settings": {
            "availabilityType": "REGIONAL",
            "deletionProtectionEnabled": True,
            "finalBackupConfig": {"enabled": True},
            "backupConfiguration": {
                "enabled": True,
                "pointInTimeRecoveryEnabled": True,
                "backupRetentionSettings": {"retainedBackups": 30.0},
            },
            "ipConfiguration": {"ipv4Enabled": False, "sslMode": "ENCRYPTED_ONLY"},
        },
        "deletionProtection": True,
    },
    AWS: {
        "multiAz": True,
        "backupRetentionPeriod": 30.0,
        "storageEncrypted": True,
        "deletionProtection": True,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
        "finalSnapshotIdentifier": "adk-sessions-g1-final-1a2b",
        "autoMinorVersionUpgrade": True,
    },
    AZURE: {
        "highAvailability": {"mode": "ZoneRedundant"},
        "backup": {"backupRetentionDays": 30.0},
        "network": {"publicNetworkAccess": "Disabled"},
    },
}

OFF: dict[str, dict[str, tuple[str, Any]]] = {
    "high-availability": {
        GCP: ("settings.availabilityType", "ZONAL"),
        AWS: ("multiAz", False),
        AZURE: ("highAvailability.mode", "Disabled"),
    },
    "pitr": {
        GCP: ("settings.backupConfiguration.pointInTimeRecoveryEnabled", False),
        AWS: ("backupRetentionPeriod", 0.0),
    },
    "backup-retention": {
        GCP: ("settings.backupConfiguration.backupRetentionSettings.retainedBackups", 6.0),
        AWS: ("backupRetentionPeriod", 6.0),
        AZURE: ("backup.backupRetentionDays", 6.0),
    },
    "final-backup": {
        GCP: ("settings.finalBackupConfig.enabled", False),
        AWS: ("skipFinalSnapshot", True),
    },
    "deletion-protection": {
        GCP: ("settings.deletionProtectionEnabled", False),
        AWS: ("deletionProtection", False),
    },
    "storage-encryption": {AWS: ("storageEncrypted", False)},
    "minor-upgrades": {AWS: ("autoMinorVersionUpgrade", False)},
    "private-network": {
        GCP: ("settings.ipConfiguration.ipv4Enabled", True),
        AWS: ("publiclyAccessible", True),
        AZURE: ("network.publicNetworkAccess", "Enabled"),
    },
    "tls": {GCP: ("settings.ipConfiguration.sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED")},
    "open-access": {GCP: ("settings.ipConfiguration.authorizedNetworks", [{"value": "0.0.0.0/0"}])},
}

ALARMS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    GCP: ("gcp:monitoring/alertPolicy:AlertPolicy", {"notificationChannels": ["c"]}, {"notificationChannels": []}),
    AWS: ("aws:cloudwatch/metricAlarm:MetricAlarm", {"alarmActions": ["arn"]}, {}),
    AZURE: ("azure-native:monitor:MetricAlert", {"actions": [{"actionGroupId": "g"}]}, {"actions": []}),
}

CASES = [(name, kind, *place) for name, kinds in OFF.items() for kind, place in kinds.items()]


def server(kind: str, **changes: object) -> Resource:
    """A server that keeps every rule, but for changes, whose paths have `__` where a dot would be."""
    inputs = copy.deepcopy(SAFE[kind])
    for path, value in changes.items():
        *above, last = path.split("__")
        place = inputs
        for part in above:
            place = place[part]
        place[last] = value
    return Resource(kind, "adk-sessions-g1", inputs, protect=True)


def watched(kind: str, changed: Resource | None = None) -> list[Resource]:
    """A stack of one server with an alarm that tells somebody."""
    alarm, inputs, _silent = ALARMS[kind]
    return [changed or server(kind), Resource(alarm, "cpu", inputs)]


def broken(resources: list[Resource], **posture: Any) -> set[str]:
    """The names of the rules that do not hold."""
    return {found.rule.name for found in policy.violations(resources, Posture(**posture))}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_safe_stack_keeps_every_rule(kind: str) -> None:
    """Or a rule would refuse what it asks for."""
    assert broken(watched(kind)) == set()


@pytest.mark.parametrize(("name", "kind", "path", "value"), CASES)
def test_a_rule_names_what_is_off(name: str, kind: str, path: str, value: object) -> None:
    """One setting off, and that rule is the one that says so."""
    assert name in broken(watched(kind, server(kind, **{path.replace(".", "__"): value})))


@pytest.mark.parametrize(("name", "kind", "path", "value"), CASES)
def test_what_a_preview_cannot_know_is_no_violation(name: str, kind: str, path: str, value: object) -> None:  # noqa: ARG001
    """It is asked again by `up`, which knows."""
    assert broken(watched(kind, server(kind, **{path.replace(".", "__"): UNKNOWN}))) == set()


@pytest.mark.parametrize(("name", "kind", "path", "value"), CASES)
def test_a_waiver_lifts_a_floor_and_nothing_that_holds_everywhere(
    name: str, kind: str, path: str, value: object
) -> None:
    """What holds everywhere holds in spite of a waiver."""
    found = broken(watched(kind, server(kind, **{path.replace(".", "__"): value})), waivers={name: "for a reason"})

    assert (name in found) == (name not in policy.FLOORS)


@pytest.mark.parametrize("profile", ["dev", "staging"])
@pytest.mark.parametrize(("name", "kind", "path", "value"), CASES)
def test_only_what_holds_everywhere_is_asked_outside_production(
    profile: str, name: str, kind: str, path: str, value: object
) -> None:
    """A laptop's stack needs no standby, and yet no open door."""
    found = broken(watched(kind, server(kind, **{path.replace(".", "__"): value})), profile=profile)

    assert (name in found) == (name not in policy.FLOORS)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_the_engine_does_not_protect_is_not_protected(kind: str) -> None:
    """The cloud's own protection alone does not keep Pulumi from trying."""
    bare = Resource(kind, "adk-sessions-g1", SAFE[kind], protect=False)

    assert broken(watched(kind, bare)) == {"deletion-protection"}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_on_its_way_out_needs_no_protection(kind: str) -> None:
    """Or nothing could ever be retired in production."""
    bare = Resource(kind, "adk-sessions-g1", SAFE[kind], protect=False)

    assert broken(watched(kind, bare), retiring=frozenset({"adk-sessions-g1"})) == set()
    assert broken(watched(kind, bare), retiring=frozenset({"adk-sessions-g"})) == {"deletion-protection"}


@pytest.mark.parametrize(
    "follower",
    [
        Resource(GCP, "r", {"masterInstanceName": UNKNOWN, "settings": SAFE[GCP]["settings"]}),
        Resource(AWS, "r", {"replicateSourceDb": UNKNOWN, "publiclyAccessible": False}),
        Resource(AZURE, "r", {"createMode": "Replica", "network": {"publicNetworkAccess": "Disabled"}}),
    ],
    ids=["gcp", "aws", "azure"],
)
def test_a_replica_needs_no_standby_and_no_backups(follower: Resource) -> None:
    """The server it follows has them."""
    assert broken([*watched(follower.type), follower]) == set()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_nothing_watches_is_under_the_floor(kind: str) -> None:
    """What is missing is seen once all resources are there, and not before."""
    assert broken([server(kind)]) == {"alerts"}
    assert list(policy.violations([server(kind)], Posture(), complete=False)) == []


@pytest.mark.parametrize("kind", SERVERS)
def test_an_alarm_that_tells_nobody_is_under_the_floor(kind: str) -> None:
    """Nobody reads a console at night."""
    alarm, _inputs, silent = ALARMS[kind]

    assert broken([server(kind), Resource(alarm, "cpu", silent)]) == {"alert-recipients"}


@pytest.mark.parametrize(
    "deaf",
    [
        Resource("aws:sns/topic:Topic", "alarms", {}),
        Resource("azure-native:monitor:ActionGroup", "alarms", {"emailReceivers": []}),
    ],
    ids=["aws", "azure"],
)
def test_a_list_of_recipients_without_recipients_is_under_the_floor(deaf: Resource) -> None:
    """An alarm that tells an empty list tells nobody."""
    kind = AWS if deaf.cloud == "aws" else AZURE

    assert broken([*watched(kind), deaf]) == {"alert-recipients"}


@pytest.mark.parametrize(
    "door",
    [
        Resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "d", {"cidrIpv4": "0.0.0.0/0"}),
        Resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "d", {"cidrIpv6": "::/0"}),
        Resource("aws:ec2/securityGroup:SecurityGroup", "d", {"ingress": [{"cidrBlocks": ["0.0.0.0/0"]}]}),
        Resource(
            "azure-native:dbforpostgresql:FirewallRule",
            "d",
            {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0"},  # noqa: S104  # The rule that lets all of Azure in.
        ),
        Resource(
            "azure-native:dbforpostgresql:FirewallRule",
            "d",
            {"startIpAddress": "1.0.0.0", "endIpAddress": "255.255.255.255"},
        ),
    ],
)
@pytest.mark.parametrize("profile", ["dev", "staging", "prod"])
def test_the_whole_internet_is_let_in_nowhere(door: Resource, profile: str) -> None:
    """In no profile, and under no waiver."""
    assert broken([door], profile=profile, waivers={"open-access": "because I say so"}) == {"open-access"}


@pytest.mark.parametrize(
    "named",
    [
        Resource(GCP, "adk-sessions-g1", {"settings": {"userLabels": {"was": "0.0.0.0/0"}}}),
        Resource("gcp:secretmanager/secret:Secret", "s", {"labels": {"was": "0.0.0.0/0"}}),
        Resource("aws:ec2/vpc:Vpc", "v", {"tags": {"was": "::/0"}}),
        Resource("azure-native:network:VirtualNetwork", "n", {"tags": {"was": "0.0.0.0/0"}}),
    ],
)
def test_a_label_lets_nobody_in(named: Resource) -> None:
    """Whatever it says: it is a word of the user's own."""
    assert "open-access" not in broken([named], profile="dev")


def test_a_label_hides_no_open_door() -> None:
    """What else the resource says is looked at as ever."""
    door = {"tags": {"network": "10.0.0.0/8"}, "ingress": [{"cidrBlocks": ["0.0.0.0/0"], "tags": {"a": "b"}}]}

    assert broken([Resource("aws:ec2/securityGroup:SecurityGroup", "d", door)], profile="dev") == {"open-access"}


@pytest.mark.parametrize(
    "unforced",
    [
        Resource("aws:rds/parameterGroup:ParameterGroup", "p", {"parameters": []}),
        Resource(
            "aws:rds/parameterGroup:ParameterGroup", "p", {"parameters": [{"name": "rds.force_ssl", "value": "0"}]}
        ),
        Resource(
            "azure-native:dbforpostgresql:Configuration",
            "p",
            {"configurationName": "require_secure_transport", "value": "OFF"},
        ),
    ],
)
def test_connections_without_tls_are_let_in_nowhere(unforced: Resource) -> None:
    """In no profile."""
    assert broken([unforced], profile="dev") == {"tls"}


@pytest.mark.parametrize(
    "grant",
    [
        Resource(
            "gcp:secretmanager/secretIamMember:SecretIamMember",
            "g",
            {"role": "roles/secretmanager.secretAccessor", "member": "allUsers"},
        ),
        Resource(
            "gcp:secretmanager/secretIamMember:SecretIamMember",
            "g",
            {"role": "roles/secretmanager.admin", "member": "user:a@example.com"},
        ),
        Resource("gcp:projects/iAMMember:IAMMember", "g", {"role": "roles/editor", "member": "user:a@example.com"}),
        Resource(
            "aws:secretsmanager/secretPolicy:SecretPolicy",
            "g",
            {"policy": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "x:Get"}]}'},
        ),
        Resource(
            "aws:iam/rolePolicy:RolePolicy",
            "g",
            {"policy": '{"Statement": {"Effect": "Allow", "Action": ["secretsmanager:*"], "Resource": "x"}}'},
        ),
        Resource(
            "azure-native:authorization:RoleAssignment",
            "g",
            {
                "roleDefinitionId": "/providers/x/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6",
                "scope": "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/v",
            },
        ),
    ],
)
def test_a_grant_that_is_wider_than_one_secret_is_refused_everywhere(grant: Resource) -> None:
    """Whoever reads the app's secret reads that one."""
    assert broken([grant], profile="dev") == {"least-privilege"}


def test_a_line_names_the_setting_and_what_to_write() -> None:
    """Like every other refusal: file, key, what was expected, and an example, with the waiver as the other way."""
    (found,) = policy.violations(watched(AWS, server(AWS, multiAz=False)), Posture())

    assert found.line("session-database", "prod") == (
        "Pulumi.prod.yaml: session-database:aws.high_availability: expected a standby that takes over for "
        "adk-sessions-g1 (high-availability, a floor of profile prod). For example: session-database:aws: "
        "{high_availability: true}, or session-database:waivers: {high-availability: <the reason>}"
    )


def test_a_waiver_that_nothing_needs_is_known() -> None:
    """A stale one would let the next mistake through."""
    posture = Posture(waivers={"high-availability": "for a reason", "pitr": "for a reason"})

    assert policy.idle_waivers(watched(AWS, server(AWS, multiAz=False)), posture) == ["pitr"]


def test_the_names_of_rules_are_unique() -> None:
    """A waiver names one."""
    names = [rule.name for rule in policy.RULES]

    assert sorted(set(names)) == sorted(names)


def test_every_rule_says_what_mends_it_in_each_cloud_that_can_break_it() -> None:
    """Or there would be a violation without a way out."""
    for rule in policy.RULES:
        kinds = {CLOUDS[kind.partition(":")[0]] for kind in rule.each if kind != "*"}
        everywhere = rule.stack is not None or "*" in rule.each

        assert rule.fixes.keys() == (set(CLOUDS.values()) if everywhere else kinds), rule.name


FIXES = [(rule.name, cloud, fix) for rule in policy.RULES for cloud, fix in rule.fixes.items()]


@pytest.mark.parametrize(("name", "cloud", "fix"), FIXES)
def test_what_a_line_teaches_is_itself_accepted(name: str, cloud: str, fix: Fix) -> None:  # noqa: ARG001  # For the id.
    """A message that teaches something wrong is worse than none."""
    section = yaml.safe_load(fix.yaml)
    key, *_inner = fix.key.split(".")

    assert key in section
    assert settings.load({"p:backend": cloud, f"p:{cloud}": json.dumps(section)}, project="p", stack="prod").managed
