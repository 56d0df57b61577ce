"""The certificates by which psql knows the server: those of the URI, else those of the stack's record."""

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app.backends.postgresql.trust import BUNDLES, SYSTEM
from app.errors import DatabaseUnavailableError
from app.stack import Record

_SYSTEM_SINCE: Final = 16
"""The first psql that knows the word (PostgreSQL 16, "Release Notes")."""

_FILE: Final = "ca.pem"

_SECONDS: Final = 20.0


def needed(url: URL, record: Record | None) -> str:
    """What the record has for a server that is to be checked and whose URI names no certificates; empty for nothing.

    Args:
        url: The database's.
        record: What its stack exports.

    Returns:
        PEM, the address of a file with PEM, or `system`.
    """
    checked = url.query.get("sslmode") in ("verify-ca", "verify-full")
    named = url.query.get("sslrootcert")
    if named is not None or not checked or record is None:
        return SYSTEM if named == SYSTEM else ""
    return record.text("ca_certificate")


def words(found: str, folder: Path, psql: str) -> Mapping[str, str]:
    """The words of libpq for it, the file written.

    Args:
        found: From `needed`.
        folder: A private folder.
        psql: The program that is to read it.

    Raises:
        DatabaseUnavailableError: It could not be downloaded.
    """
    if found == SYSTEM:
        return {"sslrootcert": _system(psql)}
    if not found:
        return {}
    file = folder / _FILE
    file.write_text(_downloaded(found) if found.startswith("https://") else found)
    return {"sslrootcert": str(file)}


def shown(found: str, stack: str) -> tuple[Mapping[str, str], str]:
    """The same for who is shown the commands alone: the words, and the command that makes the file.

    Args:
        found: From `needed`.
        stack: The stack's name.
    """
    if found == SYSTEM:
        return {"sslrootcert": SYSTEM}, ""
    if not found:
        return {}, ""
    get = f"curl -sSfo {_FILE} {found}"
    if not found.startswith("https://"):
        get = f".venv/bin/python -m infra outputs --stack {stack} --json | jq -r .outputs.ca_certificate > {_FILE}"
    return {"sslrootcert": _FILE}, get


def _system(psql: str) -> str:
    told = subprocess.run([psql, "--version"], check=False, capture_output=True, text=True).stdout
    major = re.search(r"(\d+)", told)
    if major is None or int(major[1]) >= _SYSTEM_SINCE:
        return SYSTEM
    return next((bundle for bundle in BUNDLES if Path(bundle).is_file()), SYSTEM)


def _downloaded(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310  # https, as was looked at.
            return str(answer.read().decode("ascii"))
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        message = (
            f"expected the CA's certificates at {address}, but: {reason}. Download them where that is allowed, and "
            "name the file in the stack file, for example aws.ca_file"
        )
        raise DatabaseUnavailableError(message) from None
