"""The log of a server: one line for each event, as JSON or as text, with the request's id and without secrets.

It goes to standard output; what the command itself says to people is on standard error.
"""

import logging
import logging.config
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

import psycopg
from asgi_correlation_id import CorrelationIdFilter
from pythonjsonlogger.json import JsonFormatter
from sqlalchemy.exc import SQLAlchemyError

from app.api.observed import Seen
from app.settings import Settings, variable

_LOG: Final = logging.getLogger(__name__)

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s [%(correlation_id)s] %(message)s"

_FIELDS: Final = ["asctime", "levelname", "name", "message", "correlation_id"]

_NAMES: Final = {"asctime": "time", "levelname": "level", "name": "logger", "correlation_id": "request_id"}

_QUOTING: Final = (SQLAlchemyError, psycopg.Error)


class Logs(Settings):
    """What is logged, and how."""

    form: Literal["text", "json"] = variable(
        "API_LOG_FORMAT", "text", "`text` for people, or `json`, one object a line", example="json"
    )
    level: Literal["debug", "info", "warning", "error"] = variable(
        "API_LOG_LEVEL", "info", "`debug`, `info`, `warning` or `error`; libraries say nothing below `warning`"
    )


def install(logs: Logs) -> None:
    """Have the whole process log so, libraries too.

    Args:
        logs: The settings.
    """
    ours = getattr(logging, logs.level.upper())
    # ADK logs whole events at `debug`, and the ids of sessions at `info` (google-adk 2.13 `api_server.py`).
    theirs = max(ours, logging.WARNING)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": _formatter, "form": logs.form}},
            "filters": {"id": {"()": CorrelationIdFilter, "default_value": "-"}, "concealed": {"()": Concealed}},
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
                "app": {"level": ours},
                "app.pool": {"level": theirs},  # SQLAlchemy logs as whatever class the pool is.
                "uvicorn": {"level": theirs, "handlers": [], "propagate": True},
                "uvicorn.error": {"level": theirs, "handlers": [], "propagate": True},
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


class Concealed(logging.Filter):
    """Takes out of a record what a database's error quotes: statements, rows and addresses, whoever logs it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        quoted = [each for each in _arguments(record) if isinstance(each, _QUOTING)]
        raised = record.exc_info[1] if record.exc_info else None
        if quoted or (raised is not None and _has_database_error(raised)):
            record.exc_info, record.exc_text = None, None
            kinds = {type(each).__name__ for each in (*quoted, raised) if each is not None}
            record.msg, record.args = f"{str(record.msg).split('%')[0]}[{', '.join(sorted(kinds))}]", None
        return True


def _arguments(record: logging.LogRecord) -> tuple[Any, ...]:
    return record.args if isinstance(record.args, tuple) else ()


def _has_database_error(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _QUOTING):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


class _Json(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """RFC 3339, in UTC."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _formatter(form: str) -> logging.Formatter:
    return _Json(_FIELDS, rename_fields=_NAMES) if form == "json" else logging.Formatter(_TEXT)
