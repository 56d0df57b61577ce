"""`session-db`: creates and verifies the session schema, and serves ADK's API on it."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import URL

from app import dsn, environment, stack
from app.errors import InvalidUriError, SessionDatabaseError

_EXIT_CODES = """
\b
Exit codes:
  0    done
  1    the database differs from what ADK needs
  2    the command line or a setting is wrong
  3    the file holds somebody else's data, or an older layout of ADK's
  4    the database, the stack or the server is unavailable
  130  stopped with Ctrl-C
"""

_err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
_out = Console(soft_wrap=True, highlight=False, emoji=False)

_stack = click.option("--stack", "name", help="Take the URI that this stack exports instead of SESSION_DB_URI.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result, or the error, as one JSON object.")


@click.group(epilog=f"Example: session-db verify --stack dev\n{_EXIT_CODES}")
def cli() -> None:
    """Look after the session database named by SESSION_DB_URI (environment, .env.local or .env)."""


@cli.command(epilog=f"Example: session-db bootstrap --stack dev\n{_EXIT_CODES}")
@_stack
@_json
def bootstrap(name: str | None, *, as_json: bool) -> None:
    """Create the session tables; on a finished schema nothing is written."""

    def work() -> dict[str, Any]:
        from app.bootstrap import bootstrap as apply  # noqa: PLC0415  # Keeps --help quick.

        url = _url(name)
        done = apply(url)
        if not as_json:
            _err.print(f"schema of {dsn.masked(url)}: {_created(done.created)}", markup=False)
        return {"uri": dsn.masked(url), "created": list(done.created), "changed": done.changed}

    _answer(work, as_json=as_json)


@cli.command(epilog=f"Example: session-db verify --stack dev\n{_EXIT_CODES}")
@_stack
@_json
def verify(name: str | None, *, as_json: bool) -> None:
    """Check the schema, and write and delete a session through ADK itself; nothing is left."""

    def work() -> dict[str, Any]:
        from app.verify import verify as check  # noqa: PLC0415  # As above.

        url = _url(name)
        if not as_json:
            _err.print("trying the database with ADK", markup=False)
        found = check(url)
        if not as_json:
            _show(url, found.tables)
        return {"uri": dsn.masked(url), "file": str(found.path), "tables": found.tables}

    _answer(work, as_json=as_json)


@cli.command(epilog=f"Example: session-db serve --port 8080\n{_EXIT_CODES}")
@_stack
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address: the routes are open to all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def serve(name: str | None, host: str, port: int) -> None:
    """Run the ADK API server; SQLite in data/sessions/ unless SESSION_DB_URI is set."""

    def work() -> dict[str, Any]:
        from app import serve  # noqa: PLC0415  # As above.

        url = environment.served_database() if name is None else _url(name)
        _err.print(f"database: {dsn.masked(url)}", markup=False)
        serve.run(url, host, port, lambda line: _err.print(line, markup=False))
        return {}

    _answer(work, as_json=False)


def _url(name: str | None) -> URL:
    text = stack.uri_of(name) if name is not None else environment.setting(environment.SESSION_DB_URI)
    if text is None:
        message = (
            "expected a database: give --stack dev, or set SESSION_DB_URI in the environment or in .env, "
            "for example SESSION_DB_URI=sqlite:///data/sessions/sessions.db"
        )
        raise InvalidUriError(message)
    return environment.outside_agents(dsn.parse(text))


def _answer(work: Callable[[], dict[str, Any]], *, as_json: bool) -> None:
    """Do the work; print its result as JSON where asked, and end in one line and an exit code where it fails."""
    try:
        result = work()
    except SessionDatabaseError as error:
        for line in str(error).splitlines():
            _err.print(f"error: {line}", style="red", markup=False)
        if as_json:
            click.echo(json.dumps({"error": {"kind": type(error).__name__, "message": str(error)}}))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    if as_json:
        click.echo(json.dumps(result))


def _created(tables: tuple[str, ...]) -> str:
    return f"created {', '.join(tables)}" if tables else "nothing to change"


def _show(url: URL, tables: dict[str, int]) -> None:
    _out.print(f"\n{dsn.masked(url)}", markup=False)
    view = Table("table", "rows", box=None, padding=(0, 2))
    for name, rows in tables.items():
        view.add_row(name, str(rows))
    _out.print(view)


def main() -> None:
    """Run the command line."""
    cli(prog_name="session-db")


if __name__ == "__main__":
    main()
