"""A connection that gives up on a server that takes what it is sent and answers nothing.

The server bounds its statements itself, unless it is what hangs: its machine frozen, its storage stuck, a pooler in
between stopped. TCP notices none of these, since the other machine's kernel goes on to acknowledge.
"""

from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

_T = TypeVar("_T")

MARGIN: Final = 5.0
"""Seconds for the server to end a statement by itself first, which says more and keeps the connection."""


class PatientConnection(psycopg.AsyncConnection[Any]):
    """psycopg's connection, whose every wait for the server ends.

    Attributes:
        patience: The seconds that one wait may take; None for no bound.
    """

    patience: float | None = None

    async def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:  # noqa: ASYNC109  # Theirs.
        """As psycopg's, which takes a bound and sets none (psycopg/psycopg `connection_async.py`).

        Args:
            gen: What is done on the connection.
            interval: Seconds between two looks for an interrupt.
            timeout: Seconds that it may take; `patience` where None.

        Raises:
            psycopg.OperationalError: The server has not answered; the connection is closed, as its state is unknown.
        """
        try:
            return await super().wait(gen, interval, self.patience if timeout is None else timeout)
        except _WaitTimeout:
            self.pgconn.finish()
            message = f"connection closed: the server has not answered within {self.patience} s"
            raise psycopg.OperationalError(message) from None
