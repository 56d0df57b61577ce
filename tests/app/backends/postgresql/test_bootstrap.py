"""The bootstrap of an empty PostgreSQL database: whole, repeated, at once with many, and killed at every statement."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app import verbs
from app.backends.interface import Roles, Target
from app.errors import ConnectionLostError
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase

ROOT = Path(__file__).resolve().parents[4]
VERSIONS = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
TABLES = [
    *("adk_internal_metadata", "app_states", "events", "session_db_history", "sessions", "user_states"),
]
THERE = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '{}'::regnamespace ORDER BY 1"

Sql = Callable[[str], list[tuple[Any, ...]]]
Statements = list[str]


@pytest.fixture
def statements() -> Iterator[Statements]:
    """Every statement that any SQLAlchemy engine sends."""
    seen: Statements = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


@VERSIONS
def test_an_empty_database_is_made_ready_for_adk(target: Target, sql: Sql) -> None:
    """Five tables of ADK's and one of ours; then ADK itself works as a role that may create nothing."""
    done = verbs.bootstrap(target)

    assert done.changed
    assert sql(THERE.format("public")) == [(name,) for name in TABLES]
    assert sql("SELECT * FROM adk_internal_metadata") == [("schema_version", "1")]
    assert verbs.verify(target).tables == {name: int(name == TABLES[0]) for name in TABLES if "history" not in name}
    assert sql(f"SELECT has_schema_privilege('{target.app.username}', 'public', 'CREATE')") == [(False,)]


@VERSIONS
def test_a_second_run_is_one_short_read(target: Target, statements: Statements) -> None:
    """One transaction that cannot write, on one connection, with fewer statements than ADK's own look."""
    verbs.bootstrap(target)
    del statements[:]

    assert verbs.bootstrap(target).steps == ()

    assert statements[0].startswith("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ")
    assert {text.split()[0] for text in statements[1:-1]} == {"SELECT"}
    assert statements[-1] == "ROLLBACK"
    assert len(statements) < 18


def test_the_app_role_alone_may_bootstrap_what_is_finished(target: Target) -> None:
    """A server starts with its own role and finds nothing to do."""
    verbs.bootstrap(target)

    assert verbs.bootstrap(Target.of(target.app)).steps == ()
    verbs.make_ready(target.app)


def test_a_plan_is_what_the_bootstrap_does(target: Target, shape: Callable[[], str]) -> None:
    """Step by step, and it changes nothing itself."""
    before = shape()
    planned = verbs.plan(target)
    assert shape() == before

    assert verbs.bootstrap(target).steps == tuple(step.name for step in planned.steps)
    assert verbs.plan(target).steps == ()
    assert planned.found == "no session tables"


def test_the_statements_of_a_plan_do_the_same_by_hand(server_database: ManagedDatabase, target: Target) -> None:
    """A DBA who lets no program near the database can run them."""
    one_role = Target.of(server_database.admin)
    script = ";\n".join(sql for step in verbs.plan(one_role).steps for sql in step.shown)
    server_database.cluster.execute(
        f"SET ROLE {server_database.admin.username};\n{script}",
        server_database.name,
    )

    assert verbs.plan(one_role).steps == ()
    assert verbs.bootstrap(target).changed  # The roles are still to be made.
    assert verbs.verify(target).tables["events"] == 0


CROWD = """
import os, sys
from app import dsn, verbs
from app.backends.interface import Target
target = Target(dsn.parse(os.environ["APP"]), dsn.parse(os.environ["OWNER"]))
gate, opener = os.pipe()
children = []
for _ in range(32):
    child = os.fork()
    if child == 0:
        os.close(opener)
        os.read(gate, 1)  # Until the parent closes its end: all start at the same moment.
        code = 2
        try:
            code = int(verbs.bootstrap(target).changed)
        finally:
            os._exit(code)
    children.append(child)
os.close(opener)
print(sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


@VERSIONS
def test_of_thirty_two_processes_at_one_moment_exactly_one_runs_the_ddl(target: Target, sql: Sql) -> None:
    """The others wait for it, look again, and none fails (google/adk-python#1561 is what happens without)."""
    uris = {"APP": target.app, "OWNER": target.owner}
    environ = os.environ | {name: url.render_as_string(hide_password=False) for name, url in uris.items()}
    done = subprocess.run(
        [sys.executable, "-c", CROWD], cwd=ROOT, env=environ, check=False, capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == (f"{[0] * 31 + [1]}\n", "")
    assert sql("SELECT count(*) FROM session_db_history") == [(1,)]
    assert verbs.differences(target) == ()


class Killer:
    """Ends the server's side of the connection just before its n-th statement."""

    def __init__(self, cluster: Cluster) -> None:
        """Take the server."""
        self.cluster = cluster
        self.left = -1

    def __call__(self, connection: Any, *_: Any) -> None:
        """Count, and kill when it is time."""
        self.left -= 1
        if self.left == 0:
            pid = connection.connection.driver_connection.info.backend_pid
            self.cluster.execute(f"SELECT pg_terminate_backend({pid}, 60000)")


@pytest.fixture
def killer(postgresql: Cluster) -> Iterator[Killer]:
    """A killer that listens to every engine."""
    made = Killer(postgresql)
    event.listen(Engine, "before_cursor_execute", made)
    yield made
    event.remove(Engine, "before_cursor_execute", made)


def test_after_a_kill_at_any_statement_the_next_run_completes(target: Target, sql: Sql, killer: Killer) -> None:
    """What was killed has done all or nothing; each attempt works in a schema and for a role of its own."""
    number, killed = 0, True
    while killed:
        number += 1
        fresh = Target(
            target.app.set(username=f"{target.app.username}_{number}"), target.owner, Roles(schema=f"s{number}")
        )
        killer.left = number
        try:
            verbs.bootstrap(fresh)
        except ConnectionLostError:
            made = sql(f"SELECT count(*) FROM pg_tables WHERE schemaname = 's{number}'")
            assert made in [[(0,)], [(len(TABLES),)]], number
            killer.left = -1
            assert verbs.bootstrap(fresh).changed == (made == [(0,)])
        else:
            killer.left, killed = -1, False
        assert sql(THERE.format(f"s{number}")) == [(name,) for name in TABLES]
        assert verbs.plan(fresh).steps == ()

    assert number > 40  # The statements of one bootstrap; fewer would mean that the killer missed.
