"""Secrets Manager, KMS and IAM."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Resource
from rehearsal.plugin.naming import Autoname
from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.aws.base import NAME, Amazon
from rehearsal.vendors.declared import says, words

_IAM: Final = Autoname(unless="namePrefix", longest=64)
"""CreateRole, RoleName."""

_SECRET: Final = "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{short}"  # noqa: S105  # Its ARN's form.


_TAKEN: Final = {
    "code": "ResourceExistsException",
    "message": "The operation failed because the secret {name} already exists.",
}
_SCHEDULED: Final = {
    "code": "InvalidRequestException",
    "message": "You can't create this secret because a secret with this name is already scheduled for deletion.",
}
"""CreateSecret, Errors."""


class Secret(Amazon):
    """A secret, without its content."""

    token = "aws:secretsmanager/secret:Secret"  # noqa: S105
    autoname = NAME
    replaces = words("name namePrefix")
    operation = "secretsmanager:CreateSecret"
    renames = says(replicas="AddReplicaRegions", forceOverwriteReplicaSecret="ForceOverwriteReplicaSecret")
    elsewhere = words("namePrefix policy recoveryWindowInDays")
    form = _SECRET
    fills = says(forceOverwriteReplicaSecret=False, recoveryWindowInDays=30)
    answers = says(arn=_SECRET, policy="", replicas=[])

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateSecret, Name; DeleteSecret, RecoveryWindowInDays."""
        del call
        name, days = inputs.get("name"), inputs.get("recoveryWindowInDays")
        if isinstance(name, str) and not re.fullmatch(r"[\w/+=.@-]{1,512}", name, re.ASCII):
            yield Refusal("name", f"expected up to 512 letters, digits and /_+=.@-, got {name!r}")
        if isinstance(days, int) and days and not 7 <= days <= 30:  # noqa: PLR2004  # The documented limits.
            yield Refusal("recoveryWindowInDays", f"expected 0, or 7 to 30 days, got {days}")
        yield from document("policy", inputs.get("policy"))

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """CreateSecret: a name is one's own, and stays so while the secret could still be restored."""
        behind.ask("names.take", scope=self.token, name=this.inputs["name"], taken=_TAKEN, reserved=_SCHEDULED)
        return super().begin(behind, this, half=half)

    def end(self, behind: Plane, this: Resource) -> None:
        """DeleteSecret, RecoveryWindowInDays."""
        super().end(behind, this)
        kept = this.outputs.get("recoveryWindowInDays") != 0
        behind.ask("names.release", scope=self.token, name=this.outputs["name"], reserved=kept)


class SecretVersion(Amazon):
    """The content of a secret."""

    token = "aws:secretsmanager/secretVersion:SecretVersion"  # noqa: S105
    secrets = words("secretString secretBinary secretStringWo")
    replaces = words("secretId secretBinary secretString")
    operation = "secretsmanager:PutSecretValue"
    elsewhere = words("secretStringWo secretStringWoVersion secretBinary")
    form = "{secretId}|terraform-{uuid}"
    answers = says(arn="{secretId}", versionId="terraform-{uuid}", versionStages=["AWSCURRENT"])

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """One content."""
        del call
        contents = words("secretString secretBinary secretStringWo")
        if len([key for key in contents if inputs.get(key) is not None]) != 1:
            yield Refusal("secretString", f"expected exactly one of {', '.join(sorted(contents))}")


class SecretPolicy(Amazon):
    """Who may use a secret."""

    token = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105
    replaces = words("secretArn")
    operation = "secretsmanager:PutResourcePolicy"
    renames = says(secretArn="SecretId", policy="ResourcePolicy")
    form = "{secretArn}"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """PutResourcePolicy, ResourcePolicy."""
        del call
        yield from document("policy", inputs.get("policy"))


class SecretRotation(Amazon):
    """Rotation by a function, or by RDS itself."""

    token = "aws:secretsmanager/secretRotation:SecretRotation"  # noqa: S105
    replaces = words("secretId")
    form = "{secretId}"
    answers = says(rotationEnabled=True)


