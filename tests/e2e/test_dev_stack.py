"""The dev stack on the real engine: made, seen, mended, moved, taken down, and nothing lost."""

import os
import re
import shutil
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

TABLES = ["app_states", "events", "sessions", "user_states"]


def mode(path: Path) -> str:
    """The permission bits as `ls` and `chmod` speak of them."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def tables(path: Path) -> list[str]:
    """The tables of a database."""
    connection = sqlite3.connect(path)
    try:
        return sorted(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
    finally:
        connection.close()


def remember(path: Path, app: str) -> None:
    """Write a row that has to survive."""
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO app_states VALUES (?, '{}', 0)", (app,))
    connection.commit()
    connection.close()


def remembered(path: Path) -> list[str]:
    """The rows written by `remember`."""
    connection = sqlite3.connect(path)
    try:
        return [app for (app,) in connection.execute("SELECT app_name FROM app_states")]
    finally:
        connection.close()


def test_up_makes_a_private_database_with_the_four_tables(shared: Any) -> None:
    """The folder is 0700, the file 0600."""
    assert tables(shared.database) == TABLES
    assert mode(shared.database) == "600"
    assert mode(shared.database.parent) == "700"


def test_another_up_and_a_preview_change_nothing(shared: Any) -> None:
    """Neither resources nor schema, and the tracked files stay as they were."""
    again = shared.json("up")

    assert again["changes"] == {}
    assert again["schema"]["bootstrap"]["changed"] is False
    assert shared.run("preview", "--expect-no-changes").returncode == 0
    assert "encryptionsalt" not in (shared.root / "Pulumi.dev.yaml").read_text()


def test_the_exported_record_shows_its_secrets_only_on_request(shared: Any) -> None:
    """The record is complete either way."""
    uri = f"sqlite:///{shared.database}"
    masked = shared.json("outputs")["outputs"]
    clear = shared.json("outputs", "--show-secrets")["outputs"]

    assert [masked["session_db_uri"], masked["admin_db_uri"]] == ["[secret]", "[secret]"]
    assert [clear["session_db_uri"], clear["admin_db_uri"]] == [uri, uri]
    assert uri not in shared.run("outputs").stdout
    assert uri in shared.run("outputs", "--show-secrets").stdout
    assert clear["backend"] == "sqlite"
    assert clear["instance"] == str(shared.database)


def test_the_state_is_private_and_holds_no_uri_in_clear(shared: Any) -> None:
    """And the passphrase is nowhere but in its file."""
    passphrase = (shared.root / ".state" / "passphrase").read_text()

    assert mode(shared.root / ".state") == "700"
    assert mode(shared.root / ".state" / "passphrase") == "600"
    for path in (shared.root / ".state").rglob("*"):
        if path.is_file() and path.name != "passphrase":
            content = path.read_text()
            assert passphrase not in content, path
            assert "sqlite:///" not in content, path


def test_session_db_takes_the_stacks_uri(shared: Any) -> None:
    """The bootstrapper and the program meet at the exported record."""
    done = shared.shell(sys.executable, "-m", "app.cli", "verify", "--stack", "dev", "--json")

    assert done.returncode == 0, done.stderr
    assert str(shared.database) in done.stdout


def test_drift_is_seen_by_preview_and_refresh_and_mended_by_up(project: Any) -> None:
    """Wrong modes, then a missing file; the data of the first stays."""
    project.json("up")
    remember(project.database, "kept")
    project.database.chmod(0o644)
    project.database.parent.chmod(0o755)

    assert project.json("preview")["changes"] == {"update": 1}
    assert project.json("refresh")["changes"] == {"update": 1}
    assert project.json("up", "--no-bootstrap")["changes"] == {"update": 1}
    assert [mode(project.database), mode(project.database.parent)] == ["600", "700"]
    assert remembered(project.database) == ["kept"]

    shutil.rmtree(project.root / "data")
    assert project.json("refresh")["changes"] == {"delete": 1}
    assert project.json("up", "--no-bootstrap")["changes"] == {"create": 1}
    assert mode(project.database) == "600"


def test_a_missing_file_is_mended_without_a_refresh(project: Any) -> None:
    """Whoever deleted it need not know what a refresh is."""
    project.json("up")
    shutil.rmtree(project.root / "data")

    assert project.json("up")["changes"] == {"update": 1}
    assert tables(project.database) == TABLES


def test_destroy_keeps_the_database_and_up_starts_an_empty_one(project: Any) -> None:
    """What is only in the WAL is kept too, and the run says where."""
    project.json("up")
    remember(project.database, "kept")

    done = project.run("destroy")

    assert done.returncode == 0, done.stderr
    (kept,) = (project.root / "data" / "backups").iterdir()
    assert str(kept) in done.stderr.replace("\n", "")
    assert remembered(kept) == ["kept"]
    assert not project.database.exists()
    assert project.run("destroy").returncode == 0
    project.json("up")
    assert remembered(project.database) == []
    assert remembered(kept) == ["kept"]


def test_a_database_in_use_is_not_destroyed(project: Any) -> None:
    """The error names the file and the way forward, without a traceback."""
    project.json("up")
    reader = sqlite3.connect(project.database)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM sessions").fetchall()

    done = project.run("destroy")

    reader.close()
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert "Stop the API server" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.database.exists()


def test_the_data_moves_along_with_the_path(project: Any, tmp_path: Path) -> None:
    """Absolute paths are as good as relative ones, spaces and all."""
    project.json("up")
    remember(project.database, "moved")
    target = tmp_path / "my data" / "adk sessions.db"
    project.configure(path=str(target))

    project.json("up", "--no-bootstrap")

    assert remembered(target) == ["moved"]
    assert mode(target.parent) == "700"
    assert not project.database.exists()
    assert project.json("preview")["changes"] == {}


def test_a_database_that_is_there_is_adopted(project: Any) -> None:
    """With its data; a lost state loses nothing else."""
    project.json("up")
    remember(project.database, "adopted")
    shutil.rmtree(project.root / ".state")

    project.json("up", "--no-bootstrap")

    assert remembered(project.database) == ["adopted"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("agents/echo/sessions.db", "outside the agents folder"),
        ("infra", "is a folder"),
        ("README/LICENSE.db", "a folder of the database's own"),
        ("data/sessions/notes.db", "expected a SQLite database"),
        (".state/sessions.db", "a folder of the database's own"),
    ],
)
def test_a_path_that_cannot_be_is_refused_before_anything_changes(project: Any, path: str, words: str) -> None:
    """In one readable line."""
    (project.root / "README").mkdir()
    (project.root / "README" / "thesis.odt").touch()
    notes = project.root / "data" / "sessions" / "notes.db"
    notes.parent.mkdir(parents=True)
    notes.write_text("not a database")
    project.configure(path=path)
    before = {file: file.stat().st_mode for file in project.root.rglob("*") if ".state" not in file.parts}

    done = project.run("up")

    assert done.returncode == 2
    assert "error: Pulumi.dev.yaml: session-database:sqlite.path: expected " in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert before == {
        file: file.stat().st_mode
        for file in project.root.rglob("*")
        if not {".state", ".tools", "__pycache__"} & set(file.parts)
    }


def test_a_wrong_stack_file_ends_in_one_line(project: Any) -> None:
    """Naming file, key, what was expected and an example; also through the engine."""
    project.configure(pth="data/x.db")

    done = project.run("up")

    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    (expected,) = re.findall(
        r"^error: .*$", (project.root / "docs/SESSION_DATABASE_CONFIG.md").read_text(), re.MULTILINE
    )
    assert errors == [expected]
    assert "Traceback" not in done.stderr


def test_a_stack_that_is_not_there_is_named_with_the_way_forward(project: Any) -> None:
    """A typo in --stack, and a stack that was never made."""
    typo = project.run("up", "--stack", "devv")
    assert (typo.returncode, "there are: dev" in typo.stderr) == (2, True)
    never = project.run("outputs")
    assert (never.returncode, "make up STACK=dev" in never.stderr) == (4, True)


def test_another_passphrase_is_explained(project: Any) -> None:
    """Which one is expected, and where."""
    project.json("up", "--no-bootstrap")
    project.environ.update(PULUMI_CONFIG_PASSPHRASE="change-me")
    try:
        done = project.run("up")
    finally:
        del project.environ["PULUMI_CONFIG_PASSPHRASE"]

    assert done.returncode == 4
    assert ".state/passphrase" in done.stderr
    assert "change-me" not in done.stderr + done.stdout


@pytest.mark.skipif(
    not shutil.which("pulumi-language-python"),
    reason="plain `pulumi` needs the official CLI, whose Python language host comes from the open internet only",
)
def test_plain_pulumi_works_on_the_same_stack_and_state(shared: Any) -> None:
    """The program does not depend on its driver."""
    state = shared.root / ".state"
    environ = shared.environ | {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(state / "passphrase"),
        "PATH": os.environ["PATH"],
    }
    tracked = (shared.root / "Pulumi.dev.yaml").read_text()
    (shared.root / ".venv").symlink_to(Path(os.environ["VIRTUAL_ENV"]))
    preview = type(shared)(shared.root, environ).shell(
        "pulumi", "preview", "-s", "dev", "--non-interactive", "--expect-no-changes"
    )
    (shared.root / ".venv").unlink()
    (shared.root / "Pulumi.dev.yaml").write_text(tracked)

    assert preview.returncode == 0, preview.stdout + preview.stderr
