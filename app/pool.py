"""SQLAlchemy's pool, which tells how long each connection was waited for: it has no event for that."""

import time
from collections.abc import Callable
from typing import Any, Self, cast

from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.pool import ConnectionPoolEntry

Waited = Callable[[float], None]
"""Takes seconds."""


def _nobody(_: float) -> None:
    """Nobody listens."""


class MeasuredPool(AsyncAdaptedQueuePool):
    """The pool of an asynchronous engine.

    Attributes:
        waited: Called with the seconds that each connection took, the opening of a new one included.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        """As SQLAlchemy's."""
        super().__init__(*args, **named)
        self.waited: Waited = _nobody

    def recreate(self) -> Self:
        """The pool that takes its place when an engine is disposed."""
        other = cast("Self", super().recreate())
        other.waited = self.waited
        return other

    def _do_get(self) -> ConnectionPoolEntry:
        begun = time.perf_counter()
        try:
            return super()._do_get()
        finally:
            self.waited(time.perf_counter() - begun)
