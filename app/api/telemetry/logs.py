"""The log of a server: one line for each event, as JSON or as text, with the request's id and without secrets.

It goes to standard output; what the command itself says to people is on standard error.
"""

import logging
import logging.config
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from asgi_correlation_id import CorrelationIdFilter
from pythonjsonlogger.json import JsonFormatter

from app.api import agents
from app.api.telemetry.concealed import Concealed
from app.api.telemetry.observed import Seen
from app.api.telemetry.repeated import Repeated
from app.settings import Settings, variable

_LOG: Final = logging.getLogger(__name__)

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s [%(correlation_id)s] %(message)s"

_FIELDS: Final = ["asctime", "levelname", "name", "message", "correlation_id"]

_NAMES: Final = {"asctime": "time", "levelname": "level", "name": "logger", "correlation_id": "request_id"}


class Logs(Settings):
    """What is logged, and how."""

    form: Literal["text", "json"] = variable(
        "API_LOG_FORMAT", "text", "`text` for people, or `json`, one object a line", example="json"
    )
    level: Literal["debug", "info", "warning", "error"] = variable(
        "API_LOG_LEVEL",
        "info",
        "`debug`, `info`, `warning` or `error`, of the server and of agents; libraries say nothing below `warning`",
    )
    exceptions: Literal["kind", "words"] = variable(
        "API_LOG_EXCEPTIONS",
        "kind",
        "what is logged of an exception besides where it was raised: its `kind`, or its `words` as well, which may "
        "quote what users say",
        example="words",
    )


def install(logs: Logs, folder: Path) -> None:
    """Have the whole process log so, libraries and Python's warnings too.

    Args:
        logs: The settings.
        folder: That of the agents; loggers that are named as its modules are follow the level.
    """
    logging.captureWarnings(capture=True)
    ours = getattr(logging, logs.level.upper())
    # ADK logs whole events at `debug`, and the ids of sessions at `info` (google-adk 2.13 `api_server.py`).
    theirs = max(ours, logging.WARNING)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": _formatter, "form": logs.form}},
            "filters": {
                "id": {"()": CorrelationIdFilter, "default_value": "-"},
                "concealed": {"()": Concealed, "words": logs.exceptions == "words"},
                "bare": {"()": Bare},
                "repeated": {"()": Repeated},
            },
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": sys.stdout,
                    "formatter": "line",
                    "filters": ["id", "concealed"],
                }
            },
            "root": {"level": theirs, "handlers": ["out"]},
            "loggers": {
                **{each: {"level": ours} for each in agents.modules(folder)},
                "app": {"level": ours},
                "asyncio": {"level": theirs, "filters": ["repeated"]},
                "app.pool": {"level": theirs},  # SQLAlchemy logs as whatever class the pool is.
                "uvicorn": {"level": theirs, "handlers": [], "propagate": True},
                "uvicorn.error": {"level": theirs, "handlers": [], "propagate": True, "filters": ["bare"]},
                # Its lines have whole paths, and with them the ids of users.
                "uvicorn.access": {"level": logging.CRITICAL, "handlers": [], "propagate": False},
            },
        }
    )


def access(seen: Seen) -> None:
    """The line of a request; of probes, which come every few seconds, only at `debug` while all is well.

    Args:
        seen: The request.
    """
    calm = seen.route in ("/livez", "/readyz", "/metrics", "/health") and seen.status < 400  # noqa: PLR2004
    milliseconds = round(seen.seconds * 1000, 1)
    fields = {"method": seen.method, "route": seen.route, "status": seen.status, "ms": milliseconds}
    _LOG.log(
        logging.DEBUG if calm else logging.INFO,
        "%s %s %d %.1f ms",
        seen.method,
        seen.route,
        seen.status,
        milliseconds,
        extra=fields,
    )


class Bare(logging.Filter):
    """Takes out what uvicorn says of each websocket that is refused in words, though all is well (uvicorn 0.54)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is logged."""
        return record.msg != "ASGI callable returned without completing handshake."


class _Json(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """RFC 3339, in UTC."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _formatter(form: str) -> logging.Formatter:
    return _Json(_FIELDS, rename_fields=_NAMES) if form == "json" else logging.Formatter(_TEXT)
