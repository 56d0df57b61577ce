"""The command line: provision, look at and take down a stack, without any set-up."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import click
from rich.console import Console

from infra import ctrl_c, record, schema
from infra.deploy import Driver, Result
from infra.errors import InfraError, InterruptedByUserError, SchemaError
from infra.progress import Progress
from infra.settings.refusals import shown

_EXIT_CODES = """
\b
Exit codes:
  0    done
  1    the operation failed, or --expect-no-changes found changes
  2    the command line or the stack file is wrong
  3    the Pulumi CLI or a cloud's package cannot be had
  4    the state is missing, locked or cannot be decrypted
  130  stopped with Ctrl-C
"""

_NEXT = """
Next:
  make serve STACK={stack}          the ADK API server on this database
  make outputs STACK={stack}        the exported record
  make preview STACK={stack}        what another `make up` would change"""

_REHEARSED = """
A rehearsal: nothing was made in a cloud, and no server listens.
Next:
  .venv/bin/python -m infra outputs --stack {stack} --rehearse     the record it would export
  .venv/bin/python -m infra up --stack {stack} --rehearse          what another `up` would do, after an edit
  make up STACK={stack}                                            the same for real, with your credentials"""

_REHEARSED_ON_SERVERS = """
A rehearsal: nothing was made in a cloud, and PostgreSQL on this machine plays its servers.
Next:
  .venv/bin/session-db verify --stack {stack} --rehearse           ADK itself writes and deletes a session
  .venv/bin/session-db drill failover --stack {stack} --rehearse   the primary crashes under load
  .venv/bin/python -m infra outputs --stack {stack} --rehearse     the record, with URIs that lead to this machine
  .venv/bin/python -m infra up --stack {stack} --rehearse          what another `up` would do, after an edit
  make rehearse-clean                                              ends all rehearsals of this clone, and forgets them
  make up STACK={stack}                                            the same for real, with your credentials"""

_err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

_stack = click.option("--stack", default="dev", show_default=True, help="The stack; Pulumi.<stack>.yaml configures it.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
_rehearse = click.option(
    "--rehearse", is_flag=True, help="Let stand-ins answer in the cloud's place: no account, a state of its own."
)


@click.group(epilog=f"Example: python -m infra up --stack dev\n{_EXIT_CODES}")
@click.version_option(package_name="session-database", message="%(version)s")
def cli() -> None:
    """Drive the Pulumi program of the session database."""


@cli.command(epilog="Example: python -m infra up --stack dev")
@_stack
@_json
@_rehearse
@click.option(
    "--bootstrap/--no-bootstrap",
    default=None,
    help="Create and verify the session schema afterwards; unsaid, wherever the server can be reached from here.",
)
def up(stack: str, *, as_json: bool, rehearse: bool, bootstrap: bool | None) -> None:
    """Create, update or mend the stack, then create and verify the session schema."""
    with _answering(as_json=as_json):
        result = _drive(stack, Driver.up, rehearse=rehearse)
        wanted = not rehearse or result.reach is not None if bootstrap is None else bootstrap
        answers = schema.bootstrap(result, _err.print, asked=bootstrap, as_json=as_json) if wanted else {}
    _show(result, as_json=as_json, schema=answers)
    if not as_json:
        rehearsed = _REHEARSED_ON_SERVERS if result.reach else _REHEARSED
        _err.print((rehearsed if rehearse else _NEXT).format(stack=stack), markup=False)


@cli.command(epilog="Example: python -m infra preview --stack dev --expect-no-changes")
@_stack
@_json
@_rehearse
@click.option("--expect-no-changes", is_flag=True, help="Exit with 1 where `up` would change something.")
def preview(stack: str, *, as_json: bool, rehearse: bool, expect_no_changes: bool) -> None:
    """Show what `up` would change; changes nothing itself."""
    with _answering(as_json=as_json):
        result = _drive(stack, Driver.preview, rehearse=rehearse)
    _show(result, as_json=as_json)
    if expect_no_changes and result.changes:
        sys.exit(1)


@cli.command(epilog="Example: python -m infra refresh --stack dev")
@_stack
@_json
@_rehearse
def refresh(stack: str, *, as_json: bool, rehearse: bool) -> None:
    """Read how the resources really stand into the state."""
    with _answering(as_json=as_json):
        result = _drive(stack, Driver.refresh, rehearse=rehearse)
    _show(result, as_json=as_json)


@cli.command(epilog="Example: python -m infra destroy --stack dev")
@_stack
@_json
@_rehearse
def destroy(stack: str, *, as_json: bool, rehearse: bool) -> None:
    """Take the stack down; a SQLite database is moved to the backups folder, not deleted."""
    with _answering(as_json=as_json):
        result = _drive(stack, Driver.destroy, rehearse=rehearse)
    _show(result, as_json=as_json)


@cli.command(epilog="Example: python -m infra outputs --stack dev --json")
@_stack
@_json
@_rehearse
@click.option("--show-secrets", is_flag=True, help="Print the URIs in clear instead of [secret].")
def outputs(stack: str, *, as_json: bool, rehearse: bool, show_secrets: bool) -> None:
    """Print the exported record."""
    with _answering(as_json=as_json):
        result = _drive(stack, Driver.outputs, rehearse=rehearse)
    values = result.shown(secrets=show_secrets)
    if as_json:
        click.echo(json.dumps({"stack": stack, "outputs": values} | _reach(result)))
        return
    for line in record.lines(values):
        click.echo(line)


def _drive(stack: str, operation: Callable[[Driver], Result], *, rehearse: bool) -> Result:
    with Progress(_err) as progress:
        if rehearse:
            progress.note("a rehearsal: stand-ins answer in the cloud's place, on a state of their own")
        return operation(Driver(stack, progress, rehearse=rehearse))


def _reach(result: Result) -> dict[str, str]:
    """Where a rehearsal's control plane is, and the file by which its servers are reached."""
    found = result.reach
    return {"control_plane": found.control_plane, "reach": str(found.file)} if found else {}


