"""`session-db promote`: copies all sessions from one database to another."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import URL

from app import dsn, target
from app.answers import EXIT_CODES, answer, err, json_option, out
from app.backends.interface import Target
from app.errors import InvalidSettingError


@click.command(epilog=f"Example: session-db promote --from sqlite:///data/sessions/sessions.db\n{EXIT_CODES}")
@click.option("--from", "source", help="The database to read, without a password, as any URI.")
@click.option("--from-stack", help="The stack whose database to read.")
@click.option("--to", "uri", help="The database to write to, without a password; SESSION_DB_URI's where not given.")
@click.option("--stack", "name", help="The stack whose database to write to.")
@click.option("--rehearse", is_flag=True, help="Take the rehearsals of the stacks.")
@json_option
def promote(
    source: str | None, from_stack: str | None, uri: str | None, name: str | None, *, rehearse: bool, as_json: bool
) -> None:
    """Copy all sessions, events and states to another database; run again, it brings what came since."""

    def work() -> dict[str, Any]:
        from app.promotion.promotion import promote as copy  # noqa: PLC0415  # Keeps --help quick.

        here = _source(source, from_stack, rehearse=rehearse)
        there = _target(uri, name, rehearse=rehearse)
        with _progress(as_json=as_json) as bar:
            done = copy(here, there, _shown(bar))
        tables = {table: vars(copied) for table, copied in done.tables.items()}
        if not as_json:
            _show(here, there, tables)
        return {"from": dsn.masked(here), "to": dsn.masked(there.owner), "tables": tables, "added": done.added}

    answer(work, as_json=as_json)


def _source(text: str | None, stack_name: str | None, *, rehearse: bool) -> URL:
    if (text is None) == (stack_name is None):
        message = "expected one of --from and --from-stack. For example: --from sqlite:///data/sessions/sessions.db"
        raise InvalidSettingError(message)
    return _given(text, "--from") if text is not None else target.find(stack_name, rehearse=rehearse).owner


def _target(text: str | None, stack_name: str | None, *, rehearse: bool) -> Target:
    if text is not None and stack_name is not None:
        message = "expected one of --to and --stack. For example: --to sqlite:////srv/sessions.db"
        raise InvalidSettingError(message)
    if text is not None:
        return Target.of(_given(text, "--to"))
    return target.find(stack_name, rehearse=rehearse and stack_name is not None)


def _given(text: str, option: str) -> URL:
    url = dsn.parse(text, f"It is given by {option}.")
    if url.password is not None or "sslpassword" in url.query:
        message = (
            f"expected {option} without a password, since every user of the machine can read a command line. Leave it "
            "out and set PGPASSWORD or PGPASSFILE, or name a stack; for the target SESSION_DB_URI serves as well"
        )
        raise InvalidSettingError(message)
    return url


def _progress(*, as_json: bool) -> AbstractContextManager[Progress | None]:
    if as_json:
        return nullcontext()
    return Progress(
        TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err
    )


def _shown(bar: Progress | None) -> Callable[[str, int, int], None]:
    tasks: dict[str, Any] = {}

    def show(table: str, done: int, total: int) -> None:
        if bar is None:
            return
        if table not in tasks:
            tasks[table] = bar.add_task(table, total=total)
        bar.update(tasks[table], completed=done, total=total)

    return show


def _show(here: URL, there: Target, tables: dict[str, dict[str, Any]]) -> None:
    out.print(f"{dsn.masked(here)} to {dsn.masked(there.owner)}: every row was read back", markup=False)
    view = Table("table", "rows", "copied", "there before", "SHA-256", box=None, padding=(0, 2))
    for name, copied in tables.items():
        counts = (str(copied[kind]) for kind in ("source", "copied", "there"))
        view.add_row(name, *counts, copied["digest"][:16])
    out.print(view)
