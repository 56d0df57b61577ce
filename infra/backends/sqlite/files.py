"""The database file on disk: what is refused, what is made and mended, and how it is kept when it goes."""

import contextlib
import errno
import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from infra.errors import DatabaseFileError

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700

SIDECARS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database (sqlite.org, "Temporary Files Used By SQLite")."""

_UNSAFE: Final = re.compile(r"[?#%\x00-\x1f]")
"""ADK cuts a path at `?` and `#` and keeps %-escapes raw (google-adk 2.13 `sqlite_session_factory`)."""

_ADK_TABLES: Final = {"app_states", "user_states", "sessions", "events"}

_HEADER: Final = b"SQLite format 3\x00"
_LOCK_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Condition:
    """How a database file stands on disk: octal modes of file and folder, and the owner's user id."""

    file_mode: str
    folder_mode: str
    owner: str

    @classmethod
    def wanted(cls) -> "Condition":
        """The one condition that is right: private to whoever runs this process."""
        return cls(f"{FILE_MODE:04o}", f"{FOLDER_MODE:04o}", str(os.geteuid()))


def inspect(path: Path) -> Condition | None:
    """How the file at `path` stands, or None where there is none; read-only."""
    try:
        file, folder = path.stat(), path.parent.stat()
    except FileNotFoundError:
        return None
    return Condition(f"{stat.S_IMODE(file.st_mode):04o}", f"{stat.S_IMODE(folder.st_mode):04o}", str(file.st_uid))


def refusal(path: Path, agents: Path, *, managed: bool) -> str | None:  # noqa: PLR0911  # One return a reason.
    """Why `path` cannot be the database, or None where it can; read-only.

    Args:
        path: The absolute path asked for.
        agents: The folder that ADK scans for agents.
        managed: Whether the stack already owns this file: then a wrong owner is drift to mend, not a refusal.

    Returns:
        One sentence with what was expected and an example.
    """
    example = "For example: data/sessions/sessions.db"
    if found := _UNSAFE.search(str(path)):
        return (
            f"expected a path without ? # or %, which do not survive in a URI, but {path} has {found[0]!r}. {example}"
        )
    real = Path(os.path.realpath(path))  # `Path.resolve` raises where links lead in a circle.
    if real.is_relative_to(os.path.realpath(agents)):
        return f"expected a path outside the agents folder, which ADK scans for agents, got {path}. {example}"
    if path.is_symlink():
        return f"expected a file, but {path} is a symbolic link. Name the place it leads to: {real}"
    if path.is_dir():
        return f"expected a file, but {path} is a folder. Add a file name: {path / 'sessions.db'}"
    if reason := _sidecar_refusal(path):
        return reason
    if managed:
        return _file_refusal(path, managed=True) if path.exists() else None
    return _folder_refusal(path) or (_file_refusal(path, managed=False) if path.exists() else None)


def _sidecar_refusal(path: Path) -> str | None:
    """SQLite replays a `-wal` into whatever database appears beside it, and a link would lead chmod astray."""
    for beside in _sidecars(path):
        if not stat.S_ISREG(beside.lstat().st_mode):
            return f"expected a regular file, but {beside} is none. Remove it"
        if not path.exists():
            return f"expected a database beside {beside}, which is left of another one. Move it away, or put that back"
    return None


def backups_refusal(backups: Path) -> str | None:
    """Why `backups` cannot keep databases, or None where it can; read-only."""
    there = next(place for place in (backups, *backups.parents) if os.path.lexists(place))
    return None if there.is_dir() else f"expected a folder, but {there} is none. For example: data/backups"


def _folder_refusal(path: Path) -> str | None:
    """The folder becomes private (0700), so it must be ours and hold nothing but databases."""
    folder = path.parent
    ancestor = next(parent for parent in path.parents if parent.exists())
    if not ancestor.is_dir():
        return f"expected a folder, but {ancestor} is a file. Choose another path for the database"
    if ancestor != folder:
        return None if os.access(ancestor, os.W_OK | os.X_OK) else f"expected a folder to write to, got {ancestor}"
    if folder.stat().st_uid != os.geteuid():
        return f"expected a folder of your own, but {folder} belongs to user id {folder.stat().st_uid}"
    if folder.stat().st_mode & (stat.S_ISVTX | stat.S_IWOTH) or folder.is_mount():
        return f"expected a folder of the database's own, but {folder} is shared. For example: {folder / 'sessions'}"
    strangers = sorted(entry.name for entry in folder.iterdir() if not _belongs(entry))
    if strangers:
        return (
            f"expected a folder of the database's own, since it becomes private (mode 0700), but {folder} also holds "
            f"{strangers[0]}. For example: {folder / 'sessions' / path.name}"
        )
    return None


