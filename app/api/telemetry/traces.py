"""OpenTelemetry traces of requests and statements, on only where an OTLP endpoint is set, and without what users say.

ADK itself sets the provider and its exporter from the OTEL_ variables (google-adk 2.13 `telemetry/setup.py`).
"""

import os
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span, Status, StatusCode
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import InvalidSettingError

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_CONTENT: Final = "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"
"""ADK writes prompts and answers into its spans where this is unset (google-adk 2.13 `telemetry/tracing.py`)."""

_TIMEOUT: Final = "OTEL_EXPORTER_OTLP_TIMEOUT"
"""Seconds; at its end a process waits for the export that runs and for the last one, beyond its own drain."""

_PROBES: Final = "livez,readyz,metrics,health"


def judge() -> None:
    """Refuse an endpoint that no span can be sent to; read-only.

    Raises:
        InvalidSettingError: It is no http or https URL (OpenTelemetry, "OTLP Exporter Configuration").
    """
    for name in _ENDPOINTS:
        parts = urlsplit(os.environ.get(name, ""))
        if os.environ.get(name) and not (parts.scheme in ("http", "https") and parts.hostname):
            message = f"expected {name} to be an http or https URL, for example {name}=http://localhost:4318"
            raise InvalidSettingError(message)


def prepare() -> None:
    """Before ADK is put together: no content in spans, and no long wait for a collector, unless somebody wants it."""
    os.environ.setdefault(_CONTENT, "false")
    os.environ.setdefault(_TIMEOUT, "3")


def last_seconds() -> float:
    """How long a process waits at its end for a collector, at most; read-only.

    Twice the time of one export: of the one that runs, and of the last one.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return 0
    try:
        return 2 * float(os.environ.get(_TIMEOUT, "10"))
    except ValueError:  # As OpenTelemetry, which logs it and takes its own.
        return 20


def install(app: FastAPI, engine: AsyncEngine | None) -> None:
    """Trace requests and, with an engine, statements; nothing where no endpoint is set.

    Args:
        app: ADK's app.
        engine: The engine; None on SQLite.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):  # ADK's, or that of whoever has set another one before.
        provider.add_span_processor(Kinds())
    # Imported late: they patch nothing, but take their time.
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor  # noqa: PLC0415

    FastAPIInstrumentor.instrument_app(
        app, excluded_urls=_PROBES, server_request_hook=_without_path, exclude_spans=["receive", "send"]
    )
    if engine is not None:
        # It names SQLAlchemy below 2.1, and listens to events that 2.1 has as well (0.65b0 `package.py`, `engine.py`).
        SQLAlchemyInstrumentor().instrument(engine=engine.sync_engine, skip_dep_check=True)


class Kinds(SpanProcessor):
    """Leaves of exceptions their kind alone: what they say quotes users and rows, and the log has where they were."""

    def _on_ending(self, span: SdkSpan) -> None:
        """The last moment at which a span can be changed (opentelemetry-sdk 1.44, where it is no public name yet)."""
        for event in span.events:
            if event.name == "exception":
                kept = {name: value for name, value in (event.attributes or {}).items() if name == "exception.type"}
                event._attributes = kept  # noqa: SLF001  # An event cannot be taken out of a span, nor replaced.
        if span.status.status_code is StatusCode.ERROR:
            span._status = Status(StatusCode.ERROR)  # noqa: SLF001  # Its setter takes the span for ended already.


def _without_path(span: Span, _: dict[str, Any]) -> None:
    """A path names users and sessions; the span has the route, as its name and as `http.route`."""
    if not span.is_recording():
        return
    for name in ("http.target", "http.url", "url.path", "url.full", "url.query"):
        if name in getattr(span, "attributes", {}):
            span.set_attribute(name, "")
