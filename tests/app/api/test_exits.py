"""Whatever an agent does, the server is there for the next request."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from app.api.lifetime import exits
from app.api.storage import failures
from tests.app.api.conftest import running

KINDS = {"exit": SystemExit, "interrupt": KeyboardInterrupt, "cancel": asyncio.CancelledError}
"""The last one as cancel scopes of tools let it out."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Nothing else is done."""
    yield


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Of a server with routes that end Python, in the request's own task and in another one."""
    app = FastAPI(lifespan=exits.guarded(lifespan))

    async def leave(kind: str) -> None:
        said = "what a user has said"
        raise KINDS[kind](said)

    @app.get("/own/{kind}")
    async def own(kind: str) -> None:
        await leave(kind)

    @app.get("/other/{kind}")
    async def other(kind: str) -> None:
        await asyncio.create_task(leave(kind))

    @app.get("/well")
    async def well() -> str:
        return "well"

    failures.install(app)
    with running(app) as made:
        yield made


@pytest.mark.parametrize("path", [f"/{task}/{kind}" for task in ("own", "other") for kind in KINDS])
def test_an_agent_that_ends_python_is_an_agent_that_raises(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """For its client, and for nobody else."""
    answer = client.get(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert "what a user has said" not in answer.text + caplog.text
    assert "ExitError" in caplog.text
    assert client.get("/well").json() == "well"
