"""The three clouds as one: the same stack file, what each of them computes, and the few words by which they differ."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

Inputs = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What a conformance test has to know of a cloud.

    Attributes:
        name: Its section of the stack file.
        server: The type of its servers.
        secret: The type of an entry in its store of secrets.
        keys: What its section needs besides the defaults of production.
        iam: What `auth: iam` needs besides.
        adopt: An id of an existing server.
        far: Another region.
        passwords: What generated passwords are, where a test says so.
    """

    name: str
    server: str
    secret: str
    keys: Inputs = field(default_factory=dict)
    iam: Inputs = field(default_factory=dict)
    adopt: str
    far: str
    passwords: Inputs = field(default_factory=dict)

    def section(self, **changes: Any) -> Inputs:
        """Its section in production, with somebody to tell of trouble, and these changes."""
        return {self.name: {**self.keys, "alerts": {"emails": ["oncall@example.com"]}, **changes}}


CLOUDS = (
    Cloud(
        name="gcp",
        server="gcp:sql/databaseInstance:DatabaseInstance",
        secret="gcp:secretmanager/secret:Secret",
        keys={"project": "example-project"},
        iam={
            "owner": "serviceAccount:bootstrap@example-project.iam.gserviceaccount.com",
            "app": "serviceAccount:api@example-project.iam.gserviceaccount.com",
        },
        adopt="projects/example-project/instances/sessions",
        far="us-east1",
    ),
    Cloud(
        name="aws",
        server="aws:rds/instance:Instance",
        secret="aws:secretsmanager/secret:Secret",
        adopt="sessions",
        far="eu-central-1",
    ),
    Cloud(
        name="azure",
        server="azure-native:dbforpostgresql:Server",
        secret="azure-native:keyvault:Secret",
        adopt="/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/old/providers"
        "/Microsoft.DBforPostgreSQL/flexibleServers/sessions",
        far="germanywestcentral",
    ),
)


@pytest.fixture(params=CLOUDS, ids=lambda cloud: cloud.name)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each of the three."""
    each: Cloud = request.param
    return each


@pytest.fixture
def computed(cloud: Cloud) -> Any:
    """What any of the clouds computes, as far as the record is made of it."""

    def compute(kind: str, name: str, inputs: Inputs) -> Inputs:
        said = cloud.passwords if kind == "random:index/randomPassword:RandomPassword" else {}
        return {**_named(kind, name, inputs), **_OUTPUTS.get(kind, _nothing)(name, inputs), **said}

    return compute


_recorded: dict[str, Any] = {}
"""Recordings by the keys they were made from: nobody changes one, and making one takes a second."""


@pytest.fixture
def provision(provision: Any, cloud: Cloud) -> Any:
    """As elsewhere, but the same keys are recorded once."""

    def run(**keys: Any) -> Any:
        key = json.dumps([keys, cloud.passwords], sort_keys=True)
        if key not in _recorded:
            _recorded[key] = provision(**keys)
        return _recorded[key]

    return run


def _nothing(_name: str, _inputs: Inputs) -> Inputs:
    return {}


def _named(kind: str, name: str, inputs: Inputs) -> Inputs:
    """Names and ARNs, which every cloud gives where the program gives none."""
    if kind.startswith("aws:"):
        short = kind.rpartition(":")[2].lower()
        return {"arn": f"arn:aws:{short}:eu-west-1:123456789012:{name}", "name": inputs.get("name") or f"{name}-1a2b"}
    own = next((inputs[key] for key in ("name", "serverName", "secretName", "vaultName") if inputs.get(key)), None)
    return {"name": own or f"{name}-1a2b"} if kind.startswith(("gcp:", "azure-native:")) else {}


def _cloud_sql(name: str, inputs: Inputs) -> Inputs:
    physical = inputs.get("name") or f"{name}-1a2b"
    private = inputs["settings"]["ipConfiguration"].get("privateNetwork")
    dns = {"name": f"{physical}.sql.goog.", "dnsScope": "INSTANCE"}
    return {
        "connectionName": f"example-project:us-central1:{physical}",
        "dnsNames": [{**dns, "connectionType": "PRIVATE_SERVICES_ACCESS" if private else "PUBLIC"}],
        "privateIpAddress": "10.64.0.3",
        "publicIpAddress": "198.51.100.7",
        "serverCaCerts": [{"cert": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"}],
    }


def _rds(_name: str, inputs: Inputs) -> Inputs:
    identifier = inputs["identifier"]
    return {
        "address": f"{identifier}.abc.eu-west-1.rds.amazonaws.com",
        "resourceId": f"db-{identifier.upper()}",
        "engineVersionActual": f"{inputs.get('engineVersion', '17')}.6",
        "masterUserSecrets": [],
    }


def _flexible(name: str, inputs: Inputs) -> Inputs:
    physical = inputs.get("serverName") or f"{name}-1a2b"
    return {"fullyQualifiedDomainName": f"{physical}.postgres.database.azure.com"}


_OUTPUTS: Mapping[str, Any] = {
    "gcp:sql/databaseInstance:DatabaseInstance": _cloud_sql,
    "aws:rds/instance:Instance": _rds,
    "azure-native:dbforpostgresql:Server": _flexible,
    "gcp:secretmanager/secret:Secret": lambda name, _: {"secretId": f"{name}-1a2b"},
    "gcp:projects/serviceIdentity:ServiceIdentity": lambda name, _: {"member": f"serviceAccount:{name}"},
    "azure-native:managedidentity:UserAssignedIdentity": lambda name, _: {
        "principalId": f"object-of-{name}",
        "clientId": f"client-of-{name}",
        "tenantId": "99999999-9999-9999-9999-999999999999",
    },
    "random:index/randomPassword:RandomPassword": lambda name, inputs: {
        "result": f"change-me-{name}-{inputs['keepers']['rotation']}"
    },
    "random:index/randomId:RandomId": lambda _, inputs: {"hex": f"{inputs.get('prefix', '')}0a1b2c3d"},
}
