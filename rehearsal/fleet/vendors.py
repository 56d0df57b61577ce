"""What the clouds keep to themselves in a server, and what its administrator gets instead of a superuser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Vendor:
    """The roles of one cloud.

    Attributes:
        superuser: The first role, which nobody but the cloud logs in as.
        replication: The role by which standbys and replicas follow.
        administrators: The role whose members administrators are.
        owns: Whether `administrators` owns the databases, and not the administrator alone.
        grantable: The roles that administrators may grant, and have no part in themselves.
        others: More roles that are there from birth, with their rights.
        databases: Names of databases that the cloud has for itself.
    """

    superuser: str
    replication: str
    administrators: str
    owns: bool
    grantable: tuple[str, ...]
    others: Mapping[str, str]
    databases: frozenset[str]

    def reserves(self, role: str) -> bool:
        """Whether a role's name is the cloud's own."""
        own = (self.superuser, self.replication, self.administrators, *self.grantable, *self.others)
        return role in own or role.startswith("pg_") or role == "public"


VENDORS: Final[Mapping[str, Vendor]] = {
    # Source: Amazon RDS User Guide, "Understanding the rds_superuser role", and `\du` of such a server.
    "aws": Vendor(
        superuser="rdsadmin",
        replication="rdsrepladmin",
        administrators="rds_superuser",
        owns=False,
        grantable=("rds_iam",),
        others={"rds_password": "NOLOGIN", "rds_replication": "NOLOGIN", "rdstopmgr": "NOLOGIN"},
        databases=frozenset({"rdsadmin", "postgres"}),
    ),
    # Source: Cloud SQL's documentation, "About PostgreSQL users and roles".
    "gcp": Vendor(
        superuser="cloudsqladmin",
        replication="cloudsqlreplica",
        administrators="cloudsqlsuperuser",
        owns=True,
        grantable=("cloudsqliamuser", "cloudsqliamserviceaccount"),
        others={"cloudsqlagent": "NOLOGIN", "cloudsqlimportexport": "NOLOGIN CREATEROLE CREATEDB"},
        databases=frozenset({"cloudsqladmin", "postgres"}),
    ),
    # Source: Azure Database for PostgreSQL's documentation, "Create users", and `\du` of such a server.
    "azure": Vendor(
        superuser="azuresu",
        replication="replication",
        administrators="azure_pg_admin",
        owns=True,
        grantable=(),
        others={"azure_superuser": "NOLOGIN"},
        databases=frozenset({"azure_maintenance", "azure_sys", "postgres"}),
    ),
}
