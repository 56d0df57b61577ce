"""Secret Manager and Cloud KMS."""

import re
from collections.abc import Iterator
from typing import Any

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.naming import Autoname
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.gcp.base import NAME, Google, text


class Secret(Google):
    """A secret, without its content."""

    token = "gcp:secretmanager/secret:Secret"  # noqa: S105
    # pulumi/pulumi-gcp, provider/secret_manager.go.
    autoname = Autoname(field="secretId")
    replaces = words("project replication secretId tags")
    model = "secretmanager.v1/Secret"
    renames = says(auto="automatic")
    elsewhere = words("deletionPolicy deletionProtection secretId tags")
    form = "projects/{project}/secrets/{secretId}"
    answers = says(name="projects/{digits}/secrets/{secretId}", createTime="2026-09-01T03:00:00.000000Z")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Secret Manager, "Secret", field secretId."""
        del call
        name = text(inputs.get("secretId"))
        if name and not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            yield Refusal("secretId", f"expected up to 255 letters, digits, hyphens and underscores, got {name!r}")
        replication = inputs.get("replication")
        if isinstance(replication, dict) and len([each for each in replication.values() if each is not None]) != 1:
            yield Refusal("replication", "expected exactly one of auto and userManaged")


class SecretVersion(Google):
    """The content of a secret."""

    token = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105
    secrets = frozenset({"secretData", "secretDataWo"})
    replaces = words("secret isSecretDataBase64 project secretData secretDataWoVersion")
    form = "{secret}/versions/1"
    answers = says(name="{secret}/versions/1", version="1", createTime="2026-09-01T03:00:00.000000Z")
    fills = says(deletionPolicy="DELETE", enabled=True)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Either the data or the write-only data."""
        del call
        if (inputs.get("secretData") is None) == (inputs.get("secretDataWo") is None):
            yield Refusal("secretData", "expected exactly one of secretData and secretDataWo")
        if text(inputs.get("deletionPolicy")) not in ("DELETE", "DISABLE", "ABANDON", ""):
            yield Refusal("deletionPolicy", "expected DELETE, DISABLE or ABANDON")


class KeyRing(Google):
    """A place for keys, which can never be deleted."""

    token = "gcp:kms/keyRing:KeyRing"  # noqa: S105
    autoname = NAME
    replaces = words("location name project")
    form = "projects/{project}/locations/{location}/keyRings/{name}"


class CryptoKey(Google):
    """A key."""

    token = "gcp:kms/cryptoKey:CryptoKey"  # noqa: S105
    autoname = NAME
    replaces = words(
        """
        keyRing cryptoKeyBackend destroyScheduledDuration importOnly name purpose
        versionTemplate.protectionLevel
        """
    )
    model = "cloudkms.v1/CryptoKey"
    elsewhere = frozenset({"keyRing", "name", "skipInitialVersionCreation"})
    form = "{keyRing}/cryptoKeys/{name}"


class Member(Google):
    """A role for one identity; the object's type says of what."""

    where = ""

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """IAM, "Policy", Binding.members and Binding.role."""
        del call
        member, role = text(inputs.get("member")), text(inputs.get("role"))
        kinds = "user|serviceAccount|group|domain|principal|principalSet"
        if member and not re.fullmatch(rf"(({kinds}):.+|allUsers|allAuthenticatedUsers)", member):
            yield Refusal(
                "member",
                f"expected for example serviceAccount:api@example-project.iam.gserviceaccount.com, got {member!r}",
            )
        if role and not re.fullmatch(r"(roles|projects/[^/]+/roles|organizations/\d+/roles)/[\w.]+", role):
            yield Refusal("role", f"expected for example roles/cloudsql.client, got {role!r}")

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """What, role and member."""
        of_what = inputs.get(self.where) or outputs.get(self.where) or call.config.get(self.where)
        return f"{of_what}/{inputs['role']}/{inputs['member']}"

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The policy's own tag."""
        return {**super().computed(call, inputs), "etag": f"BwY{call.chance('etag', 8)}="}


class SecretIamMember(Member):
    """A role on a secret."""

    token = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105
    replaces = words("member role condition project secretId")
    where = "secretId"


class CryptoKeyIAMMember(Member):
    """A role on a key."""

    token = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"  # noqa: S105
    replaces = words("member role condition cryptoKeyId")
    where = "cryptoKeyId"


class ProjectIAMMember(Member):
    """A role in a project."""

    token = "gcp:projects/iAMMember:IAMMember"  # noqa: S105
    replaces = words("member role condition project")
    where = "project"
