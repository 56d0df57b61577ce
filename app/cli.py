"""`session-db`: creates, verifies and moves session databases, and serves ADK's API on them."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import click
from rich.table import Table

from app import dsn, environment, probe, target
from app.answers import EXIT_CODES, Finite, Port, answer, err, json_option, out, said, silent
from app.backends.interface import Roles, Target, Waits
from app.connect.command import connect
from app.drills.command import drill
from app.errors import VerificationError
from app.promote import promote

_SELDOM: Final = 100_000
"""New objects until the collector looks for garbage: ADK is some hundred thousand that all stay (`gc`)."""

_stack = click.option("--stack", "name", help="Take the URIs that this stack exports, not SESSION_DB_URI's.")
_rehearse = click.option("--rehearse", is_flag=True, help="Take the stack's rehearsal.")


_MIGRATED = """
Restart the servers on this database: they still work in the old layout.
Events that could not be read safely: {refused}. The table session_db_refused_events names them and the reasons.
The old events are kept in session_db_events_v0, with them the refused ones."""


_HELD = "the database is as it should be, and ADK itself wrote, read and deleted a session in it"

_LEFT = """
Left in {tables}: one row of the app {app}, which ADK makes and this role may not delete.
With the administrator in ADMIN_DB_URI nothing is left, and this row goes, too."""


def _seconds(name: str, default: float, text: str) -> Callable[[Any], Any]:
    seconds = Finite(0.1, 86400)
    return click.option(f"--{name}", default=default, show_default=True, type=seconds, help=f"{text}, in seconds.")


def _database(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every verb that looks at a database and its roles."""
    options = (
        _stack,
        _rehearse,
        json_option,
        click.option("--owner", help="PostgreSQL: the role that is to own the tables; the one of ADMIN_DB_URI."),
        click.option("--read-only-role", help="PostgreSQL: a role without login that is to read the tables."),
        click.option("--schema", help="PostgreSQL: the schema of the tables; the first one that the app role sees."),
        click.option(
            "--app-identity",
            type=click.Choice(["password", "rds_iam", "cloudsql_iam", "entra"]),
            help="PostgreSQL: how the app role proves who it is, where it has to be made; as SESSION_DB_IDENTITY says, "
            "else by password.",
        ),
        _seconds("lock-wait", 60, "PostgreSQL: how long to wait for another bootstrap or for a table"),
        _seconds("statement-wait", 600, "PostgreSQL: how long one statement may take"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(epilog=f"Example: session-db verify --stack dev\n{EXIT_CODES}")
@click.version_option(package_name="session-database", message="%(version)s")
def cli() -> None:
    """Look after the session database named by SESSION_DB_URI (environment, .env.local or .env)."""


@cli.command(epilog=f"Example: session-db plan --stack dev\n{EXIT_CODES}")
@_database
def plan(name: str | None, *, as_json: bool, **options: Any) -> None:
    """Show what a bootstrap would do, with the SQL; changes nothing. Roles are made where ADMIN_DB_URI is set."""

    def work() -> dict[str, Any]:
        from app import verbs  # noqa: PLC0415  # Keeps --help quick.

        database = _target(name, options)
        with _advised(name, database):
            found = verbs.plan(database)
        if not as_json:
            steps = ", ".join(step.name for step in found.steps) or "nothing to change"
            err.print(f"{dsn.masked(database.owner)}: found {found.found}: {steps}", markup=False)
            for step in found.steps:
                click.echo(f"-- {step.name}")
                for sql in step.shown:
                    click.echo(f"{sql};")
        steps_shown = [{"name": step.name, "sql": list(step.shown)} for step in found.steps]
        return {"uri": dsn.masked(database.owner), "found": found.found, "steps": steps_shown}

    answer(work, as_json=as_json)


@cli.command(epilog=f"Example: session-db bootstrap --stack dev\n{EXIT_CODES}")
@_database
@click.option(
    "--set-password",
    is_flag=True,
    help="PostgreSQL: give an app role that is there the password of SESSION_DB_URI, if it does not log in.",
)
def bootstrap(name: str | None, *, as_json: bool, **options: Any) -> None:
    """Make what is missing of the session schema; on a finished one nothing is written."""

    def work() -> dict[str, Any]:
        from app import verbs  # noqa: PLC0415  # As above.

        database = _target(name, options)
        with _advised(name, database):
            done = verbs.bootstrap(database, silent if as_json else said)
        if not as_json:
            steps = ", ".join(done.steps) or "nothing to change"
            err.print(f"schema of {dsn.masked(database.owner)}: {steps}", markup=False)
            if done.migrated:
                err.print(_MIGRATED.format(refused=done.refused), markup=False)
        record = {"uri": dsn.masked(database.owner), "steps": list(done.steps)}
        return record | {"changed": done.changed, "refused": done.refused}

    answer(work, as_json=as_json)


@cli.command(epilog=f"Example: session-db verify --stack dev\n{EXIT_CODES}")
@_database
def verify(name: str | None, *, as_json: bool, **options: Any) -> None:
    """Check the schema, and write and delete a session through ADK itself; what is left, if anything, is told."""

    def work() -> dict[str, Any]:
        from app import verbs  # noqa: PLC0415  # As above.

        database = _target(name, options)
        if not as_json:
            err.print("trying the database with ADK", markup=False)
        with _advised(name, database):
            found = verbs.verify(database)
        if not as_json:
            _show(database, dict(found.tables))
            err.print(_HELD, markup=False)
            if found.left:
                err.print(_LEFT.format(tables=" and ".join(found.left), app=probe.APP), markup=False)
        file = {} if found.file is None else {"file": str(found.file)}
        return {"uri": dsn.masked(database.app), "tables": dict(found.tables), "left": list(found.left)} | file

    answer(work, as_json=as_json)


@cli.command(epilog=f"Example: session-db drift --stack dev\n{EXIT_CODES}")
@_database
def drift(name: str | None, *, as_json: bool, **options: Any) -> None:
    """Say how the database differs from what it should be, and end with 1 where it does; changes nothing."""

    def work() -> dict[str, Any]:
        from app import verbs  # noqa: PLC0415  # As above.

        database = _target(name, options)
        with _advised(name, database):
            found = verbs.differences(database)
        if found:
            raise VerificationError(*found)
        if not as_json:
            err.print(f"{dsn.masked(database.owner)}: no difference", markup=False)
        return {"uri": dsn.masked(database.owner), "differences": []}

    answer(work, as_json=as_json)


def _one_line(_: click.Context, __: click.Parameter, value: str) -> str:
    if not value.isprintable():
        message = f"expected an address, for example 127.0.0.1, not {value!r}"
        raise click.BadParameter(message)
    return value


_SETTINGS = """
All else is set by variables, for example API_ACCESS and SESSION_DB_POOL_SIZE, in the environment, .env.local or .env.
docs/api.md has all of them under Settings, each with its default and what it may be.
"""


@cli.command(epilog=f"Example: session-db serve --port 8080\n{_SETTINGS}{EXIT_CODES}")
@_stack
@_rehearse
@click.option(
    "--host", default="127.0.0.1", show_default=True, callback=_one_line, help="Others than loopback need API_ACCESS."
)
@click.option("--port", default=8000, show_default=True, type=Port(0, 65535), help="0 takes a free one.")
@click.option("--bootstrap", "first", is_flag=True, help="Bootstrap before, with ADMIN_DB_URI where that is set.")
def serve(name: str | None, host: str, port: int, *, rehearse: bool, first: bool) -> None:
    """Run the ADK API server; SQLite in data/sessions/ unless SESSION_DB_URI is set."""

    def work() -> dict[str, Any]:
        from app import serve, verbs  # noqa: PLC0415  # As above.

        found = target.find(name, rehearse=rehearse) if first or rehearse or name is not None else None
        url = environment.served_database() if found is None else found.app
        serve.run(url, host, port, said, (lambda: verbs.bootstrap(found, said)) if first and found else None)
        return {}

    answer(work, as_json=False)


cli.add_command(connect)
cli.add_command(promote)
cli.add_command(drill)


def _target(name: str | None, options: dict[str, Any]) -> Target:
    set_by_name = environment.setting("SESSION_DB_IDENTITY") if name is None else None
    identity = options["app_identity"] or set_by_name or "password"
    names = (identity, options["owner"], options["read_only_role"], options["schema"])
    roles = Roles(*names, set_password=options.get("set_password", False))
    waits = Waits(options["lock_wait"], options["statement_wait"])
    return target.find(name, roles, waits, rehearse=options["rehearse"])


def _advised(name: str | None, database: Target) -> AbstractContextManager[None]:
    from app import advice  # noqa: PLC0415  # As above.
    from app.backends.postgresql import failures  # noqa: PLC0415  # As above.

    return failures.advised(advice.of(name, database))


def _show(database: Target, tables: dict[str, int]) -> None:
    out.print(f"\n{dsn.masked(database.app)}", markup=False)
    view = Table("table", "rows", box=None, padding=(0, 2))
    for name, rows in tables.items():
        view.add_row(name, str(rows))
    out.print(view)


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_SELDOM)
    cli(prog_name="session-db")


if __name__ == "__main__":
    main()
