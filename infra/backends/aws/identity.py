"""IAM: who may log in with a token, and the role of enhanced monitoring."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.settings.aws import AwsSettings


def partition(region: str) -> str:
    """The partition a region is in, which starts every ARN; read-only.

    >>> partition("eu-west-1"), partition("cn-north-1"), partition("us-gov-west-1")
    ('aws', 'aws-cn', 'aws-us-gov')
    """
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def monitoring_role(name: str, region: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Register the role that RDS writes enhanced monitoring as; its ARN, once it may.

    Args:
        name: The role's name in the stack.
        region: The stack's region.
        opts: The usual resource options.
    """
    role = aws.iam.Role(
        name,
        description="Enhanced monitoring of the session database",
        assume_role_policy=_document(
            {
                "Effect": "Allow",
                "Principal": {"Service": "monitoring.rds.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ),
        opts=opts,
    )
    attached = aws.iam.RolePolicyAttachment(
        name,
        role=role.name,
        policy_arn=f"arn:{partition(region)}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
        opts=opts,
    )
    return pulumi.Output.all(role.arn, attached.policy_arn).apply(lambda known: str(known[0]))


class Identity(pulumi.ComponentResource):
    """Who may log in with a token: one policy for the owner, one for the app, each for its own role alone.

    Args:
        name: The component's name in the stack.
        settings: The section.
        instances: The instances, so that a policy names them and no other database of the account.
        opts: The usual resource options, with the region's provider.
    """

    def __init__(
        self,
        name: str,
        settings: AwsSettings,
        instances: Sequence[aws.rds.Instance],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component, its policies and their attachments."""
        super().__init__("sessiondb:aws:Identity", name, None, opts)
        self._instances = instances
        self.owner = self._policy(f"{name}-owner", settings.owner_user, settings.iam.owner)
        self.app = self._policy(f"{name}-app", settings.app_user, settings.iam.app)
        self.register_outputs({})

    def _policy(self, name: str, user: str, role: str) -> aws.iam.Policy:
        child = pulumi.ResourceOptions(parent=self)
        resources = pulumi.Output.all(*(_logins(each, user) for each in self._instances))
        policy = aws.iam.Policy(
            name,
            description=f"Log in to the session database as {user}",
            policy=resources.apply(
                lambda known: _document({"Effect": "Allow", "Action": "rds-db:connect", "Resource": known})
            ),
            opts=child,
        )
        if role:
            aws.iam.RolePolicyAttachment(name, role=role.rpartition("/")[2], policy_arn=policy.arn, opts=child)
        return policy


def _logins(instance: aws.rds.Instance, user: str) -> pulumi.Output[str]:
    """A database user of one instance, by its resource id: an identifier could be another server's tomorrow."""
    return pulumi.Output.all(instance.arn, instance.resource_id).apply(
        lambda known: login_arn(known[0], known[1], user)
    )


def login_arn(instance_arn: str, resource_id: str, user: str) -> str:
    """The ARN of a database user (Amazon RDS User Guide, "Creating and using an IAM policy for IAM database access").

    >>> login_arn("arn:aws:rds:eu-west-1:123456789012:db:x", "db-ABC", "adk_user")
    'arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABC/adk_user'
    """
    _arn, in_partition, _rds, region, account = instance_arn.split(":")[:5]
    return f"arn:{in_partition}:rds-db:{region}:{account}:dbuser:{resource_id}/{user}"


def _document(statement: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
