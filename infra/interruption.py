"""Ctrl-C and SIGTERM: the engine finishes the step in hand, and the state stays consistent."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import psutil
from pulumi.automation import CommandError

from infra.errors import InterruptedByUserError


@contextlib.contextmanager
def patient(stack: str, report: Callable[[str], None]) -> Iterator[None]:
    """Wait for the engine where a plain KeyboardInterrupt would leave it alone.

    A terminal sends Ctrl-C to the engine too, and a second one makes it drop the step, so only a signal that reached
    this process alone is passed on.

    Args:
        stack: The stack's name.
        report: Called with a line when the user asks to stop.

    Raises:
        InterruptedByUserError: The user stopped the operation.
    """
    asked = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if not asked.is_set():
            report("stopping: the step in hand is finished first")
        asked.set()
        if number != signal.SIGINT or not _in_foreground():
            for child in psutil.Process().children():
                child.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except CommandError:
        if not asked.is_set():
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked.is_set():
        message = f"stopped as asked. The state is consistent; to go on: make up STACK={stack}"
        raise InterruptedByUserError(message)


def _in_foreground() -> bool:
    """Whether this process has a terminal whose Ctrl-C reaches its whole group."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
