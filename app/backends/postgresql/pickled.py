"""Migrates ADK's layout v0, whose events are pickled, to v1 in place: in batches, resumable, and without unpickling.

The events are written anew beside the old ones while agents go on. Then, in one transaction, the two tables change
places. The old one stays as `session_db_events_v0`, with it the events that could not be read safely; each of these
has a line in `session_db_refused_events`. ADK itself migrates to another database only (google/adk-python#4319).
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import quoted_name

from app.backends.interface import Plan, Report, Step, Target
from app.backends.postgresql import catalog
from app.backends.postgresql.catalog import KEPT, REFUSED
from app.backends.postgresql.connection import scalar, use_schema, writing
from app.backends.postgresql.layouts import Layout, recognise
from app.legacy.events import RefusedPickleError, event_data
from app.schema.comparison import ddl
from app.schema.postgresql import DIALECT, METADATA

BATCH: Final = 500
"""Events in one transaction: some megabytes, and a second of work to do again after a kill."""

_BOUND: Final[Any] = {"no_parameters": False}

_INDEX: Final = "idx_events_app_user_session_ts_id"


def _staging() -> Table:
    made = MetaData()
    METADATA.tables["sessions"].to_metadata(made)
    table = METADATA.tables["events"].to_metadata(made, name="session_db_events_v1")
    for index in table.indexes:
        index.name = quoted_name(f"{table.name}_ts", quote=None)
    return table


_STAGING: Final = _staging()

_KEY: Final = "(id, app_name, user_id, session_id)"

_CREATE_REFUSED: Final = (
    f"CREATE TABLE IF NOT EXISTS {REFUSED} (id VARCHAR(128), app_name VARCHAR(128), user_id VARCHAR(128), "
    f"session_id VARCHAR(128), reason TEXT NOT NULL, PRIMARY KEY {_KEY})"
)

_REMAINING: Final = f"""
SELECT * FROM events e WHERE (e.id, e.app_name, e.user_id, e.session_id) >= (:id, :app_name, :user_id, :session_id)
  AND NOT EXISTS (SELECT 1 FROM {_STAGING.name} n WHERE (n.id, n.app_name, n.user_id, n.session_id)
    = (e.id, e.app_name, e.user_id, e.session_id))
  AND NOT EXISTS (SELECT 1 FROM {REFUSED} r WHERE (r.id, r.app_name, r.user_id, r.session_id)
    = (e.id, e.app_name, e.user_id, e.session_id))
ORDER BY e.id, e.app_name, e.user_id, e.session_id LIMIT :batch
"""  # noqa: S608  # Constants.

_RENAMES: Final = (
    f"ALTER TABLE events RENAME TO {KEPT}",
    f"ALTER INDEX IF EXISTS events_pkey RENAME TO {KEPT}_pkey",
    f"ALTER INDEX IF EXISTS {_INDEX} RENAME TO {KEPT}_ts",
    f"ALTER TABLE {_STAGING.name} RENAME TO events",
    f"ALTER INDEX {_STAGING.name}_pkey RENAME TO events_pkey",
    f"ALTER INDEX {_STAGING.name}_ts RENAME TO {_INDEX}",
)


@dataclass
class _Place:
    """Where the reading of the old table stands: the key of the last row."""

    id: str = ""
    app_name: str = ""
    user_id: str = ""
    session_id: str = ""


def plan(found: catalog.Catalog, rest: Plan) -> Plan:
    """The plan of a bootstrap on layout v0; read-only.

    Args:
        found: What is there.
        rest: What is to be done besides.
    """
    estimate = max(0, round(found.estimates.get("events", 0)))
    fill_step = Step(f"migrate the events of layout v0, about {estimate}", tuple(_preparations()))
    return Plan(rest.found, (fill_step, Step("put them in place of layout v0's", _RENAMES), *rest.steps))


def fill(connection: Connection, target: Target, report: Report) -> None:
    """Write every event of the old table anew beside it, a transaction for each batch.

    Args:
        connection: From `connection.opened`, as the owner.
        target: The database.
        report: Takes a line for each batch.
    """
    with writing(connection, target.waits):
        if not _is_pickled(connection, target):
            return
        for sql in _preparations():
            connection.exec_driver_sql(sql)
        total = int(str(scalar(connection, "SELECT count(*) FROM events")))
    place, seen = _Place(), 0
    while True:
        with writing(connection, target.waits):
            taken = _migrate(connection, place) if _is_pickled(connection, target) else 0
        if not taken:
            return
        seen += taken
        report(f"migrate the events of layout v0: {seen} of {total}")


def swap(connection: Connection, target: Target) -> int:
    """Migrate what came since, and let the two tables change places; inside the caller's transaction.

    Args:
        connection: In a transaction of `connection.writing`.
        target: The database, in layout v0, after `fill`.

    Returns:
        How many events were refused; they are in the old table and named in `session_db_refused_events`.
    """
    use_schema(connection, catalog.read(connection, target).schema)
    for sql in _preparations():
        connection.exec_driver_sql(sql)
    connection.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
    place = _Place()
    while _migrate(connection, place):
        pass
    for sql in _RENAMES:
        connection.exec_driver_sql(sql)
    return int(str(scalar(connection, f"SELECT count(*) FROM {REFUSED}")))  # noqa: S608  # A constant.


def _preparations() -> list[str]:
    table = ddl(CreateTable(_STAGING, if_not_exists=True), DIALECT)
    return [
        table,
        *(ddl(CreateIndex(index, if_not_exists=True), DIALECT) for index in _STAGING.indexes),
        _CREATE_REFUSED,
    ]


def _is_pickled(connection: Connection, target: Target) -> bool:
    """Looked at in every batch: another bootstrap may have finished the work."""
    found = catalog.read(connection, target)
    use_schema(connection, found.schema)
    return recognise(found) is Layout.PICKLED


def _migrate(connection: Connection, place: _Place) -> int:
    """Migrate the next batch; how many rows it had."""
    found = connection.execute(text(_REMAINING), vars(place) | {"batch": BATCH}, execution_options=_BOUND)
    batch = [dict(row) for row in found.mappings()]
    if not batch:
        return 0
    read, refused = [], []
    for row in batch:
        kept = {name: row[name] for name in (*vars(place), "invocation_id", "timestamp")}
        try:
            read.append(kept | {"event_data": event_data(row)})
        except RefusedPickleError as error:
            refused.append({name: row[name] for name in vars(place)} | {"reason": str(error)})
    if read:
        connection.execute(insert(_STAGING).on_conflict_do_nothing(), read, execution_options=_BOUND)
    if refused:
        keys = ", ".join(f":{name}" for name in (*vars(place), "reason"))
        connection.execute(text(f"INSERT INTO {REFUSED} VALUES ({keys})"), refused, execution_options=_BOUND)  # noqa: S608
    for name in vars(place):
        setattr(place, name, batch[-1][name])
    return len(batch)
