"""`session-db connect`: psql on a session database, wherever it is."""

import re
import sys
from typing import Any, Final

import click

from app.answers import EXIT_CODES, answer, said

_PSQL_S: Final = """
\b
Exit codes, once psql runs, are its own:
  0    it ended well
  1    it failed, for example at a statement of -c
  2    the connection broke, and nobody was at the terminal
  3    a script failed, with ON_ERROR_STOP

\b
Before that:
"""
"""Source: PostgreSQL, "psql", Exit Status."""

_BEFORE: Final = [line for line in EXIT_CODES.splitlines() if re.match(r"  (?:2|4|\d\d+) ", line)]
"""Of every command, without those that can come of looking into a database alone."""


@click.command(
    epilog="Example: session-db connect --stack prod --through i-0123456789abcdef0 -- -c 'SELECT 1'\n"
    + _PSQL_S
    + "\n".join(_BEFORE)
)
@click.option("--stack", "name", help="The stack whose database to open; that of SESSION_DB_URI where not given.")
@click.option("--rehearse", is_flag=True, help="Take the stack's rehearsal.")
@click.option("--owner", is_flag=True, help="Log in as the owner of the tables, not as the app role.")
@click.option(
    "--through",
    help="The machine to go through, where the server does not answer here: as ssh takes it, or as the cloud calls it.",
)
@click.option("--bastion", help="Azure: the bastion in front of that machine, by name or resource id.")
@click.option("--print", "shown", is_flag=True, help="Print the commands, without passwords, and run none of them.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PSQL ARGUMENTS]")
def connect(name: str | None, arguments: tuple[str, ...], *, shown: bool, **options: Any) -> None:
    """Open psql on a database, through the cloud's own proxy or tunnel where it has to; ends with psql's exit code."""
    code = 0

    def work() -> dict[str, Any]:
        nonlocal code
        from app.connect import session  # noqa: PLC0415  # Keeps --help quick.

        url, record = session.database(name, rehearse=options["rehearse"], owner=options["owner"])
        visit = session.Visit(url, record, options["through"], options["bastion"], arguments)
        if shown:
            for line in session.commands(visit):
                click.echo(line)
        else:
            code = session.run(visit, said)
        return {}

    answer(work, as_json=False)
    sys.exit(code)