def _show(result: Result, *, as_json: bool, **extra: Any) -> None:
    if as_json:
        answer = {"operation": result.operation, "stack": result.stack, "changes": result.changes}
        click.echo(json.dumps(answer | {"seconds": result.seconds, "outputs": result.shown()} | extra))
        return
    verb = "{1} {0}d" if result.operation in {"up", "destroy"} else "{1} to {0}"
    done = ", ".join(verb.format(*change) for change in result.changes.items()) or "nothing to change"
    done = done.replace("importd", "imported")
    _err.print(f"{result.operation} of stack {result.stack}: {done} ({result.seconds} s)", markup=False)


@contextlib.contextmanager
def _answering(*, as_json: bool) -> Iterator[None]:
    """End the body in readable lines and an exit code where it fails."""
    try:
        with ctrl_c.raised():
            yield
    except SchemaError as error:
        click.echo(error.answer, nl=False)
        sys.exit(error.code)
    except InfraError as error:
        _fail(type(error).__name__, str(error), error.exit_code, as_json=as_json)
    except OSError as error:
        _fail("OSError", f"{error.strerror or error}: {error.filename or ''}", InfraError.exit_code, as_json=as_json)
    except KeyboardInterrupt:
        _fail("InterruptedByUserError", "stopped as asked", InterruptedByUserError.exit_code, as_json=as_json)


def _fail(kind: str, message: str, exit_code: int, *, as_json: bool) -> NoReturn:
    for line in dict.fromkeys(message.splitlines()):
        _err.print(f"error: {shown(line.expandtabs())}", style="red", markup=False)
    if as_json:
        click.echo(json.dumps({"error": {"kind": kind, "message": message}}))
    sys.exit(exit_code)
