"""What `session-db` ends with where it fails: one exit code for each kind of error, one line, and no password."""

import json
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import answers, errors

KINDS: dict[str, type[errors.SessionDatabaseError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.SessionDatabaseError)
}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class, below its base, with its exit code and nothing else."""
    drawn: dict[str, tuple[str | None, int]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"([│├└─ ]*)(\w+Error) +(?:exit code )?(\d+)", line):
            depth = len(match[1]) // 4
            above = [*above[:depth], match[2]]
            drawn[match[2]] = (above[depth - 1] if depth else None, int(match[3]))

    defined = {
        name: (kind.__base__.__name__ if kind.__base__ is not Exception else None, kind.exit_code)
        for name, kind in KINDS.items()
        if kind.__base__
    }
    assert drawn == defined


def test_the_help_lists_the_exit_codes_of_the_errors() -> None:
    """The tree of errors and the help say the same."""
    codes = {str(kind.exit_code) for kind in KINDS.values()}
    listed = [line.split()[0] for line in answers.EXIT_CODES.splitlines() if line.startswith("  ")]

    assert sorted(listed, key=int) == listed
    assert len(listed) == len(set(listed))
    assert set(listed) == codes | {"0", "130"}


def test_every_way_in_which_a_database_is_unavailable_has_a_code_of_its_own() -> None:
    """A script that waits for a server to come up tells a closed port from a wrong password."""
    codes = [kind.exit_code for kind in KINDS.values() if kind.__base__ is errors.DatabaseUnavailableError]

    assert sorted(codes) == list(range(10, 10 + len(codes)))


def test_every_error_says_what_it_is_for_example() -> None:
    """In its docstring."""
    for kind in KINDS.values():
        doc = kind.__doc__ or ""
        assert kind is errors.SessionDatabaseError or "For example, " in doc, kind


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine on which nothing answers, and nothing will meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


Failing = Callable[[str], tuple[str, str]]


@pytest.fixture
def failing(database: Path, port: int) -> Failing:
    """The verb and the URI of a failure of each kind."""
    places = {name: database.with_name(name) for name in ("notes.db", "other.db", "old.db", "missing.db")}
    places["notes.db"].write_text("not a database")
    layouts = {
        "other.db": "CREATE TABLE adk_internal_metadata (key TEXT); CREATE TABLE events (id TEXT, event_data TEXT)",
        "old.db": "CREATE TABLE events (id TEXT, invocation_id TEXT, actions BLOB)",
    }
    for name, sql in layouts.items():
        connection = sqlite3.connect(places[name])
        connection.executescript(sql)
        connection.close()

    def give(kind: str) -> tuple[str, str]:
        if kind == "VerificationError":
            database.chmod(0o644)
        return {
            "VerificationError": ("verify", f"sqlite:///{database}"),
            "InvalidUriError": ("bootstrap", "sqlite://sessions.db"),
            "UnsupportedBackendError": ("bootstrap", "mysql://user:pw@host/db"),
            "ForeignDatabaseError": ("bootstrap", f"sqlite:///{places['notes.db']}"),
            "IncompatibleLayoutError": ("plan", f"sqlite:///{places['other.db']}"),
            "OlderLayoutError": ("drift", f"sqlite:///{places['old.db']}"),
            "ClosedPortError": ("plan", f"postgresql://user:s3cret@127.0.0.1:{port}/db"),
            "MissingDatabaseError": ("verify", f"sqlite:///{places['missing.db']}"),
            "InsufficientRightsError": ("bootstrap", f"sqlite:///{places['notes.db']}/sessions.db"),
            "NotAFileError": ("drift", f"sqlite:///{database.parent}"),
        }[kind]

    return give


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("VerificationError", 1),
        ("InvalidUriError", 2),
        ("UnsupportedBackendError", 2),
        ("ForeignDatabaseError", 3),
        ("IncompatibleLayoutError", 3),
        ("OlderLayoutError", 3),
        ("ClosedPortError", 11),
        ("MissingDatabaseError", 16),
        ("InsufficientRightsError", 17),
        ("NotAFileError", 22),
    ],
)
def test_a_failure_has_its_exit_code(kind: str, code: int, failing: Failing, session_db: Any) -> None:
    """And for scripts the same as one object, for people in one line."""
    verb, uri = failing(kind)

    plain, as_json = session_db(verb, uri=uri), session_db(verb, "--json", uri=uri)

    assert (plain.returncode, as_json.returncode) == (code, code)
    error = json.loads(as_json.stdout)["error"]
    assert error["kind"] == kind
    assert as_json.stderr == f"error: {error['message']}\n"
    assert plain.stderr.splitlines()[-1] == f"error: {error['message']}"
    assert plain.stdout == ""
    assert "s3cret" not in plain.stderr + as_json.stdout


def test_two_uris_of_different_databases_are_a_wrong_setting(path: Path, session_db: Any) -> None:
    """Told before anything is opened."""
    done = session_db(
        "bootstrap", uri="postgresql://app:s3cret@host/one", ADMIN_DB_URI="postgresql://a:s3cret@host/two"
    )

    assert done.returncode == 2
    assert "expected SESSION_DB_URI and ADMIN_DB_URI to name one database" in done.stderr
    assert "s3cret" not in done.stderr
    assert not path.exists()


MISSPELT = [
    "postgresql://user:s3cret-p@ss@host/db",
    "postgresql:/user:s3cret-p@ss@host/db",
    "sqlite://u/s3cret-p@ss",
]


@pytest.mark.parametrize(
    "command",
    [["plan"], ["bootstrap"], ["bootstrap", "--json"], ["verify", "--json"], ["drift", "--json"], ["serve"]],
    ids=" ".join,
)
@pytest.mark.parametrize("uri", MISSPELT)
def test_no_password_is_shown(command: list[str], uri: str, session_db: Any) -> None:
    """On no stream, however the URI is misspelt."""
    done = session_db(*command, uri=uri)

    assert done.returncode == 2
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("admin", MISSPELT[:2])
def test_no_password_of_the_owner_is_shown(admin: str, session_db: Any) -> None:
    """The message names the variable that is to be changed."""
    done = session_db("bootstrap", "--json", uri="postgresql://user:s3cret@host/db", ADMIN_DB_URI=admin)

    assert done.returncode == 2
    assert "It is set by ADMIN_DB_URI in the environment" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nope",),
        ("nope",),
        ("bootstrap", "--nope"),
        ("plan", "extra"),
        ("bootstrap", "--app-identity", "kerberos"),
        ("bootstrap", "--lock-wait", "0"),
        ("drift", "--statement-wait", "soon"),
        ("serve", "--port", "x"),
        ("serve", "--port", "65536"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_told_from_a_failure(arguments: tuple[str, ...], path: Path, session_db: Any) -> None:
    """Exit code 2, and how to get help."""
    done = session_db(*arguments, uri=path)

    assert done.returncode == 2
    assert "--help" in done.stderr
    assert not path.exists()
