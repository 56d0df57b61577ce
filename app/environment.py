"""Where settings come from: the process environment, else `.env.local`, else `.env` in the project's root.

SESSION_DB_URI  the session database, for example `sqlite:////srv/sessions/sessions.db`; empty counts as unset
AGENTS_DIR      the folder of ADK agents; `agents/` in the project's root where unset
ENVIRONMENT     a label for people (`dev`, `staging`, `prod`); nothing in this package depends on it
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from app.errors import InvalidSettingError

ROOT: Final = Path(__file__).resolve().parents[1]
"""The project's root: the folder that holds `app/`."""

SESSION_DB_URI: Final = "SESSION_DB_URI"

DEFAULT_SESSION_DB_URI: Final = f"sqlite:///{ROOT / 'data' / 'sessions' / 'sessions.db'}"
"""What the API server uses where nothing is set: the file of the `dev` stack, absolute."""

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
    for value in (environ.get(name), *(_in_file(root / file, name) for file in _FILES)):
        if value and value.strip():
            return value.strip()
    return None


def agents_dir() -> Path:
    """The folder that ADK scans for agents, absolute and with links resolved.

    Raises:
        InvalidSettingError: AGENTS_DIR names no folder.
    """
    folder = Path(setting("AGENTS_DIR") or ROOT / "agents").resolve()
    if not folder.is_dir():
        msg = f"expected AGENTS_DIR to name a folder of ADK agents, for example {ROOT / 'agents'}; {folder} is none."
        raise InvalidSettingError(msg)
    return folder


def _in_file(file: Path, name: str) -> str | None:
    try:
        # Without interpolation: a generated password may contain `${`.
        return dotenv_values(file, interpolate=False).get(name)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"expected {file} to be readable UTF-8 text of NAME=value lines. Mend or remove it."
        raise InvalidSettingError(msg) from error
