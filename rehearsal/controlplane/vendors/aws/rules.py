"""What Amazon RDS calls its servers, and what it refuses.

Source of codes and words: Amazon RDS API Reference, "Common Errors" and each action's "Errors".
"""

import datetime as dt
from typing import Final

from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerRequest
from rehearsal.controlplane.vendors.rules import Place, Rules, digits
from rehearsal.errors import CloudRefusalError

ACCOUNT: Final = "123456789012"
"""The account of Amazon's own examples."""


class RdsRules(Rules):
    """Amazon RDS for PostgreSQL."""

    cloud = "aws"
    region = "eu-central-1"

    def place(self, request: ServerRequest, number: int) -> Place:
        """One name per account and region in the middle of every host name."""
        region = request.region or self.region
        zones = [f"{region}{letter}" for letter in "abc"]
        zone = request.zone or zones[0]
        resource = f"db-{digits(request.name, str(number), length=26).upper()}"
        host = f"{request.name}.c{digits(ACCOUNT, region, length=11)}.{region}.rds.amazonaws.com"
        other = request.standby_zone or next(each for each in zones if each != zone)
        return Place(resource, request.hosts or [host], request.addresses, zone, other)

    def is_protected(self, record: ServerRecord) -> bool:
        """Deletion protection."""
        return record.attributes.get("deletionProtection") is True

    def busy(self, name: str) -> CloudRefusalError:
        """Anything but "available" is refused."""
        return CloudRefusalError("InvalidDBInstanceState", f"Instance {name} is not in available state.")

    def taken(self, name: str) -> CloudRefusalError:
        """A name is one per account and region."""
        del name
        return CloudRefusalError("DBInstanceAlreadyExists", "DB instance already exists")

    def reserved(self, name: str) -> CloudRefusalError:
        """RDS reserves no names."""
        return self.taken(name)

    def missing(self, name: str) -> CloudRefusalError:
        """Of every action on an instance."""
        return CloudRefusalError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)

    def protected(self, name: str) -> CloudRefusalError:
        """DeleteDBInstance."""
        del name
        message = "Cannot delete protected DB Instance, please disable deletion protection and try again."
        return CloudRefusalError("InvalidParameterCombination", message)

    def alone(self, name: str) -> CloudRefusalError:
        """RebootDBInstance, ForceFailover."""
        message = f"Cannot force a failover of {name}: the DB instance is not configured for Multi-AZ."
        return CloudRefusalError("InvalidParameterCombination", message)

    def followed(self, name: str) -> CloudRefusalError:
        """RDS deletes a primary with replicas, which are promoted then; no rehearsal needs that."""
        return CloudRefusalError("InvalidDBInstanceState", f"DB instance {name} has read replicas.")

    def unrestorable(self, name: str, time: dt.datetime) -> CloudRefusalError:
        """RestoreDBInstanceToPointInTime, RestoreTime: before the latest restorable time."""
        message = f"The specified instance {name} cannot be restored to {time:%Y-%m-%dT%H:%M:%SZ}."
        return CloudRefusalError("InvalidRestoreFault", message)

    def backup_taken(self, label: str) -> CloudRefusalError:
        """CreateDBSnapshot, and the final one of DeleteDBInstance."""
        message = f"Cannot create the snapshot because a snapshot with the identifier {label} already exists."
        return CloudRefusalError("DBSnapshotAlreadyExists", message)
