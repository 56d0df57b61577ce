"""A role that may not do what is asked, and a disk that has no room for it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.sql import SQL, Literal

from app import verbs
from app.backends.interface import Target
from app.errors import DiskFullError, InsufficientRightsError, VerificationError
from rehearsal.account import Account
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase

Sql = Callable[[str], list[tuple[Any, ...]]]

TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


@pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
def test_an_ordinary_role_on_an_empty_database_is_told(
    server_database: ManagedDatabase, sql: Sql, refused: Any, unchanged: Any
) -> None:
    """From PostgreSQL 15 on it may not create tables; `verify` finds nothing to verify."""
    role, secret = f"role_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    sql(f"CREATE ROLE {role} LOGIN PASSWORD '{secret}'")
    target = Target.of(server_database.admin.set(username=role, password=secret))

    with unchanged():
        words = (f"as {role}", "permission denied for schema public", "ADMIN_DB_URI")
        refused(target, InsufficientRightsError, *words, verbs=("bootstrap",))
        with pytest.raises(VerificationError):
            verbs.verify(target)


def test_a_role_without_a_right_to_the_tables_is_told(
    server_database: ManagedDatabase, sql: Sql, refused: Any, unchanged: Any
) -> None:
    """By what it may not read."""
    verbs.bootstrap(Target.of(server_database.admin))
    role, secret = f"role_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    sql(f"CREATE ROLE {role} LOGIN PASSWORD '{secret}'")

    with unchanged():
        target = Target.of(server_database.admin.set(username=role, password=secret))
        refused(target, InsufficientRightsError, f"as {role}", "permission denied for table")


def test_a_trigger_that_refuses_is_told(
    server_database: ManagedDatabase, sql: Sql, refused: Any, unchanged: Any
) -> None:
    """As an administrator sets one against DDL; its own words are passed on."""
    sql(
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'tables are made by the platform team'; END$$"
    )
    sql("CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()")

    with unchanged():
        words = ("tables are made by the platform team", "ADMIN_DB_URI")
        refused(Target.of(server_database.admin), InsufficientRightsError, *words, verbs=("bootstrap",))
    sql("DROP EVENT TRIGGER refuse")


@pytest.fixture
def small_disk(place: Any) -> Iterator[Path]:
    """A file system of 24 MB, which only root can mount; a limit for temporary files or sizes is another error."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("a full disk needs a small one to be mounted, which takes root on Linux")
    folder: Path = place()
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("a full disk needs a small one to be mounted, which this container does not let root do")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def narrow(own: Cluster, small_disk: Path) -> Iterator[Target]:
    """A database of its own on that file system, as the superuser."""
    store = small_disk / "store"
    store.mkdir()
    Account.unprivileged().own(small_disk, 0o755)
    Account.unprivileged().own(store, 0o700)
    own.execute(SQL("CREATE TABLESPACE small LOCATION {}").format(Literal(str(store))))
    own.execute(SQL("CREATE DATABASE sessions TABLESPACE small"))
    yield Target.of(own.superuser_uri("sessions"))
    own.stop()


def fill(disk: Path) -> Path:
    """Write until nothing more fits."""
    file = disk / "rest"
    with file.open("wb", buffering=0) as rest:
        try:
            while rest.write(b"x" * 4096):
                pass
        except OSError:
            return file
    return file


def test_a_full_disk_is_told(own: Cluster, narrow: Target, small_disk: Path, refused: Any) -> None:
    """Nothing of the half is left; with room again, the next run completes, and `verify` tells it as well."""
    rest = fill(small_disk)
    refused(narrow, DiskFullError, "its disk is full", command=False)  # The first connection writes a file of its own.

    rest.unlink()
    verbs.plan(narrow)
    rest = fill(small_disk)
    refused(narrow, DiskFullError, "its disk is full", "Enlarge its storage", verbs=("bootstrap",))
    assert own.execute(TABLES, "sessions") == []

    rest.unlink()
    assert verbs.bootstrap(narrow).changed
    rest = fill(small_disk)
    refused(narrow, DiskFullError, "its disk is full", verbs=("verify",))

    rest.unlink()
    assert verbs.verify(narrow).tables["sessions"] == 0
