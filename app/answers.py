"""How a command answers: progress and errors for people, one JSON object for scripts, and an exit code."""

import json
import math
import sys
from collections.abc import Callable
from typing import Any, Final

import click
from rich.console import Console

from app.errors import SessionDatabaseError, VerificationError

EXIT_CODES: Final = """
\b
Exit codes:
  0    done
  1    the database differs from what ADK needs, or a drill found a promise broken
  2    the command line or a setting is wrong
  3    the database holds somebody else's data, a layout that cannot be used, or conflicting data
  4    the database, the stack, the server or the cloud is unavailable
  10   the host is unknown
  11   nothing answers there
  12   the server takes connections with TLS only
  13   the server has no TLS
  14   the server's certificate is not accepted
  15   user or password is wrong
  16   there is no such database
  17   the role may not do this
  18   the server takes no writes
  19   others hold a lock for too long
  20   the disk is full
  21   the server went away in the middle
  22   a folder is where the database should be
  23   the server starts up or shuts down, or has no connection left
  130  stopped with Ctrl-C
"""

err: Final = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
out: Final = Console(soft_wrap=True, highlight=False, emoji=False)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result, or the error, as one JSON object."
)


class Finite(click.FloatRange):
    """A number in a range; `nan`, which no comparison refuses, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.FloatRange`."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{found} is not in the range {self._describe_range()}.", param, ctx)
        return found


class Port(click.IntRange):
    """A port, which a user of make names in another way than one of the command itself."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.IntRange`."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            message = f"expected {self.min} to {self.max}, for example --port 8001 or make serve PORT=8001, not {value}"
            self.fail(message, param, ctx)


def said(line: str) -> None:
    """One line of progress, for people."""
    err.print(line, markup=False)


def silent(_: str) -> None:
    """No progress, for scripts, which read the result alone."""


def answer(work: Callable[[], dict[str, Any]], *, as_json: bool) -> None:
    """Do the work; print its result as JSON where asked, and end in one line and an exit code where it fails.

    Args:
        work: Returns the result for scripts.
        as_json: Whether a script reads it.
    """
    try:
        result = work()
    except SessionDatabaseError as error:
        for line in str(error).splitlines():
            err.print(f"error: {line}", style="red", markup=False)
        if as_json:
            found = {"differences": error.differences} if isinstance(error, VerificationError) else {}
            click.echo(json.dumps({"error": {"kind": type(error).__name__, "message": str(error)} | found}))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    if as_json:
        click.echo(json.dumps(result))
