"""`/metrics` for Prometheus: requests by route, the pool, the time of queries, errors by kind, readiness."""

import time
from typing import Any, Final

from fastapi import FastAPI
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

from app.api.kinds import name
from app.api.lifetime.health import Readiness
from app.api.telemetry.observed import Seen
from app.pool import MeasuredPool

_REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

_QUERY_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_VERBS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})


class Metrics:
    """The numbers of one app, in a registry of its own."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        by = ("method", "route")
        self._requests = Counter("http_requests", "Requests that ended.", (*by, "status"), registry=registry)
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "From the first byte of a request to the last one of its answer.",
            by,
            registry=registry,
            buckets=_REQUEST_SECONDS,
        )
        self._errors = Counter(
            "session_db_errors", "Errors of the database that requests met.", ("kind",), registry=registry
        )

    def request(self, seen: Seen) -> None:
        """Count a request.

        Args:
            seen: The request.
        """
        self._requests.labels(seen.method, seen.route, seen.status).inc()
        self._seconds.labels(seen.method, seen.route).observe(seen.seconds)

    def error(self, kind: type[Exception]) -> None:
        """Count an error.

        Args:
            kind: Its class.
        """
        self._errors.labels(name(kind)).inc()

    def watch_pool(self, engine: AsyncEngine) -> None:
        """Tell of the connections of an engine.

        Args:
            engine: From `app.engine.create`.
        """
        pool = engine.pool
        assert isinstance(pool, MeasuredPool)  # noqa: S101  # `app.engine` makes no other.
        _gauge(self, "session_db_pool_size", "Connections that are kept open.", lambda: _pool(engine).size())
        _gauge(self, "session_db_pool_open", "Connections that are open.", lambda: _open(engine))
        _gauge(self, "session_db_pool_checked_out", "Connections in use.", lambda: _pool(engine).checkedout())
        _gauge(self, "session_db_pool_overflow", "Open ones beyond the size.", lambda: max(0, _pool(engine).overflow()))
        wait = Histogram(
            "session_db_pool_wait_seconds",
            "What a connection was waited for, the opening of a new one included.",
            registry=self.registry,
            buckets=_QUERY_SECONDS,
        )
        pool.waited = wait.observe

    def watch_queries(self, engine: AsyncEngine) -> None:
        """Time the statements of an engine.

        Args:
            engine: From `app.engine.create`.
        """
        seconds = Histogram(
            "session_db_query_seconds",
            "Time of a statement, by its verb.",
            ("verb",),
            registry=self.registry,
            buckets=_QUERY_SECONDS,
        )

        # Both get connection, cursor, statement, parameters, context and whether there are many.
        def before(*told: Any) -> None:
            told[4].session_db_begun = time.perf_counter()

        def after(*told: Any) -> None:
            seconds.labels(_verb(told[2])).observe(time.perf_counter() - told[4].session_db_begun)

        event.listen(engine.sync_engine, "before_cursor_execute", before)
        event.listen(engine.sync_engine, "after_cursor_execute", after)


def install(app: FastAPI, metrics: Metrics, readiness: Readiness, engine: AsyncEngine | None) -> None:
    """Add the route, and watch the database.

    Args:
        app: ADK's app.
        metrics: The numbers.
        readiness: Asked at each scrape, so that the gauge is true where nobody probes.
        engine: ADK's; None on SQLite.
    """
    if engine is not None:
        metrics.watch_pool(engine)
        metrics.watch_queries(engine)
    _gauge(
        metrics,
        "session_db_ready",
        "1 where the database can be worked with, else 0.",
        lambda: float(readiness.last.reason is None),
    )

    @app.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        await readiness()
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _gauge(metrics: Metrics, name: str, meaning: str, read: Any) -> None:
    Gauge(name, meaning, registry=metrics.registry).set_function(read)


def _pool(engine: AsyncEngine) -> Any:
    """The one of now: disposing an engine gives it another."""
    return engine.pool


def _open(engine: AsyncEngine) -> int:
    pool = _pool(engine)
    return int(pool.checkedin() + pool.checkedout())


def _verb(statement: str) -> str:
    verb = statement.lstrip()[:6].upper()
    return verb if verb in _VERBS else "OTHER"
