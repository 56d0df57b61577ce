"""The data of a new server, made once for each cloud and version, and copied for every server."""

import fcntl
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from psycopg.sql import SQL, Identifier, Literal

from rehearsal import data
from rehearsal.account import Account
from rehearsal.binaries import version
from rehearsal.cluster import Cluster
from rehearsal.fleet import files
from rehearsal.fleet.vendors import VENDORS, Vendor
from rehearsal.ground import ground
from rehearsal.superuser import Superuser

_FOLDER: Final = ".templates"


@dataclass(frozen=True)
class Secrets:
    """What the cloud keeps to itself: servers of one template share it, and so do their copies.

    Attributes:
        superuser: The superuser's password.
        replication: The replication role's password.
    """

    superuser: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    replication: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


@dataclass(frozen=True)
class Template:
    """A server's data before its first start.

    Attributes:
        data: The data, packed.
        secrets: The passwords in it.
        known: The names of all settings that this version knows.
        libraries: The folder of what can be preloaded.
    """

    data: Path
    secrets: Secrets
    known: frozenset[str]
    libraries: Path

    @classmethod
    def at(cls, ground_: Path, binaries: Path, vendor: str) -> Self:
        """The template of a cloud; made where it is not there yet, which takes a second or two.

        Args:
            ground_: The folder that the servers' folders are in.
            binaries: The folder of PostgreSQL's programs.
            vendor: The cloud, for example "aws".

        Raises:
            FolderError: The folder cannot hold a server.
            ServerError: initdb failed.
        """
        folder = ground_ / _FOLDER
        folder.mkdir(mode=0o755, exist_ok=True)
        folder.chmod(0o755)
        place = folder / f"{vendor}-{version(binaries)}"
        with place.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "template.json").exists():
                _make(place, binaries, VENDORS[vendor])
        about = files.load(place / "template.json")
        return cls(place / "data.tar", Secrets(**about["secrets"]), frozenset(about["known"]), Path(about["libraries"]))


def _make(place: Path, binaries: Path, vendor: Vendor) -> None:
    files.remove(place)
    account, passwords = Account.unprivileged(), Secrets()
    superuser = Superuser(vendor.superuser, passwords.superuser)
    with ground() as sockets:
        cluster = Cluster(place, binaries, superuser, {}, sockets=sockets)
        account.own(sockets, 0o755)
        place.mkdir()
        account.own(place, 0o755)
        # Small segments: a moment is restorable once the segment that has it is archived.
        data.initialize(place / "data", binaries, superuser, account, "--wal-segsize=1")
        with cluster:
            _roles(cluster, vendor, passwords)
            about = {
                "secrets": asdict(passwords),
                "known": [name for (name,) in cluster.execute("SELECT name FROM pg_settings")],
                "libraries": cluster.execute("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")[0][0],
            }
    account.write(place / "data" / "pg_hba.conf", _access(vendor))
    files.pack(place / "data", place / "data.tar", account)
    files.remove(place / "data")
    files.save(place / "template.json", about)


def _roles(cluster: Cluster, vendor: Vendor, passwords: Secrets) -> None:
    roles = dict.fromkeys(vendor.grantable, "NOLOGIN") | dict(vendor.others)
    for name, rights in roles.items():
        cluster.execute(SQL("CREATE ROLE {} " + rights).format(Identifier(name)))
    admins = Identifier(vendor.administrators)
    cluster.execute(SQL("CREATE ROLE {} NOLOGIN CREATEROLE CREATEDB").format(admins))
    cluster.execute(SQL("GRANT pg_monitor, pg_signal_backend TO {} WITH ADMIN OPTION").format(admins))
    login = SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}")
    cluster.execute(login.format(Identifier(vendor.replication), Literal(passwords.replication)))


def _access(vendor: Vendor) -> str:
    """Who gets in: everybody by TLS and with a password; the superuser only from inside.

    Source: PostgreSQL's documentation, "The pg_hba.conf File".
    """
    lines = (
        "local all all scram-sha-256",
        "local replication all scram-sha-256",
        f"host all {vendor.superuser} all reject",
        f"hostssl replication {vendor.replication} 127.0.0.1/32 scram-sha-256",
        f"host all {vendor.replication} all reject",
        "hostssl all all 127.0.0.1/32 scram-sha-256",
    )
    return "".join(f"{line}\n" for line in lines)