class Key(Amazon):
    """A key."""

    token = "aws:kms/key:Key"  # noqa: S105
    replaces = words("customKeyStoreId customerMasterKeySpec keyUsage multiRegion xksKeyId")
    form = "{uuid}"
    fills = says(
        customerMasterKeySpec="SYMMETRIC_DEFAULT",
        isEnabled=True,
        keyUsage="ENCRYPT_DECRYPT",
        description="Managed by Pulumi",
    )
    answers = says(
        arn="arn:aws:kms:{region}:{account}:key/{uuid}",
        keyId="{uuid}",
        multiRegion=False,
        enableKeyRotation=False,
        policy="",
    )

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """ScheduleKeyDeletion, PendingWindowInDays; EnableKeyRotation, RotationPeriodInDays."""
        del call
        for key, least, most in (("deletionWindowInDays", 7, 30), ("rotationPeriodInDays", 90, 2560)):
            days = inputs.get(key)
            if isinstance(days, int) and not least <= days <= most:
                yield Refusal(key, f"expected {least} to {most} days, got {days}")
        yield from document("policy", inputs.get("policy"))


class Alias(Amazon):
    """A key's name."""

    token = "aws:kms/alias:Alias"  # noqa: S105
    autoname = Autoname(unless="namePrefix", form="alias/{}".format)
    replaces = words("name namePrefix")
    form = "{name}"
    answers = says(arn="arn:aws:kms:{region}:{account}:{name}", targetKeyArn="{targetKeyId}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateAlias, AliasName."""
        del call
        name = inputs.get("name")
        if isinstance(name, str) and (not re.fullmatch(r"alias/[\w/-]{1,250}", name) or name.startswith("alias/aws/")):
            yield Refusal("name", f"expected alias/ and a name, not alias/aws/…, got {name!r}")


class Role(Amazon):
    """Something to act as."""

    token = "aws:iam/role:Role"  # noqa: S105
    autoname = _IAM
    replaces = words("name namePrefix path")
    operation = "iam:CreateRole"
    renames = says(name="RoleName", assumeRolePolicy="AssumeRolePolicyDocument")
    elsewhere = words("namePrefix forceDetachPolicies inlinePolicies managedPolicyArns")
    form = "{name}"
    fills = says(forceDetachPolicies=False, maxSessionDuration=3600, path="/")
    answers = says(
        arn="arn:aws:iam::{account}:role{path}{name}", uniqueId="AROA{digits}", createDate="2026-09-01T03:00:00Z"
    )

    def request(self, inputs: dict[str, Any]) -> Inputs:
        """The policy may come as an object, which the provider writes out."""
        policy = inputs.get("assumeRolePolicy")
        written = json.dumps(policy) if isinstance(policy, dict) else policy
        return super().request({**inputs, "assumeRolePolicy": written})

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateRole, AssumeRolePolicyDocument."""
        del call
        yield from document("assumeRolePolicy", inputs.get("assumeRolePolicy"))


class Policy(Amazon):
    """What may be done, for several roles."""

    token = "aws:iam/policy:Policy"  # noqa: S105
    autoname = Autoname(unless="namePrefix", longest=128)
    replaces = words("description name namePrefix path")
    form = "arn:aws:iam::{account}:policy/{name}"
    fills = says(path="/")
    answers = says(arn=form, policyId="ANPA{digits}", attachmentCount=0)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreatePolicy, PolicyDocument."""
        del call
        yield from document("policy", inputs.get("policy"))


class RolePolicy(Policy):
    """What one role may do."""

    token = "aws:iam/rolePolicy:RolePolicy"  # noqa: S105
    replaces = words("role name namePrefix")
    form = "{role}:{name}"
    fills = says()
    answers = says()


class RolePolicyAttachment(Amazon):
    """A policy, given to a role."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"  # noqa: S105
    replaces = words("policyArn role")
    form = "{role}-{hex}"

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """DeleteRole and DeletePolicy, DeleteConflict."""
        words = "Cannot delete entity, must detach all policies first."
        attached = "Cannot delete a policy attached to entities."
        return behind.known(
            need(this.inputs.get("role"), words, "DeleteConflict"),
            need(this.inputs.get("policyArn"), attached, "DeleteConflict"),
        )


def document(path: str, value: object) -> Iterator[Refusal]:
    """What is wrong with a policy document (IAM User Guide, "IAM JSON policy element reference")."""
    if not isinstance(value, str | dict) or not value:
        return
    try:
        policy = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        yield Refusal(path, f"contains an invalid JSON policy: {error}")
        return
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        yield Refusal(path, "expected a policy with a Statement")
        return
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny") or not {"Action", "NotAction"} & statement.keys():
            yield Refusal(path, "expected statements with Effect Allow or Deny and an Action")
