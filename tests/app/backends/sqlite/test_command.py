"""What the real command says of a file that is no database: one line, its own exit code, and the file as it was."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app import dsn, verbs
from app.backends.interface import Target
from app.backends.sqlite import connection
from app.errors import ForeignDatabaseError, LockedDatabaseError, NotAFileError, VerificationError

COMMAND = str(Path(sys.executable).with_name("session-db"))
BOTH = pytest.mark.parametrize("verb", ["bootstrap", "verify"])


def ended(verb: str, path: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines that tell an error."""
    done = subprocess.run(
        [COMMAND, verb],
        env={**os.environ, "SESSION_DB_URI": f"sqlite:///{path}"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, [line for line in done.stderr.splitlines() if line.startswith("error: ")]


@BOTH
def test_a_folder_is_told(tmp_path: Path, verb: str) -> None:
    """And nothing is put into it."""
    code, said = ended(verb, tmp_path)

    assert (code, len(said)) == (NotAFileError.exit_code, 1)
    assert f"{tmp_path} is a folder" in said[0]
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_a_text_file_is_told(tmp_path: Path, verb: str) -> None:
    """And left as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("not to be lost\n")
    code, said = ended(verb, file)

    assert (code, len(said)) == (ForeignDatabaseError.exit_code, 1)
    assert str(file) in said[0]
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("notes.txt", "not to be lost\n")]


def test_an_empty_file_is_filled_by_a_bootstrap_alone(tmp_path: Path) -> None:
    """`verify` names each table that is missing and leaves the file empty."""
    file = tmp_path / "sessions.db"
    file.touch(mode=0o600)
    code, said = ended("verify", file)
    assert code == VerificationError.exit_code
    assert all(any(f"{table}:" in line for line in said) for table in ("sessions", "events", "app_states"))
    assert file.read_bytes() == b""

    assert ended("bootstrap", file) == (0, [])
    assert ended("verify", file) == (0, [])


@pytest.mark.parametrize("verb", [verbs.bootstrap, verbs.verify])
def test_a_locked_file_is_told(tmp_path: Path, verb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program writes for longer than we wait; the wait is shorter here than it is for users."""
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.1)
    target = Target.of(dsn.parse(f"sqlite:///{tmp_path / 'sessions.db'}"))
    holder = sqlite3.connect(tmp_path / "sessions.db")
    try:
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("CREATE TABLE other (id)")
        with pytest.raises(LockedDatabaseError, match="another process holds its lock"):
            verb(target)
    finally:
        holder.rollback()
        holder.close()
