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
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from sqlalchemy import URL

from app import dsn
from app.backends.sqlite.uri import database_path
from app.errors import InvalidSettingError
from app.regular import readable

ROOT: Final = Path(__file__).resolve().parents[1]
"""The project's root: the folder that holds `app/`."""

SESSION_DB_URI: Final = "SESSION_DB_URI"

ADMIN_DB_URI: Final = "ADMIN_DB_URI"

DEFAULT_SESSION_DB_URI: Final = f"sqlite:///{ROOT / 'data' / 'sessions' / 'sessions.db'}"
"""What the API server uses where nothing is set: the file of the `dev` stack, absolute."""

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
        InvalidSettingError: The file is inside the agents folder, or AGENTS_DIR names no folder.
    """
    agents_dir()
    return outside_agents(dsn.parse(setting(SESSION_DB_URI) or DEFAULT_SESSION_DB_URI))


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
        # Without interpolation: a generated password may contain `${`. An editor may have put a BOM in front.
        return dotenv_values(file, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"expected {file} to be readable UTF-8 text of NAME=value lines. Mend or remove it."
        raise InvalidSettingError(msg) from error
