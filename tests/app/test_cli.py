"""`session-db` as a person and a script run it: real processes, their streams and exit codes."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest

from app import cli
from app.environment import ROOT

TABLES = ["app_states", "sessions", "user_states", "events"]
VERBS = list(cli.cli.commands)

Finished = subprocess.CompletedProcess[str]


def run(*command: str, cwd: Path = ROOT, **environ: str) -> Finished:
    """Run a command to its end; none may end in a traceback."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | environ, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def steps(path: Path) -> list[str]:
    """What a bootstrap does where there is no file."""
    return [f"create file {path}, mode 0600", "switch to WAL mode", *(f"create table {name}" for name in TABLES)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project without anybody's `.env`."""
    shutil.copytree(ROOT / "app", tmp_path / "project" / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "project"


@pytest.mark.parametrize("command", [(), *((verb,) for verb in VERBS)], ids=lambda command: " ".join(command) or "none")
def test_the_help_has_an_example_and_the_exit_codes(command: tuple[str, ...]) -> None:
    """On standard output, and without loading ADK, which takes seconds."""
    done = run(sys.executable, "-X", "importtime", "-m", "app.cli", *command, "--help")

    assert done.returncode == 0
    assert f"Example: session-db {' '.join(command)}" in done.stdout
    codes = re.findall(r"^ +(\d+) ", done.stdout.partition("Exit codes")[2], re.MULTILINE)
    first = ["0", "1", "2", "3", "2", "4"] if command == ("connect",) else ["0", "1", "2", "3", "4"]
    assert codes == [*first, *map(str, range(10, 24)), "130"], "psql's own stand before those of every command"
    loaded = {line.rsplit("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "app" in loaded
    assert "google" not in loaded


def test_the_release_is_told() -> None:
    """As in session_db_history, by which replicas, image and database are compared."""
    assert run(sys.executable, "-m", "app.cli", "--version").stdout == f"{version('session-database')}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_explained(verb: str) -> None:
    """And one that takes a URI says that it takes no password, which every user of the machine could then read."""
    for option in (param for param in cli.cli.commands[verb].params if isinstance(param, click.Option)):
        assert option.help, option.name
        assert option.name != "uri" or "without a password" in option.help


@pytest.mark.parametrize("verb", ["plan", "bootstrap", "verify", "drift"])
def test_the_verbs_of_a_database_take_the_same_options(verb: str) -> None:
    """Whoever adds a role to one adds it to all, or they would see different databases; a password is set by one."""
    names = [name for option in cli.cli.commands[verb].params for name in option.opts]

    assert names == [
        "--stack",
        "--rehearse",
        "--json",
        "--owner",
        "--read-only-role",
        "--schema",
        "--app-identity",
        "--lock-wait",
        "--statement-wait",
        *(["--set-password"] if verb == "bootstrap" else []),
    ]


def test_a_plan_for_people(path: Path, session_db: Any) -> None:
    """What is there and what would be done on standard error; on standard output the SQL, ready for `sqlite3`."""
    done = session_db("plan", uri=path)

    assert done.returncode == 0
    assert done.stderr == f"sqlite:///{path}: found no such file: {', '.join(steps(path))}\n"
    assert [line for line in done.stdout.splitlines() if line.startswith("-- ")] == [
        f"-- {step}" for step in steps(path)
    ]
    assert not path.parent.exists()
    path.parent.mkdir()
    path.touch(0o600)
    connection = sqlite3.connect(path)
    try:
        connection.executescript(done.stdout)
    finally:
        connection.close()
    again = session_db("plan", uri=path)
    assert again.stderr == f"sqlite:///{path}: found ADK's layout for SQLite: nothing to change\n"
    assert (again.returncode, again.stdout) == (0, "")


def test_a_plan_for_scripts(path: Path, session_db: Any) -> None:
    """Standard output is exactly one object; nothing is made."""
    done = session_db("plan", "--json", uri=path)

    answer = json.loads(done.stdout)
    assert list(answer) == ["uri", "found", "steps"]
    assert (answer["uri"], answer["found"]) == (f"sqlite:///{path}", "no such file")
    assert [step["name"] for step in answer["steps"]] == steps(path)
    assert [sql.split("(")[0].strip() for step in answer["steps"] for sql in step["sql"]] == [
        "PRAGMA journal_mode = WAL",
        *(f"CREATE TABLE {name}" for name in TABLES),
    ]
    assert (done.returncode, done.stderr) == (0, "")
    assert not path.parent.exists()


def test_a_bootstrap_for_people(path: Path, session_db: Any) -> None:
    """The news go to standard error; there is no result to pipe on."""
    first = session_db("bootstrap", uri=path)
    second = session_db("bootstrap", uri=path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr.splitlines() == [*steps(path), f"schema of sqlite:///{path}: {', '.join(steps(path))}"]
    assert second.stderr == f"schema of sqlite:///{path}: nothing to change\n"
    assert first.stdout + second.stdout == ""


def test_a_bootstrap_for_scripts(path: Path, session_db: Any) -> None:
    """Standard output is exactly one object."""
    first = session_db("bootstrap", "--json", uri=path)
    second = session_db("bootstrap", "--json", uri=path)

    uri = f"sqlite:///{path}"
    assert json.loads(first.stdout) == {"uri": uri, "steps": steps(path), "changed": True, "refused": 0}
    assert json.loads(second.stdout) == {"uri": uri, "steps": [], "changed": False, "refused": 0}
    assert (first.returncode, second.returncode, first.stderr + second.stderr) == (0, 0, "")


def test_a_verification_for_people(database: Path, session_db: Any) -> None:
    """The tables with their rows, and before the wait a word of what is going on."""
    done = session_db("verify", uri=database)

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "trying the database with ADK",
        "the database is as it should be, and ADK itself wrote, read and deleted a session in it",
    ]
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines == [[f"sqlite:///{database}"], ["table", "rows"], *([table, "0"] for table in TABLES)]


def test_a_verification_for_scripts(database: Path, session_db: Any) -> None:
    """Standard output is exactly one object."""
    done = session_db("verify", "--json", uri=database)

    expected = {"uri": f"sqlite:///{database}", "file": str(database), "tables": dict.fromkeys(TABLES, 0), "left": []}
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, expected, "")


def test_a_database_without_drift(database: Path, session_db: Any) -> None:
    """For people a line, for scripts an object."""
    plain, as_json = session_db("drift", uri=database), session_db("drift", "--json", uri=database)

    uri = f"sqlite:///{database}"
    assert (plain.returncode, plain.stdout, plain.stderr) == (0, "", f"{uri}: no difference\n")
    assert (as_json.returncode, json.loads(as_json.stdout), as_json.stderr) == (0, {"uri": uri, "differences": []}, "")


@pytest.mark.parametrize("verb", ["drift", "verify"])
def test_a_database_that_drifted(verb: str, database: Path, session_db: Any) -> None:
    """Exit code 1, a line for each difference, and for scripts a list of them; nothing is mended."""
    sqlite3.connect(database).executescript("PRAGMA journal_mode = DELETE").connection.close()
    database.chmod(0o644)
    differences = [
        "journal mode: expected wal, found delete. To set it: session-db bootstrap",
        f"file mode: expected 0600, found 0644. To mend it: make up, or chmod 600 {database}",
    ]

    plain, as_json = session_db(verb, uri=database), session_db(verb, "--json", uri=database)

    lines = "".join(f"error: {line}\n" for line in differences)
    assert (plain.returncode, plain.stdout, plain.stderr.removeprefix("trying the database with ADK\n")) == (
        1,
        "",
        lines,
    )
    error = {"kind": "VerificationError", "message": "\n".join(differences), "differences": differences}
    assert (as_json.returncode, json.loads(as_json.stdout), as_json.stderr) == (1, {"error": error}, lines)
    assert database.stat().st_mode & 0o777 == 0o644


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

    assert json.loads(done.stdout)["steps"] == steps(path)
    assert path.exists()


def test_a_stack_without_a_name_is_not_the_environment(project: Path, path: Path) -> None:
    """`--stack "$STACK"` with an unset variable must not touch another database."""
    (project / "infra").mkdir()
    (project / "infra" / "__main__.py").write_text("import sys; sys.exit('error: expected a name')")
    command = [sys.executable, "-m", "app.cli", "bootstrap", "--stack", ""]
    done = run(*command, cwd=project, SESSION_DB_URI=f"sqlite:///{path}")

    assert done.returncode == 2
    assert not path.exists()


def test_a_path_is_printed_as_it_is(tmp_path: Path, session_db: Any) -> None:
    """Neither taken for markup nor for an emoji, nor broken at the terminal's width."""
    file = tmp_path / "[red]:a:smile:" / ("long " * 40).strip() / "s.db"
    done = session_db("bootstrap", uri=file)

    assert done.stderr.splitlines()[-1] == f"schema of sqlite:///{file}: {', '.join(steps(file))}"


def test_an_address_of_two_lines_is_refused_in_one(session_db: Any, path: Path) -> None:
    """Nobody writes a line of their own into a log by it."""
    done = session_db("serve", "--host", "192.0.2.1\nerror: forged", uri=path)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: Invalid value for '--host': expected an address")
    assert not any(line.startswith("error: forged") for line in done.stderr.splitlines())
