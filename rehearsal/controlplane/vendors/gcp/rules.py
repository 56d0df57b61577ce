"""What Cloud SQL calls its servers, and what it refuses.

Source of codes and words: Cloud SQL, "Error messages" and "Known issues"; hashicorp/terraform-provider-google.
"""

import datetime as dt

from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerRequest
from rehearsal.controlplane.vendors.rules import Place, Rules, digits
from rehearsal.errors import CloudRefusalError


class CloudSqlRules(Rules):
    """Cloud SQL for PostgreSQL."""

    cloud = "gcp"
    region = "europe-west3"
    reserves_names = True

    def place(self, request: ServerRequest, number: int) -> Place:
        """A DNS name that tells nothing, and a private address."""
        region = request.region or self.region
        zones = [f"{region}-{letter}" for letter in "abc"]
        zone = request.zone or zones[0]
        tail = digits(request.name, str(number), length=12)
        host = f"{tail}.{digits(region, length=14)}.{region}.sql.goog"
        address = f"10.64.{number // 250}.{number % 250 + 2}"
        other = request.standby_zone or next(each for each in zones if each != zone)
        return Place(f"{request.name}-{tail}", request.hosts or [host], request.addresses or [address], zone, other)

    def is_protected(self, record: ServerRecord) -> bool:
        """The cloud's own protection; the provider's is the provider's."""
        return (record.attributes.get("settings") or {}).get("deletionProtectionEnabled") is True

    def busy(self, name: str) -> CloudRefusalError:
        """One operation at a time on an instance."""
        del name
        message = (
            "Operation failed because another operation was already in progress. "
            "Try your request after the current operation is complete."
        )
        return CloudRefusalError("operationInProgress", message, 409)

    def taken(self, name: str) -> CloudRefusalError:
        """A name is one per project."""
        del name
        return CloudRefusalError("instanceAlreadyExists", "The Cloud SQL instance already exists.", 409)

    def reserved(self, name: str) -> CloudRefusalError:
        """A deleted name stays reserved."""
        del name
        message = (
            "The Cloud SQL instance already exists. When you delete an instance, you cannot reuse the name of the "
            "deleted instance until one week from the deletion date."
        )
        return CloudRefusalError("instanceAlreadyExists", message, 409)

    def missing(self, name: str) -> CloudRefusalError:
        """Of every call about an instance."""
        del name
        return CloudRefusalError("instanceDoesNotExist", "The Cloud SQL instance does not exist.", 404)

    def protected(self, name: str) -> CloudRefusalError:
        """instances.delete."""
        del name
        message = (
            "The instance is protected. Please disable the deletion protection and try again. To disable deletion "
            "protection, update the instance settings with deletionProtectionEnabled set to false."
        )
        return CloudRefusalError("invalidRequest", message)

    def alone(self, name: str) -> CloudRefusalError:
        """instances.failover, of an instance that is not REGIONAL."""
        message = f"Failover is not supported for the instance {name}: it is not highly available."
        return CloudRefusalError("invalidOperation", message)

    def followed(self, name: str) -> CloudRefusalError:
        """instances.delete, of an instance with replicas."""
        message = f"Invalid request: the instance {name} has read replicas. Delete them first."
        return CloudRefusalError("invalidOperation", message)

    def unrestorable(self, name: str, time: dt.datetime) -> CloudRefusalError:
        """instances.clone, pointInTime."""
        message = f"Invalid request: the instance {name} cannot be recovered to {time:%Y-%m-%dT%H:%M:%S.%fZ}."
        return CloudRefusalError("invalid", message)

    def backup_taken(self, label: str) -> CloudRefusalError:
        """Backups have numbers, so that this never happens."""
        return CloudRefusalError("invalid", f"The backup {label} already exists.", 409)
