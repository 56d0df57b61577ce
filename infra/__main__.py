"""`python -m infra`: provision, look at and take down a stack, without any set-up."""

import json
import os
import subprocess
import sys
from typing import Any

import click
from rich.console import Console

from infra.deploy import Driver, Result
from infra.errors import InfraError
from infra.layout import ROOT
from infra.progress import Progress

_EXIT_CODES = """
\b
Exit codes:
  0    done
  1    the operation failed, or --expect-no-changes found changes
  2    the command line or the stack file is wrong
  3    the Pulumi CLI cannot be had
  4    the state is missing, locked or cannot be decrypted
  130  stopped with Ctrl-C
"""

_err = Console(stderr=True)

_stack = click.option("--stack", default="dev", show_default=True, help="The stack; Pulumi.<stack>.yaml configures it.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


@click.group(epilog=f"Example: python -m infra up --stack dev\n{_EXIT_CODES}")
def cli() -> None:
    """Drive the Pulumi program of the session database."""


@cli.command(epilog="Example: python -m infra up --stack dev")
@_stack
@_json
@click.option("--bootstrap/--no-bootstrap", default=True, help="Create and verify the session schema afterwards.")
def up(stack: str, *, as_json: bool, bootstrap: bool) -> None:
    """Create, update or mend the stack, then create and verify the session schema."""
    with Progress(_err) as progress:
        result = Driver(stack, progress).up()
    schema = _schema(result, as_json=as_json) if bootstrap else {}
    _show(result, as_json=as_json, schema=schema)
    if not as_json:
        _err.print(
            "\nNext:\n"
            "  make serve                       the ADK API server on this database\n"
            f"  python -m infra outputs --stack {stack}   the exported record\n"
            f"  python -m infra preview --stack {stack}   what another up would change",
            highlight=False,
        )


@cli.command(epilog="Example: python -m infra preview --stack dev --expect-no-changes")
@_stack
@_json
@click.option("--expect-no-changes", is_flag=True, help="Exit with 1 where `up` would change something.")
def preview(stack: str, *, as_json: bool, expect_no_changes: bool) -> None:
    """Show what `up` would change; changes nothing itself."""
    with Progress(_err) as progress:
        result = Driver(stack, progress).preview()
    _show(result, as_json=as_json)
    if expect_no_changes and result.changes:
        sys.exit(1)


@cli.command(epilog="Example: python -m infra refresh --stack dev")
@_stack
@_json
def refresh(stack: str, *, as_json: bool) -> None:
    """Read how the resources really stand into the state."""
    with Progress(_err) as progress:
        result = Driver(stack, progress).refresh()
    _show(result, as_json=as_json)


@cli.command(epilog="Example: python -m infra destroy --stack dev")
@_stack
@_json
def destroy(stack: str, *, as_json: bool) -> None:
    """Take the stack down; a SQLite database is moved to the backups folder, not deleted."""
    with Progress(_err) as progress:
        result = Driver(stack, progress).destroy()
    _show(result, as_json=as_json)


@cli.command(epilog="Example: python -m infra outputs --stack dev --json")
@_stack
@_json
@click.option("--show-secrets", is_flag=True, help="Print the URIs in clear instead of [secret].")
def outputs(stack: str, *, as_json: bool, show_secrets: bool) -> None:
    """Print the exported record."""
    with Progress(_err) as progress:
        result = Driver(stack, progress).outputs()
    values = result.shown(secrets=show_secrets)
    if as_json:
        click.echo(json.dumps({"stack": stack, "outputs": values}))
        return
    for name, value in values.items():
        click.echo(f"{name:16} {json.dumps(value) if isinstance(value, dict) else value}")


def _show(result: Result, *, as_json: bool, **extra: Any) -> None:
    if as_json:
        record = {"operation": result.operation, "stack": result.stack, "changes": result.changes}
        click.echo(json.dumps(record | {"seconds": result.seconds, "outputs": result.shown()} | extra))
        return
    done = ", ".join(f"{count} to {op}" for op, count in result.changes.items()) or "nothing to change"
    _err.print(f"{result.operation} of stack {result.stack}: {done} ({result.seconds} s)", highlight=False)


def _schema(result: Result, *, as_json: bool) -> dict[str, Any]:
    """Run the bootstrapper on the exported URI, which it gets by environment, never by argument."""
    environment = os.environ | {"SESSION_DB_URI": result.outputs["admin_db_uri"].value}
    answers = {}
    for verb in ("bootstrap", "verify"):
        command = [sys.executable, "-m", "app.cli", verb, *(["--json"] if as_json else [])]
        run = subprocess.run(command, cwd=ROOT, env=environment, check=False, text=True, **_pipe(as_json=as_json))
        if run.returncode:
            sys.exit(run.returncode)
        answers[verb] = json.loads(run.stdout) if as_json else {}
    return answers


def _pipe(*, as_json: bool) -> dict[str, Any]:
    return {"stdout": subprocess.PIPE} if as_json else {}


def main() -> None:
    """Run the command line; our own errors end in one line and their exit code."""
    try:
        cli(prog_name="python -m infra", standalone_mode=True)
    except InfraError as error:
        for line in str(error).splitlines():
            _err.print(f"error: {line}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
