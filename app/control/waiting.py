"""Waits for a cloud: until a server is available, gone, or can be restored to a moment; each with a bound."""

import datetime as dt
import time
from collections.abc import Callable
from typing import TypeVar

from app.control.interface import Control, Server, server
from app.errors import CloudRefusedError

_T = TypeVar("_T")

BOUND = 3600.0
"""Seconds. A restore takes as long as its data; an hour is more than a drill should."""


def available(control: Control, instance: str, bound: float = BOUND) -> Server:
    """Wait until a server serves.

    Args:
        control: Its cloud.
        instance: Its name as in the record.
        bound: The longest wait, in seconds.

    Raises:
        CloudRefusedError: It is not there, has failed, or takes longer.
    """
    found = settled(control, instance, bound)
    if found.failed:
        message = f"expected server {instance} to become available, but its cloud says {found.status}. Look at it there"
        raise CloudRefusedError(message)
    return found


def settled(control: Control, instance: str, bound: float = BOUND) -> Server:
    """Wait until a server serves, or has failed for good.

    Args:
        control: Its cloud.
        instance: Its name as in the record.
        bound: The longest wait, in seconds.

    Raises:
        CloudRefusedError: It is not there, or takes longer.
    """

    def look() -> tuple[str, Server | None]:
        found = server(control, instance)
        return found.status, found if found.available or found.failed else None

    return until(look, control.poll, bound, f"server {instance} to become available")


def gone(control: Control, instance: str, bound: float = BOUND) -> None:
    """Wait until a deleted server is no more.

    Args:
        control: Its cloud.
        instance: Its name as in the record.
        bound: The longest wait, in seconds.

    Raises:
        CloudRefusedError: It takes longer.
    """

    def look() -> tuple[str, bool]:
        found = control.find(instance)
        return ("gone", True) if found is None else (found.status, False)

    until(look, control.poll, bound, f"server {instance} to be deleted")


def restorable(control: Control, instance: str, moment: dt.datetime, bound: float = BOUND) -> Server:
    """Wait until a server can be restored to a moment; at once where its cloud does not tell.

    Args:
        control: Its cloud.
        instance: Its name as in the record.
        moment: The moment.
        bound: The longest wait, in seconds.

    Raises:
        CloudRefusedError: It takes longer.
    """

    def look() -> tuple[str, Server | None]:
        found = server(control, instance)
        latest = found.latest_restorable
        return f"{latest} is", found if latest is None or latest >= moment else None

    return until(look, control.poll, bound, f"{moment:%Y-%m-%d %H:%M:%S} to become restorable")


def until(look: Callable[[], tuple[str, _T | None]], poll: float, bound: float, what: str) -> _T:
    """Look again and again.

    Args:
        look: Gives the cloud's last word, and what is waited for, as soon as it is there.
        poll: How long to wait between two looks, in seconds.
        bound: The longest wait, in seconds.
        what: What is waited for, for the message.

    Raises:
        CloudRefusedError: It takes longer.
    """
    deadline = time.monotonic() + bound
    while True:
        said, found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            message = f"expected {what} within {bound:.0f} s; the last word is: {said}. Look at it in the cloud"
            raise CloudRefusedError(message)
        time.sleep(poll)
