"""Who may log in and who may read a secret: least privilege, and nothing secret in clear."""

import json
from collections.abc import Callable
from typing import Any

import pytest

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
INSTANCE = "aws:rds/instance:Instance"
READER = "arn:aws:iam::123456789012:role/adk-api"
OWNER = "arn:aws:iam::123456789012:role/teams/operators"

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""What the engine puts beside a secret value (pulumi, `rpc._special_sig_key`)."""

Record = Callable[..., Any]


@pytest.fixture
def record(provision: Any) -> Record:
    """Records a stack with these keys of the section."""
    return lambda **keys: provision(backend="aws", aws=keys)


def test_deleted_secrets_do_not_block_their_names(record: Record) -> None:
    """A deleted secret keeps its name while it can be recovered, so the engine adds a random end to each."""
    secrets = {each.name: each.inputs for each in record().of(SECRET)}

    assert secrets.keys() == {"adk-db-password-owner", "adk-db-password-app", "adk-sessions-uri"}
    assert all("name" not in each and each["recoveryWindowInDays"] == 30 for each in secrets.values())


def test_every_secret_value_is_marked(record: Record) -> None:
    """As an input, and as what the provider says of it."""
    made = record()
    values = [each.inputs["secretString"] for each in made.of(VERSION)] + [made.one(INSTANCE).inputs["password"]]

    assert len(values) == 4
    assert all(isinstance(each, dict) and _SIGNATURE in each for each in values)
    assert all("secretString" in each.secret_outputs for each in made.of(VERSION))


def test_no_password_is_in_the_clear_anywhere(record: Record) -> None:
    """Nor in the record's public parts, the runbook's commands among them."""
    made = record(secret_readers=[READER])
    clear = [strip(each.inputs) for each in made.resources]
    shown = {key: value for key, value in made.outputs.items() if key not in made.secret}

    assert "change-me" not in str(clear)
    assert "change-me" not in str(shown)
    assert made.secret == {"session_db_uri", "admin_db_uri"}


def test_readers_may_read_the_apps_secrets_alone(record: Record) -> None:
    """And no policy is public."""
    made = record(secret_readers=[READER])
    policies = {each.name: each.inputs for each in made.of(POLICY)}

    assert policies.keys() == {"adk-db-password-app", "adk-sessions-uri"}
    for policy in policies.values():
        (statement,) = json.loads(policy["policy"])["Statement"]
        assert statement["Principal"] == {"AWS": [READER]}
        assert statement["Action"] == ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        assert policy["blockPublicPolicy"] is True


def test_without_readers_no_policy_is_attached(record: Record) -> None:
    """The account's own rules hold then."""
    assert not record().of(POLICY)


def test_a_rotation_moves_the_app_to_its_other_role(record: Record) -> None:
    """The secret's value changes, the secret does not, and the role that processes still use keeps its password."""
    before, after = record(), record(rotation=1)

    assert before.outputs["user"] == "adk_user"
    assert after.outputs["user"] == "adk_user_2"
    assert "adk_user_2:change-me-adk-sessions-app-2@" in after.outputs["session_db_uri"]
    assert keepers(before)["adk-sessions-app-1"] == keepers(after)["adk-sessions-app-1"]
    assert {each.name: each.inputs for each in before.of(SECRET)} == {
        each.name: each.inputs for each in after.of(SECRET)
    }


def test_with_iam_there_is_no_password_anywhere(record: Record) -> None:
    """Not in the state, not in a secret, not in a URI; RDS keeps the owner's for emergencies."""
    made = record(auth="iam", iam={"app": READER, "owner": OWNER})
    instance = made.one(INSTANCE).inputs

    assert instance["iamDatabaseAuthenticationEnabled"] is True
    assert instance["manageMasterUserPassword"] is True
    assert "password" not in instance
    assert not made.of("random:index/randomPassword:RandomPassword")
    assert not made.of(SECRET)
    assert made.outputs["session_db_uri"].startswith("postgresql+psycopg://adk_user@")
    assert made.outputs["admin_db_uri"].startswith("postgresql+psycopg://adk_owner@")
    assert (made.outputs["auth"], made.outputs["secret_ref"]) == ("iam", "")


def test_iam_lets_each_role_log_in_as_one_user_of_these_servers(record: Record) -> None:
    """By the resource id: an identifier may be another server's tomorrow."""
    made = record(auth="iam", iam={"app": READER, "owner": OWNER}, read_replicas=1)
    policies = {each.name: json.loads(each.inputs["policy"])["Statement"] for each in made.of("aws:iam/policy:Policy")}

    start = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ADK-SESSIONS-G1"
    assert policies == {
        f"adk-sessions-{who}": [
            {
                "Effect": "Allow",
                "Action": "rds-db:connect",
                "Resource": [f"{start}/adk_{user}", f"{start}-R1/adk_{user}"],
            }
        ]
        for who, user in (("owner", "owner"), ("app", "user"))
    }
    attached = {
        each.name: each.inputs["role"]
        for each in made.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if each.name != "adk-sessions-monitoring"
    }
    assert attached == {"adk-sessions-app": "adk-api", "adk-sessions-owner": "operators"}


def test_without_a_role_the_policies_are_made_and_attached_by_hand(record: Record) -> None:
    """Its ARN is in the state for whoever does."""
    made = record(auth="iam")

    assert len(made.of("aws:iam/policy:Policy")) == 2
    assert [each.name for each in made.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")] == [
        "adk-sessions-monitoring"
    ]


def test_only_the_stated_account_is_touched(record: Record) -> None:
    """The wrong credentials change nothing."""
    providers = record(account="123456789012").of("pulumi:providers:aws")

    assert [json.loads(each.inputs["allowedAccountIds"]) for each in providers] == [["123456789012"]]


def test_labels_are_tags_of_everything(record: Record) -> None:
    """Through the provider, so that nothing is forgotten."""
    (provider,) = record(labels={"team": "agents"}).of("pulumi:providers:aws")

    assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"managed-by": "session-database", "team": "agents"}}


def strip(inputs: Any) -> Any:
    """Inputs without what is marked secret."""
    if isinstance(inputs, dict):
        return {} if _SIGNATURE in inputs else {key: strip(value) for key, value in inputs.items()}
    return [strip(each) for each in inputs] if isinstance(inputs, list) else inputs


def keepers(recording: Any) -> dict[str, Any]:
    """What each password is kept by."""
    made = recording.of("random:index/randomPassword:RandomPassword")
    return {each.name: each.inputs["keepers"] for each in made}
