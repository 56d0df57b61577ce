"""The `azure` section."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from infra.settings.managed import ManagedSettings
from infra.settings.section import Section
from infra.settings.types import Cidr, Switch, Whole

Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z|^\Z")]
"""An id of a subscription or of an Entra object, in small letters; empty where there is none."""

Region = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{2,29}\Z")]
"""A region as the API writes it: `swedencentral`, not `Sweden Central`."""

ResourceId = Annotated[
    str, StringConstraints(pattern=r"^/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/\S+\Z|^\Z")
]
"""What `az … show --query id` prints; empty where there is none."""

_GROUPS: Final = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"

BackupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")]


class Storage(Section):
    """The disk. It grows by itself; Azure doubles it each time, never shrinks it, and has no cap for it."""

    size_gib: Whole = Field(
        default=128,
        description="the size to start with, in GiB, one of: 32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, "
        "16384, 32767",
        examples=[128],
    )
    max_gib: Whole = Field(
        default=512,
        ge=32,
        le=32767,
        description="the most storage, in GiB, that anybody expects: since Azure cannot cap the growth, an alert is "
        "raised when alerts.storage_percent of it is used",
        examples=[512],
    )
    autogrow: Switch = Field(
        default=True, description="whether Azure doubles the storage before it is full", examples=[True]
    )
    tier: Literal["", "P4", "P6", "P10", "P15", "P20", "P30", "P40", "P50", "P60", "P70", "P80"] = Field(
        default="",
        description="the performance tier, P4 to P80, where it is to be faster than its size makes it",
        examples=["P30"],
    )


class Backup(Section):
    """Daily snapshots and the write-ahead log: any moment within the retention can be restored."""

    retention_days: Whole = Field(
        default=14, ge=7, le=35, description="days back to which any moment can be restored, 7 to 35", examples=[14]
    )
    copy_region: Region | Literal[""] = Field(
        default="",
        description="the paired region that backups are copied to, or none; it is fixed when a server is made",
        examples=["swedensouth"],
    )
    on_demand: tuple[BackupName, ...] = Field(
        default=(),
        max_length=7,
        description="a list of up to 7 names of backups to take of the active server now, kept as long as the others",
        examples=["[before-the-migration]"],
    )


class Network(Section):
    """Where the server can be reached from."""

    mode: Literal["private", "private_endpoint", "public"] = Field(
        default="private",
        description="how the server is reached, one of: private (in a delegated subnet), private_endpoint, public; "
        "it is fixed when a server is made",
        examples=["private"],
    )
    cidr: Cidr = Field(
        default="10.60.0.0/24",
        description="the block of addresses of the network that is built, /16 to /27; its second half stays free for "
        "workloads",
        examples=["10.60.0.0/24"],
    )
    subnet_id: ResourceId = Field(
        default="",
        description="the id of an existing subnet: one delegated to flexible servers, or the one for private endpoints",
        examples=[f"{_GROUPS}/network/providers/Microsoft.Network/virtualNetworks/main/subnets/postgres"],
    )
    dns_zone_id: ResourceId = Field(
        default="",
        description="the id of an existing private DNS zone, which the network of subnet_id is linked to",
        examples=[
            f"{_GROUPS}/network/providers/Microsoft.Network/privateDnsZones/sessions.postgres.database.azure.com"
        ],
    )
    replica_cidr: Cidr = Field(
        default="10.60.1.0/24",
        description="the block of addresses of the network that is built in replica_region, /16 to /27",
        examples=["10.60.1.0/24"],
    )
    replica_subnet_id: ResourceId = Field(
        default="",
        description="the id of an existing delegated subnet in replica_region, peered with the one of subnet_id",
        examples=[f"{_GROUPS}/network/providers/Microsoft.Network/virtualNetworks/far/subnets/postgres"],
    )
    allowed_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="a list of blocks of addresses, each /16 or narrower, that may reach a public server",
        examples=["[203.0.113.0/24]"],
    )


class EntraOwner(Section):
    """The Entra identity that bootstraps and owns the tables under `auth: iam`; none: one is made for the stack."""

    name: str = Field(
        default="",
        max_length=63,
        description="the principal's name as Entra writes it, which is also its role in PostgreSQL",
        examples=["session-database-admins"],
    )
    object_id: Guid = Field(
        default="",
        description="the principal's object id, in small letters",
        examples=["11111111-1111-1111-1111-111111111111"],
    )
    kind: Literal["Group", "ServicePrincipal", "User"] = Field(
        default="Group", description="what the principal is, one of: Group, ServicePrincipal, User", examples=["Group"]
    )


class EntraIdentities(Section):
    """Who logs in under `auth: iam`."""

    owner: EntraOwner = Field(default=EntraOwner(), description="a section")
    app: str = Field(
        default="",
        max_length=63,
        description="the name of the Entra principal that API servers work as; none: the identity made for the stack",
        examples=["api-servers"],
    )


class AzureSettings(ManagedSettings):
    """Azure Database for PostgreSQL, Flexible Server."""

    subscription: Guid = Field(
        default="",
        description="the id of the subscription, in small letters; none: the one of the login",
        examples=["00000000-0000-0000-0000-000000000000"],
    )
    region: Region = Field(
        default="swedencentral",
        description="the region, as `az account list-locations` names it",
        examples=["swedencentral"],
    )
    resource_group: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_.()-]{0,90}\Z",
        description="the name of an existing resource group; none: one is made for the stack",
        examples=["session-database"],
    )
    sku: str = Field(
        default="Standard_D2ds_v5",
        description="the size of the machine, for example Standard_B1ms, Standard_D2ds_v5 or Standard_E4ds_v5",
        examples=["Standard_D2ds_v5"],
    )
    replica_sku: str = Field(
        default="",
        description="the size of the read replicas, none: that of sku; to scale up, raise it one `up` before sku, "
        "since no replica may be smaller than its primary",
        examples=["Standard_D4ds_v5"],
    )
    high_availability_mode: Literal["ZoneRedundant", "SameZone"] = Field(
        default="ZoneRedundant",
        description="where the standby is, one of: ZoneRedundant, SameZone (for regions without zones)",
        examples=["ZoneRedundant"],
    )
    storage: Storage = Field(default=Storage(), description="a section")
    backup: Backup = Field(default=Backup(), description="a section")
    network: Network = Field(default=Network(), description="a section")
    iam: EntraIdentities = Field(default=EntraIdentities(), description="a section")
    replica_region: Region | Literal[""] = Field(
        default="",
        description="another region that a read replica is kept in, or none",
        examples=["germanywestcentral"],
    )
    encryption_key: ResourceId = Field(
        default="",
        description="the id of an RSA key in a Key Vault that the storage is encrypted with; it is fixed when a server "
        "is made",
        examples=[f"{_GROUPS}/keys/providers/Microsoft.KeyVault/vaults/example/keys/sessions"],
    )
    replica_encryption_key: ResourceId = Field(
        default="",
        description="the id of the key for copies in another region, in a Key Vault of that region",
        examples=[f"{_GROUPS}/keys/providers/Microsoft.KeyVault/vaults/example-far/keys/sessions"],
    )
    vault_public: Switch = Field(
        default=True,
        description="whether the Key Vault of the passwords answers outside of private endpoints; who may read is "
        "a matter of secret_readers in either case",
        examples=[False],
    )
