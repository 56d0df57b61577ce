"""Work that is cut off in the middle: it is told, everything is undone, and the next run completes it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, event

from app import verbs
from app.backends.interface import Target, Waits
from app.errors import ConnectionLostError, LockedDatabaseError
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed

TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
WAITING = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'session-db' AND wait_event_type = 'Lock'"
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid()"

Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=[15, 16, 18])
def database(request: pytest.FixtureRequest, place: Any) -> Iterator[ManagedDatabase]:
    """A database on a server that the test may stop."""
    with Cluster.create(place(), binaries(request.param, print)) as cluster:
        yield managed(cluster, "sessions")


def stopped(cluster: Cluster, mode: Any) -> Callable[[str], None]:
    """Stops the server before a step in the middle of the transaction."""

    def report(step: str) -> None:
        if step == "create table events":
            cluster.stop(mode)

    return report


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_server_that_goes_in_the_middle_is_told(database: ManagedDatabase, raised: Any, mode: str) -> None:
    """By a crash or in order; nothing of the half is left, and the next run does all of it."""
    target, cluster = Target.of(database.admin), database.cluster

    raised(lambda: verbs.bootstrap(target, stopped(cluster, mode)), target, ConnectionLostError, "run it again")
    cluster.start()

    assert cluster.execute(TABLES, "sessions") == []
    assert "create table sessions" in verbs.bootstrap(target).steps
    assert verbs.verify(target).tables["sessions"] == 0


def test_the_command_tells_it_too(own: Cluster, run: Any, judged: Any, session: Any, until: Any) -> None:
    """It waits in the middle of its transaction for another one that makes a table of the same name."""
    target = Target.of(managed(own, "sessions").admin)
    with run(target, "bootstrap") as process:
        with pytest.raises(Exception, match=r"closed|terminating"), session(target.owner) as other:  # noqa: PT012
            other.execute("CREATE TABLE events ()")
            until(lambda: own.execute(WAITING))
            own.stop("immediate")
        judged(process, target, ConnectionLostError, "What was not finished was undone", "run it again")

    own.start()
    assert own.execute(TABLES, "sessions") == []
    with run(target, "bootstrap", "--json") as process:
        assert process.wait() == 0
    assert verbs.verify(target).tables["events"] == 0


def test_a_server_that_goes_while_adk_works_is_told(
    server_database: ManagedDatabase, target: Target, raised: Any, unchanged: Any
) -> None:
    """In the middle of what `verify` does through ADK; nothing of its session is left."""
    verbs.bootstrap(target)
    cluster = server_database.cluster
    struck: list[Any] = []

    def strike(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO sessions") and not struck:
            struck.extend(cluster.execute(SQL(TERMINATE).format(server_database.name)))

    event.listen(Engine, "before_cursor_execute", strike)
    try:
        with unchanged():
            raised(lambda: verbs.verify(target), target, ConnectionLostError, "run it again")
    finally:
        event.remove(Engine, "before_cursor_execute", strike)

    assert struck
    assert verbs.verify(target).tables["sessions"] == 0


def test_a_database_dropped_in_the_middle_is_told(server_database: ManagedDatabase, raised: Any) -> None:
    """The server ends every connection to it."""
    target = Target.of(server_database.admin)

    def drop(step: str) -> None:
        if step == "create table events":
            name = Identifier(server_database.name)
            server_database.cluster.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    raised(lambda: verbs.bootstrap(target, drop), target, ConnectionLostError)


@pytest.mark.parametrize("postgresql", [18], indirect=True)
def test_a_time_limit_of_the_server_is_told(server_database: ManagedDatabase, refused: Any) -> None:
    """`transaction_timeout`, from PostgreSQL 17 on, while another bootstrap is at work."""
    target = Target.of(server_database.admin)

    def meanwhile(step: str) -> None:
        if step == "create table events":
            name = Identifier(server_database.name)
            server_database.cluster.execute(SQL("ALTER DATABASE {} SET transaction_timeout = 500").format(name))
            refused(target, ConnectionLostError, "transaction_timeout", verbs=("bootstrap",), command=False)
            server_database.cluster.execute(SQL("ALTER DATABASE {} RESET transaction_timeout").format(name))

    assert verbs.bootstrap(target, meanwhile).changed


def test_a_statement_over_its_time_is_told(server_database: ManagedDatabase, refused: Any) -> None:
    """`Waits.statement` and `--statement-wait`; here the statement is a wait for another bootstrap."""
    target = Target(server_database.admin, server_database.admin, waits=Waits(lock=60, statement=0.3))

    def meanwhile(step: str) -> None:
        if step == "create table events":
            refused(target, LockedDatabaseError, "took too long", "--statement-wait", verbs=("bootstrap",))

    assert verbs.bootstrap(Target.of(server_database.admin), meanwhile).changed
