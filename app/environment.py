"""Where settings come from: the process environment, else `.env.local`, else `.env` in the project's root.

SESSION_DB_URI  the session database as ADK opens it, for example `sqlite:////srv/sessions/sessions.db`
ADMIN_DB_URI    the same PostgreSQL database as the role that owns the tables; SESSION_DB_URI's where unset
AGENTS_DIR      the folder of ADK agents; `agents/` in the project's root where unset
ENVIRONMENT     a label for people (`development`, `staging`, `production`); nothing in this package depends on it

An empty value counts as unset.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from dotenv.parser import parse_stream
from sqlalchemy import URL

from app import dsn
from app.backends.sqlite.uri import database_path
from app.errors import InvalidSettingError
from app.regular import readable

ROOT: Final = Path(__file__).resolve().parents[1]
"""The project's root: the folder that holds `app/`."""

SESSION_DB_URI: Final = "SESSION_DB_URI"

ADMIN_DB_URI: Final = "ADMIN_DB_URI"

_DEFAULT: Final = ROOT / "data" / "sessions" / "sessions.db"
"""What the API server uses where nothing is set: the file of the `dev` stack, as long as that has no other one."""

_STACK_FILE: Final = ROOT / "Pulumi.dev.yaml"
"""Not there in an image."""

_PATH: Final = ("config", "session-database:sqlite", "path")

_LONGEST: Final = 255
"""Characters of a path in a message."""

_FILES: Final = (".env.local", ".env")


def setting(name: str, *, environ: Mapping[str, str] = os.environ, root: Path = ROOT) -> str | None:
    """Look one setting up; read-only.

    Args:
        name: The variable, for example `SESSION_DB_URI`.
        environ: The process environment.
        root: The folder of `.env.local` and `.env`.

    Returns:
        The first value that is not blank, or None.

    Raises:
        InvalidSettingError: One of the two files is there and cannot be read.
    """
    found = [environ.get(name), *(_values(root / file).get(name) for file in _FILES)]
    return next((value.strip() for value in found if value and value.strip()), None)


def names(*, environ: Mapping[str, str] = os.environ, root: Path = ROOT) -> frozenset[str]:
    """The variables that are set to something, wherever `setting` looks; read-only.

    Args:
        environ: The process environment.
        root: The folder of `.env.local` and `.env`.

    Raises:
        InvalidSettingError: As `setting`.
    """
    found = [environ, *(_values(root / file) for file in _FILES)]
    return frozenset(name for each in found for name, value in each.items() if value and value.strip())


def served_database() -> URL:
    """The session database of SESSION_DB_URI, else the file of the dev stack; read-only.

    Raises:
        InvalidUriError: SESSION_DB_URI is no URI that ADK reads as we do.
        UnsupportedBackendError: It names a database that this project does not serve.
        InvalidSettingError: The file is inside the agents folder, AGENTS_DIR names no folder, or the dev stack has its
            database elsewhere: a new one would be made, without anybody's sessions.
    """
    agents_dir()
    uri = setting(SESSION_DB_URI)
    if uri is None:
        _require_default()
    return outside_agents(dsn.parse(uri or f"sqlite:///{_DEFAULT}"))


def _require_default() -> None:
    import yaml  # noqa: PLC0415  # No other command needs it.

    with suppress(OSError, UnicodeDecodeError, yaml.YAMLError):  # Whoever wants the stack hears what is wrong with it.
        path: Any = yaml.safe_load(_STACK_FILE.read_text(encoding="utf-8"))
        for key in _PATH:
            path = path.get(key) if isinstance(path, dict) else None
        if isinstance(path, str) and (ROOT / path).resolve() != _DEFAULT.resolve():
            message = (
                f"expected SESSION_DB_URI or a stack, since {_STACK_FILE.name} puts the database at "
                f"{_shown(Path(path))}. For example: make serve STACK=dev, session-db serve --stack dev, or "
                f"SESSION_DB_URI=sqlite:///{_DEFAULT}"
            )
            raise InvalidSettingError(message)


def outside_agents(url: URL) -> URL:
    """The same URL, unless it is of a file inside the agents folder; read-only.

    Raises:
        InvalidSettingError: It is.
    """
    agents = _agents_path()
    if url.get_backend_name() == "sqlite" and database_path(url).is_relative_to(agents):
        message = (
            f"expected a database outside the agents folder {_shown(agents)}, which ADK scans for agents. "
            "Choose another path in SESSION_DB_URI, for example sqlite:////srv/sessions/sessions.db."
        )
        raise InvalidSettingError(message)
    return url


def agents_dir() -> Path:
    """The folder that ADK scans for agents, absolute and with links resolved.

    Raises:
        InvalidSettingError: AGENTS_DIR names no folder, or one that this user may not look into.
    """
    folder = _agents_path()
    with suppress(PermissionError):  # Of a folder above it.
        if not _is_folder(folder):
            msg = (
                f"expected AGENTS_DIR to name a folder of ADK agents, for example {ROOT / 'agents'}; "
                f"{_shown(folder)} is none."
            )
            raise InvalidSettingError(msg)
        if readable(folder):
            return folder
    msg = f"expected AGENTS_DIR to name a folder that user {os.geteuid()} may read: chmod -R a+rX {_shown(folder)}"
    raise InvalidSettingError(msg)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        raise
    except OSError:  # For example a name that is too long for any file system.
        return False


def _shown(path: Path) -> str:
    """In one line of a bearable length, whatever is in it."""
    text = str(path)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text if text.isprintable() else repr(text)


def _agents_path() -> Path:
    return Path(os.path.realpath(setting("AGENTS_DIR") or ROOT / "agents"))


def _values(file: Path) -> Mapping[str, str | None]:
    try:
        found = file.stat()
        return _parsed(file, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        msg = f"expected {file} to be readable UTF-8 text of NAME=value lines. Mend or remove it."
        raise InvalidSettingError(msg) from error


@cache
def _parsed(file: Path, _changed: int, _size: int) -> Mapping[str, str | None]:
    """Once for each state of the file: dozens of settings are looked up at a start.

    python-dotenv itself would drop a line that it cannot read, and name neither the file nor, of a name alone, a line.
    """
    # Without interpolation: a generated password may contain `${`. An editor may have put a BOM in front.
    with file.open(encoding="utf-8-sig") as stream:
        bindings = list(parse_stream(stream))
    for each in bindings:
        if each.error or (each.key is not None and each.value is None):
            msg = f"expected line {each.original.line} of {file} to be NAME=value. Mend it, or begin it with #."
            raise InvalidSettingError(msg)
    return {each.key: each.value for each in bindings if each.key is not None}
