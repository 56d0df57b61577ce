"""Carries a plan out: one lock, one transaction, and the indexes of tables in use apart."""

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.backends.interface import Bootstrapped, Plan, Report, Step, Target
from app.backends.postgresql import catalog, history, pickled, roles
from app.backends.postgresql.connection import opened, reading, use_schema, work_apart, writing
from app.backends.postgresql.layouts import Layout
from app.backends.postgresql.planner import Steps, steps
from app.errors import ForeignDatabaseError


def plan(target: Target) -> Plan:
    """What `bootstrap` would do; read-only, in one short transaction.

    Args:
        target: A PostgreSQL database.

    Returns:
        What is there, and the steps with their SQL.

    Raises:
        ForeignDatabaseError: The names are taken by something else.
        IncompatibleLayoutError: A later release, or an unknown ADK, has been here.
        DatabaseUnavailableError: The database cannot be read; the kind of the error says why.
    """
    with opened(target.owner, target.waits) as connection, reading(connection, target.waits):
        found = catalog.read(connection, target)
        decided = steps(connection, found, target)
    if decided.layout is Layout.PICKLED:
        return pickled.plan(found, decided.plan())
    return decided.plan()


def bootstrap(target: Target, report: Report) -> Bootstrapped:
    """Make what is missing; on a finished schema one short read and no write.

    Thirty-two of them at once do the work once: the others wait for the lock, look again and find nothing to do.
    Killed at any moment, the next one completes it.

    Args:
        target: A PostgreSQL database.
        report: Takes a line for each step.

    Returns:
        The steps that this call took.

    Raises:
        ForeignDatabaseError: The names are taken by something else; nothing was changed.
        IncompatibleLayoutError: A later release, or an unknown ADK, has been here; nothing was changed.
        DatabaseUnavailableError: The database cannot be used, or broke in the middle; the kind says why.
    """
    with opened(target.owner, target.waits) as connection:
        with reading(connection, target.waits):
            found = catalog.read(connection, target)
            wanted, joined = steps(connection, found, target), roles.memberships(connection, found, target)
        if not (wanted.together or wanted.apart):
            return Bootstrapped(())
        if joined:  # Before that, the tables of another role may not even be read.
            with writing(connection, target.waits):
                for step in roles.memberships(connection, catalog.read(connection, target), target):
                    _take(connection, step, report)
        if wanted.layout is Layout.PICKLED:
            pickled.fill(connection, target, report)
        with writing(connection, target.waits):
            done, migrated, refused = _together(connection, target, report)
        if wanted.apart:
            done += _apart(connection, target, report)
    return Bootstrapped((*(step.name for step in joined), *done), migrated, refused)


def _decided(connection: Connection, target: Target) -> Steps:
    return steps(connection, catalog.read(connection, target), target)


def _together(connection: Connection, target: Target, report: Report) -> tuple[list[str], bool, int]:
    """Look again, since another process may have been quicker, and do what one transaction can."""
    done, refused = [], 0
    decided = _decided(connection, target)
    if migrated := decided.layout is Layout.PICKLED:
        refused = pickled.swap(connection, target)
        done.append("migrate the events of layout v0")
        decided = _decided(connection, target)
    use_schema(connection, decided.schema)
    for step in decided.together:
        _take(connection, step, report)
        done.append(step.name)
    if migrated:
        connection.exec_driver_sql(history.record(f"migrate the events of layout v0; {refused} refused"))
    return done, migrated, refused


def _apart(connection: Connection, target: Target, report: Report) -> list[str]:
    """One at a time: a second connection holds the lock, since these statements run outside of any transaction.

    It does nothing else: each of these waits for every transaction that holds a snapshot.
    """
    done = []
    with opened(target.owner, target.waits) as guard, writing(guard, target.waits):
        with reading(connection, target.waits):
            decided = _decided(connection, target)
        work_apart(connection, decided.schema, target.waits)
        for step in decided.apart:
            _take(connection, step, report)
            done.append(step.name)
    return done


def _take(connection: Connection, step: Step, report: Report) -> None:
    report(step.name)
    try:
        for sql in step.sql:
            connection.exec_driver_sql(sql)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.DataError | psycopg.IntegrityError) and step.name.startswith("convert"):
            message = (
                f"expected to {step.name}, but a row does not fit ({type(error.orig).__name__}): text that is no JSON, "
                "an id of more than 128 characters, a key that is there twice, or an event without its session. Mend "
                "that row and run it again; nothing was changed"
            )
            raise ForeignDatabaseError(message) from None
        raise
