"""`session-db` as a person and a script run it: real processes, their streams and exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import cli, errors

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("session-db"))
TABLES = ["app_states", "sessions", "user_states", "events"]

Finished = subprocess.CompletedProcess[str]


def run(*command: str, cwd: Path = ROOT, **environ: str) -> Finished:
    """Run a command to its end; none may end in a traceback."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | environ, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def session_db(*arguments: str, uri: str | Path) -> Finished:
    """Run `session-db` on a database."""
    return run(COMMAND, *arguments, SESSION_DB_URI=uri if isinstance(uri, str) else f"sqlite:///{uri}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project without anybody's `.env`."""
    shutil.copytree(ROOT / "app", tmp_path / "project" / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "project"


@pytest.mark.parametrize("command", [(), ("bootstrap",), ("verify",), ("serve",)])
def test_the_help_has_an_example_and_the_exit_codes(command: tuple[str, ...]) -> None:
    """On standard output, and without loading ADK, which takes seconds."""
    done = run(sys.executable, "-X", "importtime", "-m", "app.cli", *command, "--help")

    assert done.returncode == 0
    assert "Example: session-db" in done.stdout
    assert "Exit codes:" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if line.strip()][-6:] == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "130",
    ]
    loaded = {line.rsplit("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "app" in loaded
    assert "google" not in loaded


def test_a_bootstrap_for_people(path: Path) -> None:
    """The news go to standard error; there is no result to pipe on."""
    first = session_db("bootstrap", uri=path)
    second = session_db("bootstrap", uri=path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr == f"schema of sqlite:///{path}: created {', '.join(TABLES)}\n"
    assert second.stderr == f"schema of sqlite:///{path}: nothing to change\n"
    assert first.stdout + second.stdout == ""


def test_a_bootstrap_for_scripts(path: Path) -> None:
    """Standard output is exactly one object."""
    first = session_db("bootstrap", "--json", uri=path)
    second = session_db("bootstrap", "--json", uri=path)

    uri = f"sqlite:///{path}"
    assert json.loads(first.stdout) == {"uri": uri, "created": TABLES, "changed": True}
    assert json.loads(second.stdout) == {"uri": uri, "created": [], "changed": False}
    assert first.stderr + second.stderr == ""


def test_a_verification_for_people(database: Path) -> None:
    """The tables with their rows, and before the wait a word of what is going on."""
    done = session_db("verify", uri=database)

    assert done.returncode == 0
    assert done.stderr == "trying the database with ADK\n"
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines == [[f"sqlite:///{database}"], ["table", "rows"], *([table, "0"] for table in TABLES)]


def test_a_verification_for_scripts(database: Path) -> None:
    """Standard output is exactly one object."""
    done = session_db("verify", "--json", uri=database)

    expected = {"uri": f"sqlite:///{database}", "file": str(database), "tables": dict.fromkeys(TABLES, 0)}
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, expected, "")


def failing(name: str, database: Path) -> tuple[str, str]:
    """The command and the URI of a failure of each kind."""
    if name == "VerificationError":
        database.chmod(0o644)
        return "verify", f"sqlite:///{database}"
    text = database.with_name("notes.db")
    text.write_text("not a database")
    return "bootstrap", {
        "InvalidUriError": "sqlite://sessions.db",
        "UnsupportedBackendError": "postgresql://user:pw@host/db",
        "ForeignDatabaseError": f"sqlite:///{text}",
        "DatabaseUnavailableError": f"sqlite:///{text}/sessions.db",
    }[name]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("VerificationError", 1),
        ("InvalidUriError", 2),
        ("UnsupportedBackendError", 2),
        ("ForeignDatabaseError", 3),
        ("DatabaseUnavailableError", 4),
    ],
)
def test_a_failure_has_its_exit_code(kind: str, code: int, database: Path) -> None:
    """And for scripts the same as one object, for people in one line."""
    command, uri = failing(kind, database)

    plain, as_json = session_db(command, uri=uri), session_db(command, "--json", uri=uri)

    assert (plain.returncode, as_json.returncode) == (code, code)
    error = json.loads(as_json.stdout)["error"]
    assert error["kind"] == kind
    assert as_json.stderr == f"error: {error['message']}\n"
    assert plain.stderr.splitlines()[-1] == f"error: {error['message']}"
    assert plain.stdout == ""


def test_without_any_database_the_three_ways_are_named(project: Path) -> None:
    """A stack, the environment or a file."""
    done = run(sys.executable, "-m", "app.cli", "bootstrap", cwd=project, SESSION_DB_URI="")

    assert done.returncode == 2
    for way in ("--stack dev", "SESSION_DB_URI in the environment", "in .env"):
        assert way in done.stderr


def test_the_database_may_be_named_in_a_file(project: Path, path: Path) -> None:
    """The process environment is not the only place."""
    (project / ".env.local").write_text(f"SESSION_DB_URI=sqlite:///{path}\n")

    done = run(sys.executable, "-m", "app.cli", "bootstrap", "--json", cwd=project, SESSION_DB_URI="")

    assert json.loads(done.stdout)["created"] == TABLES
    assert path.exists()


def test_a_stack_without_a_name_is_not_the_environment(project: Path, path: Path) -> None:
    """`--stack "$STACK"` with an unset variable must not touch another database."""
    (project / "infra").mkdir()
    (project / "infra" / "__main__.py").write_text("import sys; sys.exit('error: expected a name')")
    command = [sys.executable, "-m", "app.cli", "bootstrap", "--stack", ""]
    done = run(*command, cwd=project, SESSION_DB_URI=f"sqlite:///{path}")

    assert done.returncode == 4
    assert not path.exists()


@pytest.mark.parametrize("command", [["bootstrap"], ["bootstrap", "--json"], ["verify", "--json"], ["serve"]])
@pytest.mark.parametrize(
    "uri",
    ["postgresql://user:s3cret-p@ss@host/db", "postgresql:/user:s3cret-p@ss@host/db", "sqlite://u/s3cret-p@ss"],
)
def test_no_password_is_shown(command: list[str], uri: str) -> None:
    """On no stream, however the URI is misspelt."""
    done = session_db(*command, uri=uri)

    assert done.returncode == 2
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--nope",), ("nope",), ("bootstrap", "--nope"), ("serve", "--port", "x"), ("serve", "--port", "65536")],
)
def test_a_wrong_command_line_is_told_from_a_failure(arguments: tuple[str, ...], path: Path) -> None:
    """Exit code 2, and how to get help."""
    done = session_db(*arguments, uri=path)

    assert done.returncode == 2
    assert "--help" in done.stderr
    assert not path.exists()


def test_a_path_is_printed_as_it_is(tmp_path: Path) -> None:
    """Neither taken for markup nor for an emoji, nor broken at the terminal's width."""
    folder = tmp_path / "[red]:a:smile:" / ("long " * 40).strip()
    done = session_db("bootstrap", uri=folder / "s.db")

    assert done.stderr == f"schema of sqlite:///{folder}/s.db: created {', '.join(TABLES)}\n"


def test_the_help_lists_the_exit_codes_of_the_errors() -> None:
    """The tree of errors and the help say the same."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {str(kind.exit_code) for kind in kinds if issubclass(kind, errors.SessionDatabaseError)}
    listed = {line.split()[0] for line in cli._EXIT_CODES.splitlines() if line.startswith("  ")}  # noqa: SLF001

    assert listed == codes | {"0", "130"}
