"""What the sections of the three clouds have in common; what differs stays in each cloud's own section."""

from typing import Literal

from pydantic import Field

from infra.settings.section import Section
from infra.settings.servers import Server
from infra.settings.types import (
    DatabaseName,
    Day,
    Email,
    Hour,
    NamePrefix,
    Percent,
    PostgresVersion,
    RoleName,
    ServerId,
    Switch,
    Whole,
)


class Maintenance(Section):
    """When the cloud may restart the server for its own updates."""

    day: Day = Field(default="sunday", description="the day of the weekly maintenance window", examples=["sunday"])
    hour: Hour = Field(default=4, description="the hour at which it starts, 0 to 23, UTC", examples=[4])


class Alerts(Section):
    """Who is told, and when."""

    enabled: Switch = Field(default=True, description="whether anybody is told", examples=[True])
    emails: tuple[Email, ...] = Field(
        default=(), description="a list of e-mail addresses", examples=["[oncall@example.com]"]
    )
    channels: tuple[str, ...] = Field(
        default=(),
        description="a list of existing notification channels, SNS topics or action groups, by their cloud's id",
        examples=["[projects/example/notificationChannels/1]"],
    )
    cpu_percent: Percent = Field(default=80, description="CPU use to alert at, 1 to 100 percent", examples=[80])
    memory_percent: Percent = Field(default=90, description="memory use to alert at, 1 to 100 percent", examples=[90])
    storage_percent: Percent = Field(default=85, description="storage use to alert at, 1 to 100 percent", examples=[85])
    connections_percent: Percent = Field(
        default=80, description="share of the allowed connections to alert at, 1 to 100 percent", examples=[80]
    )
    replication_lag_seconds: Whole = Field(
        default=60, ge=1, le=86400, description="replication lag to alert at, 1 to 86400 seconds", examples=[60]
    )
    backup_age_hours: Whole = Field(
        default=36, ge=24, le=168, description="age of the newest backup to alert at, 24 to 168 hours", examples=[36]
    )


class ManagedSettings(Section):
    """A PostgreSQL server that a cloud manages. The defaults are those of production."""

    version: PostgresVersion = Field(default=17, description="the PostgreSQL major version, 15 to 18", examples=[17])
    servers: tuple[Server, ...] = Field(
        default=(Server(id="g1"),),
        min_length=1,
        description="a list of server generations, each with an id",
        examples=["[{id: g1}, {id: g2, restore: {from: g1, time: '2026-11-23T17:05:00Z'}}]"],
    )
    active: ServerId = Field(
        default="g1", description="the id of the server that the exported URI leads to", examples=["g1"]
    )
    server_prefix: NamePrefix = Field(
        default="adk-sessions",
        description="the start of the names of servers: small letters, digits and single hyphens, 2 to 40 characters",
        examples=["adk-sessions"],
    )
    database: DatabaseName = Field(
        default="adk_sessions",
        description="the name of the database: small letters, digits and underscores, up to 63 characters",
        examples=["adk_sessions"],
    )
    owner_user: RoleName = Field(
        default="adk_owner",
        description="the role that bootstraps and owns the tables: small letters, digits and underscores",
        examples=["adk_owner"],
    )
    app_user: RoleName = Field(
        default="adk_user",
        description="the role that API servers work as: small letters, digits and underscores",
        examples=["adk_user"],
    )
    secret_prefix: NamePrefix = Field(
        default="adk-db-password",
        description="the start of the names of secrets: small letters, digits and single hyphens, 2 to 40 characters",
        examples=["adk-db-password"],
    )
    secret_readers: tuple[str, ...] = Field(
        default=(),
        description="a list of identities that may read the app role's secret, as their cloud writes them",
        examples=["[serviceAccount:api@example.iam.gserviceaccount.com]"],
    )
    auth: Literal["password", "iam"] = Field(
        default="password", description="how roles log in, one of: password, iam", examples=["password"]
    )
    rotation: Whole = Field(
        default=0,
        ge=0,
        le=100_000,
        description="a number; counting it up by one moves the app to its other role with a new password",
        examples=[1],
    )
    high_availability: Switch = Field(
        default=True, description="whether a standby in another zone takes over", examples=[True]
    )
    read_replicas: Whole = Field(
        default=0, ge=0, le=5, description="the number of read replicas in the same region, 0 to 5", examples=[1]
    )
    deletion_protection: Switch = Field(
        default=True, description="whether the cloud and the engine refuse to delete the servers", examples=[True]
    )
    replica_protection: Switch = Field(
        default=True,
        description="whether the replica in replica_region is as protected as its server; false one `up` before "
        "replica_region is taken out",
        examples=[True],
    )
    maintenance: Maintenance = Field(default=Maintenance(), description="a section")
    parameters: dict[str, str] = Field(
        default={},
        description="a map of further server parameters to their values",
        examples=["{log_min_duration_statement: '500'}"],
    )
    api_processes: Whole = Field(
        default=4,
        ge=1,
        le=300,
        description="how many API server processes use the database at once, 1 to 300; each counts as 15 connections",
        examples=[8],
    )
    query_insights: Switch = Field(default=True, description="whether slow queries are recorded", examples=[True])
    log_retention_days: Whole = Field(
        default=30, ge=1, le=365, description="how long logs are kept, 1 to 365 days", examples=[30]
    )
    alerts: Alerts = Field(default=Alerts(), description="a section")
    labels: dict[str, str] = Field(
        default={}, description="a map of labels (tags) for every resource", examples=["{team: agents}"]
    )

    def version_of(self, server: Server) -> int:
        """The major version of a generation; read-only."""
        return server.version or self.version

    def protected(self, server: Server) -> bool:
        """Whether a generation is protected against deletion; read-only."""
        return self.deletion_protection if server.deletion_protection is None else server.deletion_protection

    def replica_protected(self, server: Server) -> bool:
        """Whether a generation's replica in another region is, which is its successor once promoted; read-only."""
        return self.replica_protection and self.protected(server)
