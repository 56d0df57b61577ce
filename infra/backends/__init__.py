"""One sub-package for each backend, all in the same shape; nothing outside knows which one it got."""

import contextlib
import importlib
from collections.abc import Mapping
from threading import Thread
from typing import Any, Final

from infra.contract import SessionDatabase
from infra.errors import ToolError
from infra.settings import Settings

NAME: Final = "adk-sessions"
"""The component's name in every stack; it is in the URN of everything below, so it never changes."""

_CLASSES: Final = {
    "sqlite": "SqliteDatabase",
    "postgres": "PostgresDatabase",
    "gcp": "GcpDatabase",
    "aws": "AwsDatabase",
    "azure": "AzureDatabase",
}

_SLOW: Final = {"gcp": "pulumi_gcp.compute", "aws": "pulumi_aws.ec2", "azure": "pulumi_azure_native.network"}
"""The module of each cloud's package whose import takes a second, thousands of classes."""


def preloading(backend: str) -> Thread:
    """Import the chosen cloud's slowest module while the engine starts; join it before the program.

    Nobody else may ask a lazy module for anything meanwhile (`importlib.util.LazyLoader` is not made for threads).

    Args:
        backend: As in the stack file, unchecked.
    """
    thread = Thread(target=_preload, args=(_SLOW.get(backend),), daemon=True)
    thread.start()
    return thread


def _preload(module: str | None) -> None:
    """A package that is missing is told by the program, in its own words."""
    if module:
        with contextlib.suppress(ImportError):
            getattr(importlib.import_module(module), "__all__", None)  # Asked for anything, a lazy module is loaded.


def require(backend: str, section: Mapping[str, Any], *, project: str, stack: str) -> None:
    """Refuse what only this machine can tell, before a stack is made; read-only.

    Args:
        backend: As in the stack file, unchecked.
        section: Its section, unchecked.
        project: The Pulumi project, for the refusal.
        stack: The stack's name, for the refusal.

    Raises:
        SettingsError: A password of an existing server is nowhere to be found.
    """
    if backend == "postgres":
        from infra.backends.postgres import passwords  # noqa: PLC0415  # Only the chosen backend is imported.

        passwords.require(section, project=project, stack=stack)


def provision(settings: Settings) -> SessionDatabase:
    """Register the resources of the chosen backend and return its record.

    Only the chosen backend is imported: a cloud's package is an extra that users of another one need not have.

    Raises:
        ToolError: The cloud's provider package is not installed.
    """
    backend = settings.backend
    try:
        module = importlib.import_module(f"infra.backends.{backend}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("pulumi_"):
            raise
        message = (
            f"expected the package {error.name}, which backend {backend} needs. To install it: "
            f"make environment EXTRAS={backend}, or without make: pip install '.[{backend}]'"
        )
        raise ToolError(message) from None
    component = getattr(module, _CLASSES[backend])(NAME, getattr(settings, backend))
    record: SessionDatabase = component.record
    return record
