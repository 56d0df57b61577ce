"""The `postgres` section: what is taken as it is, and what cannot be of a server."""

import json
from typing import Any

import pytest

from infra import settings
from infra.errors import SettingsError
from infra.settings.postgres import PostgresSettings

PROJECT = "session-database"


def load(**section: Any) -> PostgresSettings:
    """The section as the engine hands it over: JSON text, numbers in it as JSON's."""
    texts = {f"{PROJECT}:backend": "postgres", f"{PROJECT}:postgres": json.dumps(section)}
    return settings.load(texts, project=PROJECT, stack="staging").postgres


def test_a_server_on_this_machine_needs_no_key() -> None:
    """docker-compose's, by its usual port; whoever bootstraps is the role that works."""
    given = load()

    assert (given.host, given.port, given.database, given.user) == ("localhost", 5432, "adk_sessions", "adk_user")
    assert given.administrator == "adk_user"
    assert given.one_role


def test_tls_with_the_servers_name_checked_is_the_default() -> None:
    """Less has to be asked for by its word."""
    assert load(host="db.example.org").sslmode == "verify-full"


def test_another_administrator_is_another_role() -> None:
    """It owns the tables, and the app role does not."""
    given = load(admin_user="postgres")

    assert (given.administrator, given.one_role) == ("postgres", False)


@pytest.mark.parametrize("name", ["Ädk User", "user@server", "postgres", "x" * 63])
def test_names_that_others_gave_are_taken_as_they_are(name: str) -> None:
    """A role or a database is there already, whatever it is called."""
    assert load(user=name, database=name).user == name


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.3", False),
        ("2001:db8::5", False),
        ("db.example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_only_the_loopback_address_is_this_machine(host: str, here: bool) -> None:  # noqa: FBT001  # The case.
    """Elsewhere somebody may listen in."""
    assert load(host=host).on_this_machine is here


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"host": "db.example.org:5432"}, "host"),
        ({"host": "[::1]"}, "host"),
        ({"host": "a/b"}, "host"),
        ({"host": ""}, "host"),
        ({"host": "postgresql://db"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"port": "many"}, "port"),
        ({"database": ""}, "database"),
        ({"database": "x" * 64}, "database"),
        ({"user": "a\nb"}, "user"),
        ({"user": 5}, "user"),
        ({"admin_user": ""}, "admin_user"),
        ({"password": ""}, "password"),
        ({"password": 5}, "password"),
        ({"password": ["change-me"]}, "password"),
        ({"admin_password": {"secure": "change-me"}}, "admin_password"),
        ({"sslmode": "on"}, "sslmode"),
        ({"sslrootcert": ""}, "sslrootcert"),
        ({"pasword": "change-me"}, "pasword"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_without_its_value(section: dict[str, Any], key: str) -> None:
    """The value may be a password in the wrong place."""
    with pytest.raises(SettingsError) as caught:
        load(**section)

    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"Pulumi.staging.yaml: {PROJECT}:postgres.{key}: ")
    assert "For example: session-database:postgres: {" in line
    assert "change-me" not in line


def test_a_password_is_never_shown() -> None:
    """Neither by the section nor by all the settings."""
    given = load(password="change-me", admin_user="postgres", admin_password="change-me-too")

    assert "change-me" not in f"{given!r}{given}{given.model_dump_json()}"
    assert given.password is not None
    assert given.password.get_secret_value() == "change-me"
