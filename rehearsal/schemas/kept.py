"""Schemas that were read out of an SDK once: an engine starts a stand-in for each operation, an SDK takes a second.

They are kept as Python keeps bytecode: beside the SDK, for this very one and this very reading of it, and only where
it may be written (Python documentation, "The import system": `__pycache__`).
"""

import contextlib
import hashlib
import importlib.util
import pickle
import re
import secrets
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pulumi

from rehearsal.errors import SchemaError
from rehearsal.schemas import kinds, sdk
from rehearsal.schemas.sdk import ResourceSchema


@cache
def resource_schema(package: str, token: str) -> ResourceSchema:
    """As `sdk.resource_schema`, which is asked where nothing is kept."""
    return _kept(package, token, lambda: sdk.resource_schema(package, token))


@cache
def provider_schema(package: str) -> ResourceSchema:
    """As `sdk.provider_schema`, which is asked where nothing is kept."""
    return _kept(package, "provider", lambda: sdk.provider_schema(package))


def _kept(package: str, token: str, read: Callable[[], ResourceSchema]) -> ResourceSchema:
    file = _folder(package) / f"{re.sub(r'[^a-z0-9]+', '-', token, flags=re.IGNORECASE)}.{_mark(package)}.schema"
    # Half a file, or none: it is read anew.
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
        found: ResourceSchema = pickle.loads(file.read_bytes())  # noqa: S301  # Who may write here may write bytecode.
        return found
    schema = read()
    if not sys.dont_write_bytecode:
        _write(file, pickle.dumps(schema))
    return schema


def _write(file: Path, content: bytes) -> None:
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        # Whole, whoever else writes it or reads it in this moment.
        draft = file.with_suffix(f".{secrets.token_hex(4)}")
        draft.write_bytes(content)
        draft.replace(file)


def _mark(package: str) -> str:
    """Another one for every SDK, installation of it, Python and way of reading; the same in each clone."""
    told = hashlib.sha256(str(sys.implementation.cache_tag).encode())
    for reader in (kinds, sdk):
        told.update(Path(str(reader.__file__)).read_bytes())
    for file in (Path(str(pulumi.__file__)), _folder(package).parent / "__init__.py"):
        state = file.stat()
        told.update(f"{state.st_mtime_ns}:{state.st_size}".encode())
    return told.hexdigest()[:16]


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        message = f"expected the package {package}, which is not installed"
        raise SchemaError(message)
    return Path(found.origin).parent / "__pycache__"