def _belongs(entry: Path) -> bool:
    name = entry.name
    for suffix in SIDECARS:
        name = name.removesuffix(suffix)
    return name == ".gitkeep" or name.endswith((".db", ".sqlite", ".sqlite3"))


def _file_refusal(path: Path, *, managed: bool) -> str | None:
    if not path.is_file():
        return f"expected a regular file, but {path} is none"
    owner = path.stat().st_uid
    if owner != os.geteuid() and not managed:
        return f"expected a file of your own, but {path} belongs to user id {owner}. Choose another path"
    try:
        sqlite = _is_sqlite(path)
    except PermissionError:
        return f"expected a file that can be read, but {path} cannot. To take it back: chmod 600 {path}"
    if not sqlite:
        return f"expected a SQLite database or no file yet, but {path} is something else. Choose another path"
    if not managed and (tables := _tables(path)) and not tables & _ADK_TABLES:
        return f"expected ADK's tables or none, but {path} holds {', '.join(sorted(tables))}. Choose another path"
    return None


def _tables(path: Path) -> set[str]:
    """The tables of a database; `immutable` writes nothing beside it, and leaves out what only a WAL holds."""
    connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        return set()  # Damaged: what is left of it is kept, and the bootstrapper says so.
    finally:
        connection.close()


def _is_sqlite(path: Path) -> bool:
    """Whether the file begins as every SQLite database does, or is empty, which is a new one to SQLite."""
    with path.open("rb") as file:
        return file.read(len(_HEADER)) in (b"", _HEADER)


def secure(path: Path) -> None:
    """Make the file and its folder where missing, and make both private; never touches the data.

    Raises:
        DatabaseFileError: The owner cannot be changed by this user, or something strange lies beside the file.
    """
    if reason := _sidecar_refusal(path):
        raise DatabaseFileError(reason)
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
    for part in (path, *_sidecars(path)):
        _own(part)
        part.chmod(FILE_MODE)
    path.parent.chmod(FOLDER_MODE)


def _own(path: Path) -> None:
    if path.stat().st_uid == os.geteuid():
        return
    try:
        os.chown(path, os.geteuid(), -1)
    except PermissionError:
        message = f"{path} belongs to user id {path.stat().st_uid}. To take it back: sudo chown {os.geteuid()} {path}"
        raise DatabaseFileError(message) from None


def retire(path: Path, backups: Path) -> Path | None:
    """Move the database, its WAL merged, into `backups` under a time-stamped name (UTC); nothing is lost.

    Args:
        path: The database; where there is none, nothing is done.
        backups: The folder that keeps it, made with mode 0700 where missing.

    Returns:
        Where the database is now, or None where there was none.

    Raises:
        DatabaseFileError: Another process has the database open.
    """
    if not path.exists():
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = backups / f"{path.stem}-{stamp}{path.suffix}"
    move(path, target)
    return target


def move(path: Path, target: Path) -> None:
    """Move a database to `target`, alone and whole: its WAL is merged and nobody else has it open meanwhile.

    Raises:
        DatabaseFileError: Another process has the database open, or `target` exists.
    """
    target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if target.exists() or _sidecars(target):
        message = f"expected no file at {target}, where {path} would go. Move one of the two away"
        raise DatabaseFileError(message)
    with _exclusive(path):
        _rename(path, target)
    for sidecar in _sidecars(path):
        _rename(sidecar, target.with_name(target.name + sidecar.name.removeprefix(path.name)))


def _sidecars(path: Path) -> list[Path]:
    return [beside for suffix in SIDECARS if os.path.lexists(beside := path.with_name(path.name + suffix))]


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Merge the WAL and hold the only lock; a file that is no database (any more) is taken as it is.

    Merely opening a damaged file would make SQLite remove its journal, which somebody may still need.
    """
    if not _is_sqlite(path):
        yield
        return
    connection = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
    try:
        # Leaving WAL merges it and needs to be the only connection (sqlite.org, "Write-Ahead Logging").
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        connection.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.DatabaseError as error:
        message = f"{path} is in use ({error}). Stop the API server or whatever has it open, and run this again"
        raise DatabaseFileError(message) from None
    finally:
        connection.close()


def _rename(source: Path, target: Path) -> None:
    """Rename, or copy across file systems: whole under its last name, or not at all."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(target.name + ".partial")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
        try:
            shutil.copyfile(source, partial)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        partial.rename(target)
        source.unlink()
