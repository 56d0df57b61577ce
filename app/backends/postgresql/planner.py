"""From what is there to what is wanted: the steps of a bootstrap, decided without changing anything.

A database arrives empty, half-made by eight replicas, made by ADK, made by hand or made by an ADK of two years ago. So
the steps follow from what is found, not from where a chain of revisions left off, and the same plan repairs a dropped
index.
"""

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.schema import CreateIndex, CreateTable

from app.backends.interface import Plan, Step, Target
from app.backends.postgresql import conversion, history, rights, roles
from app.backends.postgresql.catalog import Catalog, database_is_utc, is_utc, role_is_utc
from app.backends.postgresql.layouts import Layout, recognise
from app.backends.postgresql.names import quoted
from app.errors import OlderLayoutError
from app.schema.comparison import ddl, index_differences
from app.schema.postgresql import ADK_METADATA, METADATA, SCHEMA_VERSION


@dataclass(frozen=True)
class Steps:
    """The steps of one bootstrap.

    Attributes:
        schema: Where the tables are, or are to be.
        layout: What was found.
        together: Those of the one transaction.
        apart: Those that PostgreSQL runs outside of any, each alone: indexes on tables that are in use.
    """

    schema: str
    layout: Layout
    together: tuple[Step, ...]
    apart: tuple[Step, ...]

    def plan(self) -> Plan:
        """The same for people."""
        return Plan(str(self.layout), (*self.together, *self.apart))


def steps(connection: Connection, catalog: Catalog, target: Target) -> Steps:
    """Decide what to do; read-only.

    Args:
        connection: From `connection.opened`, in a transaction.
        catalog: What is there.
        target: What is wanted.

    Returns:
        The steps; none where nothing would change.

    Raises:
        ForeignDatabaseError: The names are taken by something else.
        IncompatibleLayoutError: A later release, or an unknown ADK, has been here.
        InvalidSettingError: A role has to be made outside of the database.
    """
    layout = recognise(catalog)
    if layout in (Layout.TEXT, Layout.PICKLED) and not target.convert:
        message = (
            f"expected ADK's layout v1 in {catalog.facts['database']}, found {layout}. Stop the servers on it, then "
            "convert it in place: session-db bootstrap"
        )
        raise OlderLayoutError(message)
    tables, created = _tables(connection, catalog, layout)
    there, apart = _indexes(connection, catalog, layout)
    together = [
        *roles.preparations(connection, catalog, target),
        *tables,
        *there,
        *_metadata_row(catalog),
        *_time_zone(connection, catalog, target),
        *roles.ownership(connection, catalog, target, created),
        *rights.grants(connection, catalog, target),
    ]
    if together or not history.has_layout(catalog.recorded):
        together.append(_record(layout, together))
    return Steps(catalog.schema, layout, tuple(together), tuple(apart))


def _tables(connection: Connection, catalog: Catalog, layout: Layout) -> tuple[list[Step], list[str]]:
    missing = [table for table in METADATA.sorted_tables if table.name not in catalog.found.tables]
    made = [Step(f"create table {table.name}", (ddl(CreateTable(table), connection.dialect),)) for table in missing]
    created = [table.name for table in missing]
    if layout is Layout.TEXT:
        made = [*conversion.steps(connection, catalog), *made, conversion.missing_states()]
    if history.TABLE not in catalog.found.tables:
        made.append(Step(f"create table {history.TABLE}", (history.CREATE,)))
        created.append(history.TABLE)
    return made, created


def _indexes(connection: Connection, catalog: Catalog, layout: Layout) -> tuple[list[Step], list[Step]]:
    """Those that can be made with the tables, and those that must not lock a table that is in use."""
    together, apart = [], []
    for table in METADATA.sorted_tables:
        if layout is Layout.PICKLED and table.name == "events":
            continue  # Another table takes its place, and brings its index.
        said = index_differences(table, catalog.found)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            name = str(index.name)
            if name not in said and name not in catalog.invalid:
                continue
            there = name in catalog.found.indexes.get(table.name, {})
            if table.name not in catalog.found.tables or layout is Layout.TEXT:
                drop = (f"DROP INDEX {name}",) if there else ()
                together.append(Step(f"create index {name}", (*drop, ddl(CreateIndex(index), connection.dialect))))
                continue
            drop = (f"DROP INDEX CONCURRENTLY IF EXISTS {name}",) if there else ()
            create = ddl(CreateIndex(index), connection.dialect).replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
            said_so = f"{'rebuild' if there else 'create'} index {name}"
            apart.append(Step(said_so, (*drop, create, history.record(said_so))))
    return together, apart


def _metadata_row(catalog: Catalog) -> list[Step]:
    key, value = SCHEMA_VERSION
    if catalog.adk_version == value:
        return []
    sql = (
        f"INSERT INTO {ADK_METADATA.name} (key, value) VALUES ('{key}', '{value}') "  # noqa: S608  # Constants.
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    )
    return [Step("name the layout in ADK's metadata", (sql,))]


def _time_zone(connection: Connection, catalog: Catalog, target: Target) -> list[Step]:
    """ADK writes states by the server's clock in the database's time zone, everything else in UTC."""
    database = quoted(connection, str(catalog.facts["database"]))
    made, role = [], quoted(connection, str(target.app.username))
    may = catalog.facts["owns_database"] or catalog.facts["superuser"]
    if not database_is_utc(catalog.facts) and may:
        made.append(Step("set the time zone UTC", (f"ALTER DATABASE {database} SET timezone = 'UTC'",)))
    elif is_utc(catalog.facts):
        return []
    if not catalog.one_role and not (may and role_is_utc(catalog.facts)):
        sql = f"ALTER ROLE {role} IN DATABASE {database} SET timezone = 'UTC'"
        made.append(Step(f"set the time zone UTC for {target.app.username}", (sql,)))
    return made


def _record(layout: Layout, taken: list[Step]) -> Step:
    what = "; ".join(step.name for step in taken) or "nothing to change"
    return Step("record it in the history", (history.record(f"found {layout}: {what}"),))
