"""OpenTelemetry traces of requests and statements, on only where an OTLP endpoint is set, and without what users say.

ADK itself sets the provider and its exporter from the OTEL_ variables (google-adk 2.13 `telemetry/setup.py`).
"""

import os
from typing import Any, Final

from fastapi import FastAPI
from opentelemetry.trace import Span
from sqlalchemy.ext.asyncio import AsyncEngine

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_CONTENT: Final = "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"
"""ADK writes prompts and answers into its spans where this is unset (google-adk 2.13 `telemetry/tracing.py`)."""

_PROBES: Final = "livez,readyz,metrics,health"


def prepare() -> None:
    """Before ADK is put together: no content in spans, unless somebody has asked for it."""
    os.environ.setdefault(_CONTENT, "false")


def install(app: FastAPI, engine: AsyncEngine | None) -> None:
    """Trace requests and, with an engine, statements; nothing where no endpoint is set.

    Args:
        app: ADK's app.
        engine: The engine; None on SQLite.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return
    # Imported late: they patch nothing, but take their time.
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor  # noqa: PLC0415

    FastAPIInstrumentor.instrument_app(
        app, excluded_urls=_PROBES, server_request_hook=_without_path, exclude_spans=["receive", "send"]
    )
    if engine is not None:
        # It names SQLAlchemy below 2.1, and listens to events that 2.1 has as well (0.65b0 `package.py`, `engine.py`).
        SQLAlchemyInstrumentor().instrument(engine=engine.sync_engine, skip_dep_check=True)


def _without_path(span: Span, _: dict[str, Any]) -> None:
    """A path names users and sessions; the span has the route, as its name and as `http.route`."""
    if not span.is_recording():
        return
    for name in ("http.target", "http.url", "url.path", "url.full", "url.query"):
        if name in getattr(span, "attributes", {}):
            span.set_attribute(name, "")
