"""Where ADK keeps what is no session: artifacts and memories, which the session database does not hold."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problem import problem
from app.api.storage import artifacts
from app.errors import InvalidSettingError
from app.settings import WHERE, Settings, variable

if TYPE_CHECKING:
    from google.adk.artifacts.base_artifact_service import BaseArtifactService
    from google.adk.memory.base_memory_service import BaseMemoryService

_T = TypeVar("_T")

_SCHEME: Final = "session-db"
_OF_THE_PROCESS: Final = "memory://"
_ARTIFACTS: Final = "/apps/{app_name}/users/{user_id}/sessions/{session_id}/artifacts"
_PACKAGES: Final = ". Its Python package is missing, for gs:// google-cloud-storage: docs/containers.md"
_MEMORY: Final = "/apps/{app_name}/users/{user_id}/memory"


class Stores(Settings):
    """The places, as ADK names them (Agent Development Kit, "Command line": `--artifact_service_uri`)."""

    artifacts: str | None = variable(
        "API_ARTIFACTS",
        None,
        "where artifacts are kept: gs://bucket, file:///folder, a scheme of the agents' services.py, or memory:// for "
        "the memory of each process, which a restart empties; where unset, their routes answer 404",
        example="gs://sessions-artifacts",
    )
    memories: str | None = variable(
        "API_MEMORIES",
        None,
        "where memories are kept: agentengine://id, rag://corpus, a scheme of the agents' services.py, or memory:// "
        "as above; where unset, their route answers 404",
        example="agentengine://1234567890",
    )


def registered(stores: Stores) -> str:
    """The URI by which ADK gets both.

    ADK would take memory in place of an unknown scheme, and say so in a log alone (google-adk 2.13
    `create_artifact_service_from_options`); a place that cannot be used ends the start here. Agents whose tools keep
    artifacts without a place keep them in the process, as in ADK itself.

    Args:
        stores: The settings.
    """
    # Late: a start that is refused should not have to wait for ADK.
    from google.adk.cli.service_registry import get_service_registry  # noqa: PLC0415

    registry = get_service_registry()

    def of_artifacts(uri: str, **named: Any) -> "BaseArtifactService":  # noqa: ARG001  # ADK gives them.
        root = artifacts.folder(stores.artifacts or "")
        if root is not None and not root.is_dir():
            raise InvalidSettingError(_unusable("API_ARTIFACTS", f"there is no folder {root}"))
        made = _made("API_ARTIFACTS", stores.artifacts, registry.create_artifact_service, named)
        return artifacts.telling(made, root)

    def of_memories(uri: str, **named: Any) -> "BaseMemoryService":  # noqa: ARG001  # As above.
        return _made("API_MEMORIES", stores.memories, registry.create_memory_service, named)

    registry.register_artifact_service(_SCHEME, of_artifacts)
    registry.register_memory_service(_SCHEME, of_memories)
    return f"{_SCHEME}://"


def _made(name: str, place: str | None, make: Callable[..., _T | None], named: dict[str, Any]) -> _T:
    try:
        service = make(place or _OF_THE_PROCESS, **named)
    except Exception as error:  # noqa: BLE001  # A vendor's library may raise anything; its words may be secret.
        reason = str(error) if isinstance(error, ImportError | ValueError) else type(error).__name__
        reason += _PACKAGES if isinstance(error, ImportError) else ""
        raise InvalidSettingError(_unusable(name, reason)) from None
    if service is None:
        raise InvalidSettingError(_unusable(name, "ADK knows no such scheme"))
    return service


def _unusable(name: str, reason: str) -> str:
    return f"expected {name} to name a place that can be used, for example {name}={_OF_THE_PROCESS}: {reason}. {WHERE}"


def install(app: FastAPI, stores: Stores) -> None:
    """Close the routes of what has no place: what they acknowledged would be lost, and fill the process's memory.

    Args:
        app: ADK's app.
        stores: The settings.
    """
    for route in app.routes:
        if isinstance(route, APIRoute):
            if stores.artifacts is None and route.path.startswith(_ARTIFACTS):
                route.app = _closed("API_ARTIFACTS", "artifacts")
            if stores.memories is None and route.path == _MEMORY:
                route.app = _closed("API_MEMORIES", "memories")


def _closed(name: str, kept: str) -> ASGIApp:
    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        await problem(404, f"this server keeps no {kept}: {name} names no place for them")(scope, receive, send)

    return closed
