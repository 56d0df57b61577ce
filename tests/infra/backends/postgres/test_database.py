"""An existing server becomes the same record that a cloud's does, and nothing else is registered."""

import shlex
from pathlib import Path
from typing import Any

import psycopg.conninfo
import pytest
from sqlalchemy import make_url

import app.dsn
from infra import contract
from infra.backends.postgres import passwords
from infra.errors import SettingsError
from infra.layout import ROOT

APP = "p@ss:w/or%d?#& é"
ADMIN = "change-me=admin"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passwords, and no developer's file."""
    monkeypatch.setattr(passwords, "_FILES", ())
    monkeypatch.setenv(passwords.APP, APP)
    monkeypatch.setenv(passwords.ADMIN, ADMIN)


def test_only_the_component_is_registered_and_it_holds_nothing(provision: Any) -> None:
    """No resource, no input: there is nothing that a preview or a destroy could touch."""
    recording = provision(backend="postgres")

    assert [(each.type, each.inputs) for each in recording.resources] == [("sessiondb:postgres:Database", {})]


def test_the_uris_lead_to_both_roles_whatever_is_in_the_passwords(provision: Any) -> None:
    """As SQLAlchemy, ADK and libpq read them."""
    section = {"host": "db.example.org", "port": 6432, "user": "a@b", "admin_user": "Ö wner", "database": "d/b"}
    outputs = provision(backend="postgres", postgres=section).outputs

    for name, user, password in (("session_db_uri", "a@b", APP), ("admin_db_uri", "Ö wner", ADMIN)):
        url = app.dsn.parse(outputs[name])
        assert (url.username, url.password, url.host, url.port) == (user, password, "db.example.org", 6432)
        assert (url.database, url.query) == ("d/b", {"sslmode": "verify-full"})


def test_where_one_role_does_both_the_uris_are_one(provision: Any) -> None:
    """And the administrator's password is asked of nobody."""
    outputs = provision(backend="postgres", postgres={"admin_user": "adk_user"}).outputs

    assert outputs["admin_db_uri"] == outputs["session_db_uri"]
    assert make_url(outputs["admin_db_uri"]).password == APP


def test_the_record_is_complete_and_says_what_only_the_server_knows(provision: Any) -> None:
    """The same outputs as any backend's, the URIs secret and nothing else."""
    recording = provision(backend="postgres")

    assert recording.secret == contract.SECRET
    outputs = recording.outputs
    assert (outputs["backend"], outputs["auth"], outputs["instance"]) == ("postgres", "password", "localhost:5432")
    assert (outputs["host"], outputs["port"], outputs["user"]) == ("localhost", 5432, "adk_user")
    assert (outputs["region"], outputs["engine_version"], outputs["servers"]) == ("local", "unknown", {})
    clear = {name: value for name, value in outputs.items() if name not in contract.SECRET}
    assert APP not in str(clear)
    assert ADMIN not in str(clear)


def test_an_ipv6_address_is_in_brackets_in_the_uri_alone(provision: Any) -> None:
    """There its colons would be taken for the port's."""
    outputs = provision(backend="postgres", postgres={"host": "2001:db8::5"}).outputs

    assert "@[2001:db8::5]:5432/" in outputs["session_db_uri"]
    assert outputs["host"] == "2001:db8::5"


def test_the_certificate_goes_by_path_into_the_uri_and_as_text_into_the_record(provision: Any, tmp_path: Path) -> None:
    """This machine has the file, others have not; spaces in its path are no end of it."""
    file = tmp_path / "my ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\n…\n".replace("…", "MII"))

    outputs = provision(backend="postgres", postgres={"sslrootcert": str(file)}).outputs

    assert app.dsn.parse(outputs["session_db_uri"]).query["sslrootcert"] == str(file)
    assert outputs["ca_certificate"] == file.read_text()


@pytest.mark.parametrize("name", ["LICENSE", "nowhere/ca.pem", "docs"])
def test_a_certificate_that_is_none_is_refused(provision: Any, name: str) -> None:
    """By the absolute path at which it was looked for."""
    with pytest.raises(SettingsError) as caught:
        provision(backend="postgres", postgres={"sslrootcert": name})

    assert f"postgres.sslrootcert: expected a PEM file with the CA's certificate at {ROOT / name}." in str(caught.value)


def test_the_systems_authorities_go_by_name(provision: Any) -> None:
    """Libpq's word, which is no path."""
    outputs = provision(backend="postgres", postgres={"sslrootcert": "system"}).outputs

    assert outputs["session_db_uri"].endswith("?sslmode=verify-full&sslrootcert=system")
    assert outputs["ca_certificate"] == "system"


@pytest.mark.parametrize("name", ["adk_user", "o'hara \\ x", 'with "quotes"'])
def test_the_runbooks_commands_name_the_role_and_no_password(provision: Any, name: str) -> None:
    """Quoted for the shell, and for libpq."""
    section = {"host": "db.example.org", "user": name}
    runbook = provision(backend="postgres", postgres=section).outputs["runbook"]

    command, text = shlex.split(runbook["connect"])
    assert command == "psql"
    known = psycopg.conninfo.conninfo_to_dict(text)
    assert (known["user"], known["host"], known["sslmode"]) == (name, "db.example.org", "verify-full")
    assert "password" not in known
    assert APP not in str(runbook)


def test_a_password_in_the_stack_file_is_rotated_there(provision: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wins over the environment, so a new one in the environment would change nothing."""
    monkeypatch.setattr(passwords, "_is_secret", lambda _: True)
    section = {"admin_user": "postgres"}

    by_environment = provision(backend="postgres", postgres=section).outputs["runbook"]["rotate"]
    by_file = provision(backend="postgres", postgres=section | {"password": APP}).outputs["runbook"]["rotate"]

    assert by_environment.startswith(".venv/bin/python -m infra up ")
    assert "# first the new SESSION_DB_PASSWORD where it is set: .env" in by_environment, "or the next up takes the old"
    assert by_file.startswith("pulumi config set --secret --path project:postgres.password ")
    assert "session-db bootstrap --stack stack --set-password  #" in by_environment
    assert by_file.endswith("session-db bootstrap --stack stack --set-password")
