"""What Azure Database for PostgreSQL calls its servers, and what it refuses.

Source of codes and words: Azure Resource Manager, "Common errors"; Azure/azure-rest-api-specs, postgresql 2025-08-01.
"""

import datetime as dt
import uuid
from typing import Final

from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerRequest
from rehearsal.controlplane.vendors.rules import Place, Rules, digits
from rehearsal.errors import CloudRefusalError

TYPE: Final = "Microsoft.DBforPostgreSQL/flexibleServers"

_DOMAIN: Final = "postgres.database.azure.com"
_PRIVATE_LINK: Final = f"privatelink.{_DOMAIN}"


class FlexibleServerRules(Rules):
    """Azure Database for PostgreSQL flexible server."""

    cloud = "azure"
    region = "germanywestcentral"
    waits = False
    adopts_databases = True

    def place(self, request: ServerRequest, number: int) -> Place:
        """A host name in the server's private DNS zone, or in the public one."""
        zone = request.zone or "1"
        zone_id = (request.attributes.get("network") or {}).get("privateDnsZoneArmResourceId")
        domain = zone_id.rpartition("/")[2] if isinstance(zone_id, str) else _DOMAIN
        host = f"{request.name}.{_DOMAIN if domain.endswith(_PRIVATE_LINK) else domain}"
        other = request.standby_zone or next(each for each in "123" if each != zone)
        resource = str(uuid.UUID(digits(request.name, str(number), length=32)))
        return Place(resource, request.hosts or [host], request.addresses, zone, other)

    def is_protected(self, record: ServerRecord) -> bool:
        """A server has no protection of its own; locks are things that need it."""
        del record
        return False

    def busy(self, name: str) -> CloudRefusalError:
        """One operation at a time on a server."""
        message = f"Cannot complete operation while server '{name}' is busy processing another operation. Try later."
        return CloudRefusalError("ServerIsBusy", message, 409)

    def taken(self, name: str) -> CloudRefusalError:
        """A name is one in the world."""
        return CloudRefusalError("ServerNameAlreadyExists", f"Specified server name is already used: {name}.", 409)

    def reserved(self, name: str) -> CloudRefusalError:
        """Azure reserves no names of servers."""
        return self.taken(name)

    def missing(self, name: str) -> CloudRefusalError:
        """Azure Resource Manager's own answer."""
        message = (
            f"The Resource '{TYPE}/{name}' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        )
        return CloudRefusalError("ResourceNotFound", message, 404)

    def protected(self, name: str) -> CloudRefusalError:
        """Azure Resource Manager's answer to the deletion of what is locked."""
        message = f"The scope '{name}' cannot perform delete operation because it is locked. Please remove the lock."
        return CloudRefusalError("ScopeLocked", message, 409)

    def alone(self, name: str) -> CloudRefusalError:
        """Restart with failover, of a server without high availability."""
        message = f"Failover cannot be performed on server '{name}', which has no high availability."
        return CloudRefusalError("InvalidParameterValue", message)

    def followed(self, name: str) -> CloudRefusalError:
        """Delete, of a server with replicas."""
        message = f"The server '{name}' has read replicas. Delete or promote them first."
        return CloudRefusalError("CannotDeleteServerWithReplicas", message, 409)

    def unrestorable(self, name: str, time: dt.datetime) -> CloudRefusalError:
        """A server of createMode PointInTimeRestore."""
        moment = f"{time:%Y-%m-%dT%H:%M:%S.%fZ}"
        message = f"Invalid value given for parameter pointInTimeUTC: '{name}' cannot be restored to {moment}."
        return CloudRefusalError("InvalidParameterValue", message)

    def backup_taken(self, label: str) -> CloudRefusalError:
        """Create of a backup on demand."""
        return CloudRefusalError("BackupAlreadyExists", f"The backup '{label}' already exists.", 409)
