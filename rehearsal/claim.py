"""Which folders are a rehearsal's own: those that it has made, or found empty. Only they are used, and removed."""

import os
import tempfile
from pathlib import Path
from typing import Final

from rehearsal.errors import FolderError

MARKER: Final = ".session-database-rehearsal"
"""The file that says so; `infra/reach.py` writes it, too."""

_NOTE: Final = "A rehearsal's folder: `python -m rehearsal clean` removes it with all that is in it.\n"


def claimed(folder: Path) -> bool:
    """Whether a folder is a rehearsal's own, and of this account; read-only."""
    try:
        return (folder / MARKER).is_file() and folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def claim(folder: Path) -> None:
    """Make a folder a rehearsal's own.

    Args:
        folder: Made where it is not there.

    Raises:
        FolderError: It has somebody's files in it, or cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # In this order: who comes second finds the marker of the first, which was there before anything else.
        if any(folder.iterdir()) and not (folder / MARKER).is_file():
            message = (
                f"expected a new or empty folder for a rehearsal, which `clean` removes, but {folder} has files in it. "
                "For example: SESSION_DB_REHEARSAL=.rehearsal/mine"
            )
            raise FolderError(message)
        if not (folder / MARKER).is_file():
            (folder / MARKER).write_text(_NOTE)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        message = (
            f"expected a folder for a rehearsal that can be made and written to, but {folder}: {error.strerror}. "
            "For example: SESSION_DB_REHEARSAL=.rehearsal/mine"
        )
        raise FolderError(message) from None
