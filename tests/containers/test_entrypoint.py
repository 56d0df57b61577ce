"""What the containers run, on PostgreSQL and without a container: a new volume's script, the bootstrap, the server."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml
from sqlalchemy import URL

from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase

ROOT = Path(__file__).resolve().parents[2]
SESSION_DB = [sys.executable, "-m", "app.cli"]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PASSWORD = "change-me_that-is.long~enough"

Session = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def app_url(server_database: ManagedDatabase) -> URL:
    """Of the app role, which the script makes."""
    name = f"adk_{server_database.name.rpartition('_')[2]}"
    return server_database.admin.set(username=name, password=PASSWORD)


@pytest.fixture
def new_volume(server_database: ManagedDatabase, app_url: URL) -> subprocess.CompletedProcess[str]:
    """The script, run once as the image of PostgreSQL runs it: by psql, as the superuser, with its environment."""
    return initialize(server_database.cluster, server_database.name, app_url)


def initialize(cluster: Cluster, database: str, app: URL) -> subprocess.CompletedProcess[str]:
    """Run the script of a new volume."""
    superuser = cluster.superuser_uri(database)
    variables = {
        "APP_USER": str(app.username),
        "SESSION_DB_PASSWORD": str(app.password),
        "PGHOST": str(superuser.host),
        "PGPORT": str(superuser.port),
        "PGUSER": str(superuser.username),
        "PGPASSWORD": str(superuser.password),
        "PGDATABASE": database,
    }
    script = ROOT / "containers" / "postgres" / "10-app-role.sql"
    psql = str(cluster.binaries / "psql")
    command = [psql, "-v", "ON_ERROR_STOP=1", "--no-password", "--no-psqlrc", "-f", str(script)]
    return subprocess.run(command, env=os.environ | variables, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def superuser(server_database: ManagedDatabase) -> URL:
    """The administrator of docker compose's server."""
    return server_database.cluster.superuser_uri(server_database.name)


@pytest.fixture
def environ(app_url: URL) -> dict[str, str]:
    """What the API's container is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("API_", "SESSION_DB_"))}
    return kept | {"SESSION_DB_URI": app_url.render_as_string(hide_password=False)}


@pytest.fixture
def session_db(environ: dict[str, str]) -> Session:
    """Runs the image's entry point with arguments, and with further variables."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [*SESSION_DB, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environ | variables, check=False, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.mark.parametrize("postgresql", [15, 16], indirect=True)
def test_the_database_alone_is_enough(new_volume: subprocess.CompletedProcess[str], session_db: Session) -> None:
    """With SESSION_DB_URI and no administrator the app role makes the tables and is tried by ADK."""
    assert new_volume.returncode == 0, new_volume.stderr

    made = session_db("bootstrap")
    tried = session_db("verify")

    assert (made.returncode, tried.returncode) == (0, 0), made.stderr + tried.stderr


def test_as_soon_as_the_administrator_bootstraps_the_tables_are_the_administrators(
    new_volume: subprocess.CompletedProcess[str],
    session_db: Session,
    superuser: URL,
    app_url: URL,
    server_database: ManagedDatabase,
) -> None:
    """The app role is left with exactly its rights, and with the password of .env."""
    assert new_volume.returncode == 0
    admin = {"ADMIN_DB_URI": superuser.render_as_string(hide_password=False)}
    assert session_db("bootstrap").returncode == 0
    server_database.cluster.execute(f"ALTER ROLE {app_url.username} PASSWORD 'another'", server_database.name)

    done = session_db(*SERVICES["bootstrap"]["command"], **admin)
    drift, tried = session_db("drift", **admin), session_db("verify", **admin)
    again = session_db(*SERVICES["bootstrap"]["command"], **admin)

    assert [each.returncode for each in (done, drift, tried, again)] == [0, 0, 0, 0], done.stderr + drift.stderr
    assert "nothing to change" in again.stderr
    owners = server_database.cluster.execute(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('sessions', 'events')",
        server_database.name,
    )
    assert owners == [(superuser.username,)]


def test_no_password_is_in_the_log_of_a_server_that_refuses_the_script(
    new_volume: subprocess.CompletedProcess[str], server_database: ManagedDatabase, app_url: URL
) -> None:
    """A second run fails at the statement with the password in it, which a server logs by default."""
    again = initialize(server_database.cluster, server_database.name, app_url)

    assert (new_volume.returncode, again.returncode) == (0, 3)
    assert "already exists" in again.stderr
    said = server_database.cluster.log + "".join(each.stdout + each.stderr for each in (new_volume, again))
    assert PASSWORD not in said


def test_a_job_of_a_cloud_takes_the_owners_password_from_its_own_variable(
    new_volume: subprocess.CompletedProcess[str], session_db: Session, superuser: URL
) -> None:
    """As the definitions of docs/jobs have it: a URI without a password, and PGPASSWORD."""
    assert new_volume.returncode == 0
    bare = superuser.render_as_string(hide_password=False).replace(f":{superuser.password}@", "@")

    done = session_db("bootstrap", "--set-password", ADMIN_DB_URI=bare, PGPASSWORD=str(superuser.password))

    assert done.returncode == 0, done.stderr
    assert str(superuser.password) not in done.stdout + done.stderr


def test_one_command_bootstraps_as_the_administrator_and_serves(
    new_volume: subprocess.CompletedProcess[str], environ: dict[str, str], superuser: URL
) -> None:
    """For a container that has to do both; a signal ends it well, as an engine's stop does."""
    assert new_volume.returncode == 0
    variables = environ | {"ADMIN_DB_URI": superuser.render_as_string(hide_password=False)}
    command = [*SESSION_DB, "serve", "--bootstrap", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
        said = []
        for line in process.stderr or ():
            said.append(line)
            if line.startswith("ADK API server: "):
                break
        base = said[-1].split()[-1].removesuffix("/docs")
        made = httpx.post(f"{base}/apps/echo/users/ada/sessions", json={"sessionId": "first"}, trust_env=False)
        process.terminate()
        rest = process.communicate(timeout=60)[1]

    assert made.status_code == 200, made.text
    assert process.returncode == 0
    assert "create table sessions\n" in said
    assert not re.search(f"{PASSWORD}|{superuser.password}", "".join([*said, rest]))
