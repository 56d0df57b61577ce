"""Keeps an agent that ends Python from ending the server: tools made of scripts call sys.exit on a bad argument.

asyncio lets SystemExit and KeyboardInterrupt out of whatever task they are raised in, and with it out of the loop
(CPython, `Task.__step`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_T = TypeVar("_T")


class ExitError(Exception):
    """What an agent's SystemExit, KeyboardInterrupt or CancelledError becomes.

    Its words may be a user's, and are left behind. For example, a script that is a tool ends Python on a bad argument.
    """


def guarded(lifespan: Lifespan) -> Lifespan:
    """The same, during which no task ends the server.

    Args:
        lifespan: Of the app.
    """

    @asynccontextmanager
    async def guard(app: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_task_factory(_task)
        async with lifespan(app):
            yield

    return guard


def _task(loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> "asyncio.Task[Any]":
    return asyncio.Task(_kept(work), loop=loop, **named)


async def _kept(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        return await work
    except (SystemExit, KeyboardInterrupt):
        raise ExitError from None
