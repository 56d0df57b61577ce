"""One message does not fill a log."""

import logging

from app.api.telemetry.repeated import Repeated


def record(message: str) -> logging.LogRecord:
    """As asyncio makes them, the socket in the text."""
    return logging.LogRecord("asyncio", logging.ERROR, __file__, 1, message, None, None)


def test_a_message_is_said_once_a_minute() -> None:
    """And each other one by itself."""
    now = 100.0
    repeated = Repeated(lambda: now)
    assert repeated.filter(record("socket.accept() out of system resource"))
    assert not any(repeated.filter(record("socket.accept() out of system resource")) for _ in range(1000))
    assert repeated.filter(record("Task exception was never retrieved"))

    now += 60
    assert repeated.filter(record("socket.accept() out of system resource")), "it goes on, and somebody has to know"
