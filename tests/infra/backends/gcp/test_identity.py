"""Passwords, secrets, keys, and roles that need none of them on Cloud SQL."""

from typing import Any

BARE: dict[str, Any] = {"project": "example-project"}

USER = "gcp:sql/user:User"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
READER = "gcp:secretmanager/secretIamMember:SecretIamMember"

KEY = "projects/example-project/locations/us-central1/keyRings/sessions/cryptoKeys/database"

IAM: dict[str, Any] = {
    **BARE,
    "auth": "iam",
    "iam": {"owner": "user:someone@example.com", "app": "serviceAccount:api@example-project.iam.gserviceaccount.com"},
}


def plain(value: Any) -> Any:
    """A secret's content, which crosses the wire in an envelope; a plain string there is a failure."""
    assert isinstance(value, dict), "not marked as secret"
    return value["value"]


def test_passwords_and_the_uri_are_in_secret_manager(provision: Any) -> None:
    """Each in a secret of its own, since each has other readers."""
    recorded = provision(backend="gcp", gcp=BARE)

    kept = {each.name: plain(each.inputs["secretData"]) for each in recorded.of(VERSION)}
    assert kept == {
        "adk-db-password-owner": "change-me-adk-sessions-owner",
        "adk-db-password-app": "change-me-adk-sessions-app-1",
        "adk-sessions-uri": recorded.outputs["session_db_uri"],
    }
    assert recorded.outputs["secret_ref"] == "projects/example-project/secrets/adk-sessions-uri-1f0c2ab/versions/latest"


def test_readers_may_read_what_the_app_needs(provision: Any) -> None:
    """The owner's password is for whoever bootstraps."""
    reader = "serviceAccount:api@example-project.iam.gserviceaccount.com"
    recorded = provision(backend="gcp", gcp={**BARE, "secret_readers": [reader]})

    granted = {(each.inputs["secretId"], each.inputs["member"], each.inputs["role"]) for each in recorded.of(READER)}
    accessor = "roles/secretmanager.secretAccessor"
    assert granted == {
        ("adk-db-password-app-1f0c2ab", reader, accessor),
        ("adk-sessions-uri-1f0c2ab", reader, accessor),
    }


def test_nobody_reads_secrets_by_default(provision: Any) -> None:
    """Not even the identity that made them is added."""
    assert provision(backend="gcp", gcp=BARE).of(READER) == []


def test_secrets_are_protected_like_the_servers(provision: Any) -> None:
    """A lost one is a lost way in."""
    protected = provision(backend="gcp", gcp=BARE).of(SECRET)
    free = provision(backend="gcp", gcp={**BARE, "deletion_protection": False}).of(SECRET)

    assert all(each.inputs["deletionProtection"] for each in protected)
    assert not any(each.inputs["deletionProtection"] for each in free)


def test_secrets_stay_in_their_regions(provision: Any) -> None:
    """By default Google chooses; some may not leave a country."""
    everywhere = provision(backend="gcp", gcp=BARE).of(SECRET)
    here = provision(backend="gcp", gcp={**BARE, "secret_regions": ["europe-west1", "europe-west3"]}).of(SECRET)

    assert all(each.inputs["replication"] == {"auto": {}} for each in everywhere)
    replicas = [{"location": "europe-west1"}, {"location": "europe-west3"}]
    assert all(each.inputs["replication"] == {"userManaged": {"replicas": replicas}} for each in here)


def test_a_rotation_moves_the_uri_to_the_other_role(provision: Any) -> None:
    """One edit; the role in use so far keeps its password."""
    before = provision(backend="gcp", gcp=BARE).outputs
    after = provision(backend="gcp", gcp={**BARE, "rotation": 1}).outputs

    assert before["user"] == "adk_user"
    assert after["user"] == "adk_user_2"
    assert "//adk_user_2:change-me-adk-sessions-app-2@" in after["session_db_uri"]


def test_with_tokens_there_is_no_password_anywhere(provision: Any) -> None:
    """None is generated, none is set, none is kept, and none is in a URI."""
    recorded = provision(backend="gcp", gcp=IAM)

    assert recorded.of("random:index/randomPassword:RandomPassword") == []
    assert recorded.of(SECRET) == recorded.of(VERSION) == []
    assert not any(key in each.inputs for each in recorded.resources for key in ("password", "rootPassword"))
    assert recorded.outputs["session_db_uri"].startswith("postgresql+psycopg://api%40example-project.iam@")
    assert recorded.outputs["admin_db_uri"].startswith("postgresql+psycopg://someone%40example.com@")
    assert recorded.outputs["secret_ref"] == ""
    assert recorded.outputs["auth"] == "iam"


