"""`python -m rehearsal`: the whole life of a production stack on this machine, and what is left of it."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console

from rehearsal import options
from rehearsal.errors import RehearsalError

if TYPE_CHECKING:
    from rehearsal.controlplane.client import ControlPlaneClient

_CLOUDS = ("gcp", "aws", "azure")

_EXIT_CODES = """
\b
Exit codes:
  0    done; every promise was held
  1    a promise was broken, or a step failed
  2    the command line is wrong, or a package is missing
  130  stopped with Ctrl-C
"""

_err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

_json = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


@click.group(epilog=f"Example: python -m rehearsal run aws\n{_EXIT_CODES}")
def cli() -> None:
    """Rehearse production without an account: the real engine, real PostgreSQL, the cloud's API on this machine."""


@cli.command(epilog=f"Example: python -m rehearsal run aws\n{_EXIT_CODES}")
@click.argument("cloud", type=click.Choice(_CLOUDS))
@click.option("--writers", default=4, show_default=True, type=click.IntRange(1, 256), help="Sessions at once.")
@click.option(
    "--seconds",
    default=3.0,
    show_default=True,
    type=options.Finite(0.5, 3600),
    help="How long a drill writes before and after what it does.",
)
@click.option("--keep", is_flag=True, help="Let the stack stay up at the end, to look around.")
@click.option(
    "--report-folder", type=click.Path(path_type=Path, file_okay=False), help="Where report.html and report.json go."
)
@_json
def run(cloud: str, *, writers: int, seconds: float, keep: bool, report_folder: Path | None, as_json: bool) -> None:
    """Go the whole way on one cloud, from preview to destroy, with every drill in between; writes a report."""
    with _packages(cloud, as_json=as_json):
        from rehearsal.run import layout, rehearsing  # noqa: PLC0415  # Keeps --help quick.

    folder = options.report_folder(report_folder or layout.REPORTS / cloud)
    try:
        done = rehearsing.rehearse(cloud, _err, writers=writers, seconds=seconds, keep=keep, folder=folder)
    except RehearsalError as error:
        _fail(error, 1, as_json=as_json)
    except KeyboardInterrupt:
        _err.print(f"stopped as asked; so far: {layout.shown(folder / 'report.html')}", markup=False)
        _err.print("To end what is left: python -m rehearsal clean", markup=False)
        sys.exit(130)
    if as_json:
        click.echo(json.dumps(done.record()))
    _verdict(done.record(), layout.shown(folder / "report.html"), layout.shown(layout.ground_of(cloud)))
    sys.exit(1 if done.broken else 0)


def _verdict(done: Mapping[str, Any], report: str, ground: str) -> None:
    """The promises, and where to go on."""
    for each in done["promises"]:
        colour = {"held": "green", "broken": "red"}.get(each["outcome"], "dim")
        _err.print(f"  {each['name']:30} {each['value']:>14}  ", style=colour, end="", markup=False)
        _err.print(each["told"], style="dim", markup=False)
    for step in done["steps"]:
        if step["look"]:
            _err.print(f"to look further: {step['look']}", markup=False)
    if any(each["outcome"] == "unknown" for each in (*done["promises"], *done["steps"])):
        _err.print(f"It is still up. Its commands run with SESSION_DB_REHEARSAL={ground}", markup=False)
        _err.print("To end it: python -m rehearsal clean", markup=False)
    _err.print(f"report: {report}", markup=False)


@cli.command(epilog="Example: python -m rehearsal status")
@_json
def status(*, as_json: bool) -> None:
    """Say which rehearsals run in this clone, and which servers."""
    with _packages(as_json=as_json):
        from rehearsal.run import rehearsing  # noqa: PLC0415  # Keeps --help quick.

    found = rehearsing.status()
    if as_json:
        click.echo(json.dumps(found))
        return
    for cloud, pid in found["rehearsed"].items():
        click.echo(f"{cloud} is rehearsed by process {pid}")
    for plane in found["control_planes"]:
        click.echo(f"control plane in {plane['folder']}, process {plane['pid']}")
        for each in plane["servers"]:
            where = f"PostgreSQL {each['version']} on 127.0.0.1:{each['port']}"
            click.echo(f"  {each['cloud']:6} {each['name']:28} {each['status']:12} {where}")
    if not found["rehearsed"] and not found["control_planes"]:
        click.echo("no rehearsal runs in this clone")


