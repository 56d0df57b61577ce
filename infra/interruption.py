"""Ctrl-C and SIGTERM: the engine finishes the step in hand, and the state stays consistent."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

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
        with _quiet(asked):
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


@contextlib.contextmanager
def _quiet(asked: threading.Event) -> Iterator[None]:
    """Print no more tracebacks from the moment the user asks to stop.

    The engine leaves in the middle of calls to the program, and gRPC prints by itself, not by its log, that it could
    not answer them (grpc `aio/server.pyx.pxi`, `_handle_exceptions`).
    """
    shown = traceback.print_exc

    def unless_asked(*args: Any, **options: Any) -> None:
        if not asked.is_set():
            shown(*args, **options)

    traceback.print_exc = unless_asked
    try:
        yield
    finally:
        traceback.print_exc = shown


def _in_foreground() -> bool:
    """Whether this process has a terminal whose Ctrl-C reaches its whole group."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