def test_with_tokens_roles_have_the_type_of_their_identity(provision: Any) -> None:
    """A wrong type is an identity that never gets in."""
    recorded = provision(backend="gcp", gcp=IAM)

    assert recorded.named(USER, "adk-sessions-g1-owner").inputs["type"] == "CLOUD_IAM_USER"
    assert recorded.named(USER, "adk-sessions-g1-app").inputs["type"] == "CLOUD_IAM_SERVICE_ACCOUNT"
    assert {"name": "cloudsql.iam_authentication", "value": "on"} in recorded.one(INSTANCE).inputs["settings"][
        "databaseFlags"
    ]


def test_with_tokens_both_identities_may_connect_and_log_in(provision: Any) -> None:
    """The role on the server alone is not enough."""
    granted = {
        (each.inputs["member"], each.inputs["role"], each.inputs["project"])
        for each in provision(backend="gcp", gcp=IAM).of("gcp:projects/iAMMember:IAMMember")
    }

    assert granted == {
        (member, f"roles/cloudsql.{right}", "example-project")
        for member in IAM["iam"].values()
        for right in ("client", "instanceUser")
    }


def test_a_restored_server_brings_its_identities_along(provision: Any) -> None:
    """They are in the data."""
    servers = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    recorded = provision(backend="gcp", gcp={**IAM, "servers": servers})

    assert {each.name for each in recorded.of(USER)} == {"adk-sessions-g1-owner", "adk-sessions-g1-app"}


def test_a_key_of_ones_own_encrypts_servers_and_secrets(provision: Any) -> None:
    """Google's services have to be let use it first."""
    recorded = provision(backend="gcp", gcp={**BARE, "encryption_key": KEY})

    server = recorded.one(INSTANCE)
    assert server.inputs["encryptionKeyName"] == KEY
    replica = {"location": "us-central1", "customerManagedEncryption": {"kmsKeyName": KEY}}
    secrets = recorded.of(SECRET)
    assert all(each.inputs["replication"] == {"userManaged": {"replicas": [replica]}} for each in secrets)

    granted = recorded.of("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert {(each.inputs["member"], each.inputs["cryptoKeyId"]) for each in granted} == {
        ("serviceAccount:sqladmin.googleapis.com", KEY),
        ("serviceAccount:secretmanager.googleapis.com", KEY),
    }
    for each in (server, *secrets):
        assert any("CryptoKeyIAMMember::adk-sessions-key-of" in urn for urn in each.dependencies)


def test_a_replica_elsewhere_has_a_key_of_its_region(provision: Any) -> None:
    """A regional key encrypts nothing in another region."""
    there = KEY.replace("us-central1", "us-east1")
    keys = {**BARE, "encryption_key": KEY, "replica_region": "us-east1", "replica_encryption_key": there}
    recorded = provision(backend="gcp", gcp={**keys, "read_replicas": 1})

    assert recorded.named(INSTANCE, "adk-sessions-g1-replica-1").inputs["encryptionKeyName"] == KEY
    assert recorded.named(INSTANCE, "adk-sessions-g1-replica-us-east1").inputs["encryptionKeyName"] == there
    assert len(recorded.of("gcp:projects/serviceIdentity:ServiceIdentity")) == 2, "one for each service"


def test_labels_are_on_everything_that_takes_them(provision: Any) -> None:
    """Bills are read by them."""
    labels = {"team": "agents"}
    recorded = provision(backend="gcp", gcp={**BARE, "labels": labels})

    assert recorded.one(INSTANCE).inputs["settings"]["userLabels"] == labels
    assert all(each.inputs["labels"] == labels for each in recorded.of(SECRET))
    assert recorded.one("gcp:compute/globalAddress:GlobalAddress").inputs["labels"] == labels
    assert all(each.inputs["userLabels"] == labels for each in recorded.of("gcp:monitoring/alertPolicy:AlertPolicy"))
