"""Gives each request an id, or keeps the one that it came with, so that client, proxy and log speak of the same."""

import logging
import re
from typing import Final

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

HEADER: Final = "X-Request-ID"

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")
"""Of proxies, clouds and OpenTelemetry; nothing that could forge a line of a log."""


def install(app: FastAPI) -> None:
    """Put it around everything that is there already.

    Args:
        app: ADK's app.
    """
    # It says so for every id that does not fit, and whoever sends them decides how often.
    logging.getLogger("asgi_correlation_id").setLevel(logging.ERROR)
    app.add_middleware(CorrelationIdMiddleware, header_name=HEADER, validator=_fits)


def _fits(value: str) -> bool:
    return _ID.fullmatch(value) is not None
