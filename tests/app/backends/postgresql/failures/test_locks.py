"""Others hold a lock for longer than we are told to wait."""

from collections.abc import Callable
from typing import Any

import pytest

from app import verbs
from app.backends.interface import Target, Waits
from app.errors import LockedDatabaseError
from rehearsal.managed import ManagedDatabase

INDEX = "idx_events_app_user_session_ts_id"
WAITING = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'session-db' AND wait_event_type = 'Lock'"
ROWS = (
    "INSERT INTO sessions VALUES ('a', 'u', 's', '{}', now(), now());"
    "INSERT INTO events VALUES ('e', 'a', 'u', 's', 'i', now(), '{}')"
)

Sql = Callable[[str], list[tuple[Any, ...]]]

pytestmark = pytest.mark.parametrize("postgresql", [15, 18], indirect=True)


@pytest.fixture
def hasty(server_database: ManagedDatabase) -> Target:
    """One role for everything, which waits for a moment only."""
    return Target(server_database.admin, server_database.admin, waits=Waits(lock=0.3))


def test_another_bootstrap_at_work_is_told(server_database: ManagedDatabase, hasty: Target, refused: Any) -> None:
    """The first one completes; the second one can be tried again."""

    def meanwhile(step: str) -> None:
        if step == "create table events":
            refused(hasty, LockedDatabaseError, "held a lock", "--lock-wait", verbs=("bootstrap",))

    assert verbs.bootstrap(Target.of(server_database.admin), meanwhile).changed
    assert verbs.bootstrap(hasty).steps == ()


def test_a_locked_table_is_told(hasty: Target, refused: Any, session: Any, unchanged: Any) -> None:
    """As by a migration by hand; `verify` says the same."""
    verbs.bootstrap(hasty)
    with unchanged(), session(hasty.owner) as other:
        other.execute("LOCK TABLE adk_internal_metadata IN ACCESS EXCLUSIVE MODE")
        refused(hasty, LockedDatabaseError, "held a lock", "--lock-wait")

    assert verbs.verify(hasty).tables["sessions"] == 0


def test_a_table_that_adk_cannot_read_is_told(hasty: Target, refused: Any, session: Any, sql: Sql) -> None:
    """ADK itself would wait for ever; what its session leaves there is removed a minute later."""
    verbs.bootstrap(hasty)
    with session(hasty.owner) as other:
        other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        refused(hasty, LockedDatabaseError, "--lock-wait", verbs=("verify",))
    for table in ("sessions", "app_states", "user_states"):
        sql(f"UPDATE {table} SET update_time = now() AT TIME ZONE 'UTC' - interval '2 minutes'")

    found = verbs.verify(hasty).tables

    assert (found["sessions"], found["app_states"], found["user_states"]) == (0, 0, 0)


def test_a_transaction_that_stays_open_is_told(hasty: Target, sql: Sql, raised: Any, session: Any) -> None:
    """An index of a table in use waits for all who write; what the end of the wait leaves, the next run rebuilds."""
    verbs.bootstrap(hasty)
    sql(f"DROP INDEX {INDEX}")
    with session(hasty.owner) as other:
        other.execute(ROWS)
        raised(lambda: verbs.bootstrap(hasty), hasty, LockedDatabaseError, "--lock-wait")
        raised(lambda: verbs.bootstrap(hasty), hasty, LockedDatabaseError, "--lock-wait")

    assert verbs.bootstrap(hasty).changed
    assert sql(f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{INDEX}'::regclass") == [(True,)]
    assert verbs.verify(hasty).tables["events"] == 0


def test_who_makes_the_same_at_once_is_told(
    server_database: ManagedDatabase, run: Any, judged: Any, session: Any, until: Any
) -> None:
    """Without our lock, as an ADK server that starts in this moment; the next run finds its tables and completes."""
    target = Target.of(server_database.admin)
    script = ";".join(sql for step in verbs.plan(target).steps[:3] for sql in step.sql)
    with session(target.owner) as other, run(target, "bootstrap") as process:
        other.execute("BEGIN")
        other.execute(script.encode())
        until(lambda: server_database.cluster.execute(WAITING) or process.poll() is not None)
        other.commit()
        judged(process, target, LockedDatabaseError, "in this moment", "Try again")

    assert verbs.bootstrap(target).changed
    assert verbs.verify(target).tables["sessions"] == 0