@cli.command(epilog="Example: python -m rehearsal clean")
@_json
def clean(*, as_json: bool) -> None:
    """End every rehearsal of this clone, its servers and its state; reports stay."""
    with _packages(as_json=as_json):
        from rehearsal.run import rehearsing  # noqa: PLC0415  # Keeps --help quick.

    try:
        ended = rehearsing.clean(_said)
    except RehearsalError as error:
        _fail(error, 1, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"ended": ended}))
    for each in ended or ["nothing"]:
        _err.print(f"ended: {each}", markup=False)


@cli.command(
    epilog="Example: python -m rehearsal fault --folder .rehearsal/aws add aws:rds/instance:Instance create kill"
)
@click.option(
    "--folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The rehearsal's folder, as `status` prints it.",
)
@click.option(
    "--cloud", default="*", show_default=True, type=click.Choice([*_CLOUDS, "*"]), help="gcp, aws, azure, or * for all."
)
@click.option("--times", default=1, show_default=True, type=click.IntRange(1), help="How often.")
@click.argument("verb", type=click.Choice(["add", "list", "clear"]))
@click.argument("fault", nargs=-1)
def fault(folder: Path, cloud: str, times: int, verb: str, fault: tuple[str, ...]) -> None:
    """Let something go wrong: add TYPE OPERATION throttle|fail-half-way|time-out|kill; list; clear.

    TYPE is Pulumi's, for example aws:rds/instance:Instance, or `api` for the drills' requests; * is any.
    OPERATION is create, update, delete or read, or the name of a request, for example DescribeDBInstances; * is any.
    """
    kind, operation, what = options.fault(fault) if verb == "add" else ("", "", "")
    plane = _living(folder)
    try:
        if verb == "add":
            plane.call("faults.add", type=kind, operation=operation, fault=what, cloud=cloud, times=times)
        elif verb == "clear":
            plane.call("faults.clear")
        click.echo(json.dumps(plane.call("faults.list")["faults"]))
    except RehearsalError as error:
        _fail(error, 1, as_json=False)


def _living(folder: Path) -> "ControlPlaneClient":
    """The control plane of a rehearsal that runs: one that is started here would be known to nobody."""
    from rehearsal.claim import claimed  # noqa: PLC0415  # Keeps --help quick.
    from rehearsal.controlplane import client  # noqa: PLC0415  # As above.

    found = client.running(folder.resolve()) if claimed(folder) else None
    if found is None:
        message = (
            f"expected --folder to be that of a rehearsal that runs, got {folder}. "
            "For example .rehearsal/aws; to see those that run: python -m rehearsal status"
        )
        raise click.UsageError(message)
    return found


@contextmanager
def _packages(cloud: str = "gcp", *, as_json: bool) -> Iterator[None]:
    """Tell of a package that the body cannot import, with the extras that bring it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rehearsal"):
            raise
        message = (
            f"expected the packages of a rehearsal, but {error.name} cannot be found. "
            f'To install them: make environment EXTRAS="{cloud} rehearsal drills"'
        )
        _fail(RehearsalError(message), 2, as_json=as_json)


def _said(line: str) -> None:
    _err.print(line, markup=False)


def _fail(error: Exception, code: int, *, as_json: bool) -> NoReturn:
    for line in str(error).splitlines():
        _err.print(f"error: {line}", style="red", markup=False)
    if as_json:
        click.echo(json.dumps({"error": {"kind": type(error).__name__, "message": str(error)}}))
    sys.exit(code)


if __name__ == "__main__":
    cli(prog_name="python -m rehearsal")
