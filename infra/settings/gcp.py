"""The `gcp` section."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from infra.settings.managed import ManagedSettings
from infra.settings.section import Section
from infra.settings.types import Cidr, Switch, Whole

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)+\d{1,2}\Z")]
"""A region, not a zone, for example `us-central1` (Google Cloud, "Regions and zones")."""

OptionalRegion = Annotated[str, StringConstraints(pattern=r"^([a-z]+(-[a-z]+)+\d{1,2})?\Z")]

BackupLocation = Annotated[str, StringConstraints(pattern=r"^(us|eu|asia|[a-z]+(-[a-z]+)+\d{1,2})?\Z")]
"""A region or one of the three multi-regions that take backups (Cloud SQL, "Backup locations")."""

ProjectId = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{4,28}[a-z0-9])?\Z")]

Tier = Annotated[str, StringConstraints(pattern=r"^db-[A-Za-z0-9-]{2,40}\Z")]

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]

KeyName = Annotated[
    str, StringConstraints(pattern=r"^(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+)?\Z")
]
"""A Cloud KMS key's resource name, without a version, which Cloud SQL picks by itself."""

_KEY = "projects/example-project/locations/us-central1/keyRings/sessions/cryptoKeys/database"


class Storage(Section):
    """The disk, which grows by itself up to a limit."""

    size_gib: Whole = Field(
        default=20, ge=10, le=65536, description="the size of a new disk, 10 to 65536 GiB", examples=[20]
    )
    max_gib: Whole = Field(
        default=200,
        ge=10,
        le=65536,
        description="the size up to which it grows by itself, 10 to 65536 GiB",
        examples=[200],
    )


class Backup(Section):
    """Backups, the moments that can be restored, and what outlives a server."""

    window: TimeOfDay = Field(
        default="03:00", description="when the daily backup starts, HH:MM, UTC", examples=["'03:00'"]
    )
    retention_days: Whole = Field(
        default=30, ge=1, le=365, description="how long a daily backup is kept, 1 to 365 days", examples=[30]
    )
    pitr_days: Whole = Field(
        default=7,
        ge=0,
        le=35,
        description="how far back any moment can be restored, 0 to 35 days; ENTERPRISE goes to 7, and 0 is off",
        examples=[7],
    )
    copy_region: BackupLocation = Field(
        default="",
        description="the region or multi-region (us, eu, asia) that keeps the backups; empty is the nearest one",
        examples=["eu"],
    )
    final: Switch = Field(
        default=True, description="whether a last backup is taken when a server is deleted", examples=[True]
    )
    final_days: Whole = Field(
        default=30, ge=1, le=365, description="how long that last backup is kept, 1 to 365 days", examples=[30]
    )


class Network(Section):
    """Where the server can be reached from."""

    mode: Literal["private", "psc", "public"] = Field(
        default="private",
        description="how clients reach the server, one of: private, psc (Private Service Connect), public",
        examples=["private"],
    )
    cidr: Cidr = Field(
        default="10.64.0.0/20",
        description="the private block of a network that is built here, /16 to /23, half for clients, half for Google",
        examples=["10.64.0.0/20"],
    )
    id: Annotated[str, StringConstraints(pattern=r"^(projects/[^/]+/global/networks/[^/]+)?\Z")] = Field(
        default="",
        description="an existing VPC network instead of a built one; mode private needs private services access there",
        examples=["projects/example-project/global/networks/shared"],
    )
    allocated_range: Annotated[str, StringConstraints(pattern=r"^([a-z]([a-z0-9-]{0,61}[a-z0-9])?)?\Z")] = Field(
        default="",
        description="the name of the allocated address range to take in that network; empty is any",
        examples=["google-managed-services-shared"],
    )
    consumer_projects: tuple[str, ...] = Field(
        default=(),
        description="a list of the projects that may make Private Service Connect endpoints, mode psc only",
        examples=["[example-project]"],
    )
    allowed_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="a list of public IPv4 blocks, /16 or narrower, that may connect, mode public only",
        examples=["[203.0.113.0/24]"],
    )
    server_ca: Literal["shared", "instance"] = Field(
        default="shared",
        description="who signs the server's certificate: shared (host names are verified) or instance (they cannot be)",
        examples=["shared"],
    )


class DenyMaintenance(Section):
    """A period without maintenance, of up to 90 days."""

    start: str = Field(description="its first day, MM-DD for every year or YYYY-MM-DD", examples=["'11-20'"])
    end: str = Field(description="its last day, in the same form", examples=["'12-02'"])


class Iam(Section):
    """Who logs in with a token, `auth: iam` only."""

    owner: str = Field(
        default="",
        description="the identity that bootstraps and owns the tables",
        examples=["serviceAccount:bootstrap@example-project.iam.gserviceaccount.com"],
    )
    app: str = Field(
        default="",
        description="the identity that API servers work as",
        examples=["serviceAccount:api@example-project.iam.gserviceaccount.com"],
    )


class GcpSettings(ManagedSettings):
    """Cloud SQL for PostgreSQL."""

    project: ProjectId = Field(
        default="", description="the id of the Google Cloud project", examples=["example-project"]
    )
    region: Region = Field(default="us-central1", description="the region of the servers", examples=["us-central1"])
    edition: Literal["ENTERPRISE", "ENTERPRISE_PLUS"] = Field(
        default="ENTERPRISE",
        description="the Cloud SQL edition, one of: ENTERPRISE, ENTERPRISE_PLUS",
        examples=["ENTERPRISE"],
    )
    tier: Tier = Field(
        default="db-custom-2-7680",
        description="the machine, for example db-custom-2-7680, or with ENTERPRISE_PLUS db-perf-optimized-N-2",
        examples=["db-custom-2-7680"],
    )
    storage: Storage = Field(default=Storage(), description="a section")
    backup: Backup = Field(default=Backup(), description="a section")
    network: Network = Field(default=Network(), description="a section")
    iam: Iam = Field(default=Iam(), description="a section")
    deny_maintenance: DenyMaintenance | None = Field(
        default=None,
        description="a period of up to 90 days without maintenance, or none",
        examples=["{start: '11-20', end: '12-02'}"],
    )
    replica_region: OptionalRegion = Field(
        default="",
        description="the region of one more read replica, for a disaster; empty is none",
        examples=["us-east1"],
    )
    encryption_key: KeyName = Field(
        default="", description="the Cloud KMS key that encrypts everything; empty is Google's own", examples=[_KEY]
    )
    replica_encryption_key: KeyName = Field(
        default="",
        description="the Cloud KMS key of the replica in replica_region, which is where this key must be",
        examples=[_KEY.replace("us-central1", "us-east1")],
    )
    secret_regions: tuple[Region, ...] = Field(
        default=(),
        description="a list of the regions that hold the secrets; none leaves it to Google",
        examples=["[us-central1]"],
    )
    password_policy: Switch = Field(
        default=False, description="whether Cloud SQL refuses short passwords of new roles", examples=[True]
    )
    enable_apis: Switch = Field(
        default=True, description="whether the project's APIs that are needed are switched on", examples=[True]
    )
