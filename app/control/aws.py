"""Amazon RDS by boto3."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

import boto3  # type: ignore[import-untyped]  # It ships without types.
from botocore.config import Config  # type: ignore[import-untyped]  # As above.
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # As above.

from app.control import takeover, waiting
from app.control.interface import Backup, Server, beside, newest_first, require_made_here, server
from app.control.leftover import made_or_discarded
from app.control.takeover import Takeover
from app.errors import CloudRefusedError
from app.stack import Record

_LONGEST_NAME: Final = 63

_ABSENT: Final = "DBInstanceNotFound"

_SERVES: Final = ("available", "storage-optimization")
"""RDS User Guide, "Viewing Amazon RDS DB instance status": in both it can be used and modified."""

_FAILED: Final = (
    *("failed", "inaccessible-encryption-credentials", "insufficient-capacity", "restore-error"),
    *("incompatible-network", "incompatible-option-group", "incompatible-parameters", "incompatible-restore"),
)
"""The same: somebody has to do something about it."""


class AwsControl:
    """RDS in one region.

    Args:
        rds: boto3's client.
        poll: How long to wait between two looks, in seconds.
    """

    def __init__(self, rds: Any, poll: float) -> None:
        """Nothing is asked yet."""
        self._rds = rds
        self.poll = poll

    @classmethod
    def of(cls, record: Record) -> Self:
        """The region of a stack, by the credentials that boto3 finds; a rehearsal's takes any.

        Args:
            record: The stack's.
        """
        region = record.text("region")
        if record.control_plane is None:
            with _asking():
                return cls(boto3.client("rds", region_name=region), poll=5)
        rehearsed = boto3.client(
            "rds",
            region_name=region,
            endpoint_url=f"{record.control_plane}/aws",
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",  # noqa: S106  # Nobody's.
            config=Config(proxies={}),  # A proxy cannot reach our loopback.
        )
        return cls(rehearsed, poll=0.2)

    def find(self, instance: str) -> Server | None:
        """See `Control`."""
        try:
            with _asking():
                return _server(self._described(instance))
        except _AbsentError:
            return None

    def backups(self, instance: str) -> list[Backup]:
        """See `Control`."""
        with _asking():
            pages = self._rds.get_paginator("describe_db_snapshots").paginate(DBInstanceIdentifier=instance)
            found = [each for page in pages for each in page["DBSnapshots"]]
        return newest_first(
            Backup(each["DBSnapshotIdentifier"], each.get("SnapshotCreateTime"), each["Status"]) for each in found
        )

    def failover(self, instance: str) -> None:
        """See `Control`; RDS tells by its zone and its events."""
        with _asking():
            awaited = Takeover.of(self._rds, server(self, instance))
            self._rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)

        def look() -> tuple[str, Server | None]:
            with _asking():
                return awaited.seen(server(self, instance))

        waiting.until(look, self.poll, takeover.BOUND, f"the standby of {instance} to take over")

    def restore(self, source: str, time: dt.datetime) -> Server:
        """See `Control`."""
        name = beside(source, _LONGEST_NAME)
        with made_or_discarded(self, name), _asking():
            known = self._described(source)
            answer = self._rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=source,
                TargetDBInstanceIdentifier=name,
                RestoreTime=time,
                MultiAZ=False,
                DeletionProtection=False,
                **_surroundings(known),
            )
        return _server(answer["DBInstance"])

    def discard(self, instance: str) -> None:
        """See `Control`."""
        require_made_here(instance)
        with _asking():
            self._rds.delete_db_instance(
                DBInstanceIdentifier=instance, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
            )

    def close(self) -> None:
        """See `Control`."""
        self._rds.close()

    def _described(self, instance: str) -> dict[str, Any]:
        (found,) = self._rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"]
        return dict(found)


class _AbsentError(CloudRefusedError):
    """There is no such instance; it leaves this module as what it derives from."""


def _server(found: Mapping[str, Any]) -> Server:
    endpoint = found.get("Endpoint") or {}
    return Server(
        instance=found["DBInstanceIdentifier"],
        host=endpoint.get("Address", ""),
        port=int(endpoint.get("Port", 5432)),
        status=found["DBInstanceStatus"],
        available=found["DBInstanceStatus"] in _SERVES,
        zone=found.get("AvailabilityZone"),
        standby=bool(found.get("MultiAZ")),
        latest_restorable=found.get("LatestRestorableTime"),
        adopt=found["DBInstanceIdentifier"],
        failed=found["DBInstanceStatus"] in _FAILED,
    )


def _surroundings(known: Mapping[str, Any]) -> dict[str, Any]:
    """What a restore does not take over from its source, and would take from the account's default VPC.

    Source: Amazon RDS API Reference, RestoreDBInstanceToPointInTime.
    """
    around = {
        "DBSubnetGroupName": (known.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "DBParameterGroupName": next(
            (each["DBParameterGroupName"] for each in known.get("DBParameterGroups") or []), None
        ),
        "VpcSecurityGroupIds": [each["VpcSecurityGroupId"] for each in known.get("VpcSecurityGroups") or []],
        "PubliclyAccessible": known.get("PubliclyAccessible"),
        "EnableIAMDatabaseAuthentication": known.get("IAMDatabaseAuthenticationEnabled"),
    }
    return {name: value for name, value in around.items() if value not in (None, [])}


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        message = f"expected Amazon RDS to do what was asked, but it answers {told.get('Code')}: {told.get('Message')}"
        kind = _AbsentError if str(told.get("Code")).startswith(_ABSENT) else CloudRefusedError
        raise kind(message) from None
    except BotoCoreError as error:
        message = f"expected an answer of Amazon RDS, but: {error}. To log in: aws sso login, or set AWS_PROFILE"
        raise CloudRefusedError(message) from None
