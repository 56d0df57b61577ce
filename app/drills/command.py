"""`session-db drill …`: tries on a running database what it promises, and ends with 1 where a promise is broken."""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from app import dsn
from app.answers import EXIT_CODES, Finite, answer, json_option, out, said, silent
from app.backends.interface import Report
from app.errors import InvalidSettingError

Run = Callable[[Report], dict[str, Any]]
"""A drill: takes lines of progress, gives its report."""

_EXAMPLE = "Example: session-db drill {} --stack prod --rehearse\n" + EXIT_CODES


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every drill takes."""
    options = (
        click.option("--stack", "name", help="The stack whose database and server to try."),
        click.option("--rehearse", is_flag=True, help="Try the stack's rehearsal, which has no consent to ask for."),
        click.option("--writers", default=8, show_default=True, type=click.IntRange(1, 256), help="Sessions at once."),
        click.option(
            "--rate",
            default=20.0,
            show_default=True,
            type=Finite(0, 10000),
            help="Events of each writer a second, at most; 0 for no limit.",
        ),
        click.option(
            "--seconds",
            default=20.0,
            show_default=True,
            type=Finite(0.5, 86400),
            help="How long to write, before and after what the drill does.",
        ),
        click.option("--yes", is_flag=True, help="Do not ask before a real database is touched."),
        json_option,
        click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Also write the JSON here."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(epilog=_EXAMPLE.format("load"))
def drill() -> None:
    """Try what a database promises, under load; what is broken is named, and ends with 1."""


@drill.command(epilog=_EXAMPLE.format("load"))
@_options
def load(name: str | None, **options: Any) -> None:
    """Write sessions through ADK, and hold what is stored against what was acknowledged."""

    def run(report: Report) -> dict[str, Any]:
        from app.drills import place, plain  # noqa: PLC0415  # Keeps --help quick.

        at = place.find(name, rehearse=options["rehearse"])
        _agreed(f"write sessions to {dsn.masked(at.target.app)}, and delete them again", at.rehearsal, options)
        return plain.run(at, _settings(options), options["seconds"], report).record()

    drilled(run, as_json=options["as_json"], file=options["report"])


@drill.command(epilog=_EXAMPLE.format("failover"))
@_options
def failover(name: str | None, **options: Any) -> None:
    """Let the standby take over under load: no acknowledged event may be lost, and the stack has nothing to change."""

    def run(report: Report) -> dict[str, Any]:
        from app.control import choice  # noqa: PLC0415  # Keeps --help quick.
        from app.drills import failover, place  # noqa: PLC0415  # As above.

        at = place.find(_named(name), rehearse=options["rehearse"])
        with closing(choice.of(at.exported)) as control:
            _agreed(f"fail {at.exported.text('instance')} over while it is written to", at.rehearsal, options)
            done = failover.run(at, control, _settings(options), seconds=options["seconds"], tell=report)
        return done.record()

    drilled(run, as_json=options["as_json"], file=options["report"])


@drill.command(epilog=_EXAMPLE.format("restore"))
@_options
@click.option("--keep", is_flag=True, help="Let the restored server stay, and show the lines that adopt it.")
@click.option("--discard", metavar="SERVER", help="Delete a server that an earlier drill kept, and restore nothing.")
def restore(name: str | None, *, keep: bool, discard: str | None, **options: Any) -> None:
    """Restore a moment beside the server: it must have every event before that moment, and none after."""
    if discard is not None:
        answer(lambda: _discarded(_named(name), discard, options), as_json=options["as_json"])
        return

    def run(report: Report) -> dict[str, Any]:
        from app.control import choice  # noqa: PLC0415  # Keeps --help quick.
        from app.drills import place  # noqa: PLC0415  # As above.
        from app.drills.restore import Drill  # noqa: PLC0415  # As above.

        at = place.find(_named(name), rehearse=options["rehearse"])
        end = "keep it" if keep else "delete it again"
        with closing(choice.of(at.exported)) as control:
            _agreed(f"make a second server from {at.exported.text('instance')}, and {end}", at.rehearsal, options)
            return Drill(at, control, _settings(options), options["seconds"], report, keep=keep).run().record()

    drilled(run, as_json=options["as_json"], file=options["report"])


def _discarded(name: str, instance: str, options: dict[str, Any]) -> dict[str, Any]:
    from app import stack  # noqa: PLC0415  # Keeps --help quick.
    from app.control import choice, kept  # noqa: PLC0415  # As above.

    record = stack.record_of(name, rehearse=options["rehearse"])
    with closing(choice.of(record)) as control:
        found = kept.require(record, control, instance)
        _agreed(f"delete {found} with all that is in it", record.rehearsal, options)
        kept.discard(control, found, silent if options["as_json"] else said)
    return {"discarded": found}


@drill.command(epilog=_EXAMPLE.format("rotate"))
@_options
def rotate(name: str | None, **options: Any) -> None:
    """Run `up` under load after `rotation` was counted up in the stack file: no request may fail."""

    def run(report: Report) -> dict[str, Any]:
        from app.drills import place, rotate  # noqa: PLC0415  # Keeps --help quick.

        at = place.find(_named(name), rehearse=options["rehearse"])
        _agreed(f"run `up` of stack {at.exported.stack} while it is written to", at.rehearsal, options)
        return rotate.run(at, _settings(options), seconds=options["seconds"], tell=report).record()

    drilled(run, as_json=options["as_json"], file=options["report"])


def _named(name: str | None) -> str:
    if name is None:
        message = "expected the stack whose server to try, for example: --stack prod --rehearse"
        raise InvalidSettingError(message)
    return name


def _settings(options: dict[str, Any]) -> Any:
    from app.drills.load import Settings  # noqa: PLC0415  # Keeps --help quick.

    return Settings(options["writers"], options["rate"])


def _agreed(what: str, rehearsal: bool, options: dict[str, Any]) -> None:  # noqa: FBT001
    """Ask whoever sits there, unless it is a rehearsal or they have said yes already."""
    if rehearsal or options["yes"]:
        return
    if not sys.stdin.isatty():
        message = f"expected consent to {what}. To give it: --yes"
        raise InvalidSettingError(message)
    if not click.confirm(f"This will {what}. Go on?", err=True):
        message = f"expected consent to {what}; nothing was done"
        raise InvalidSettingError(message)


def drilled(run: Run, *, as_json: bool, file: Path | None) -> None:
    """Run a drill, report it, and end with 1 where a promise was broken.

    Args:
        run: The drill.
        as_json: Whether a script reads it.
        file: Where else the report goes.
    """
    held = True

    def work() -> dict[str, Any]:
        nonlocal held
        if file is not None:
            _require_writable(file)
        found = run(silent if as_json else said)
        held = found["held"]
        if file is not None:
            _write(file, found)
        if not as_json:
            _show(found)
        return found

    answer(work, as_json=as_json)
    if not held:
        sys.exit(1)


def _require_writable(file: Path) -> None:
    """Before the drill: its report would be lost after minutes. What is in the file stays, should the drill fail."""
    try:
        there = file.exists()
        file.open("a").close()
        if not there:
            file.unlink()
    except OSError as error:
        raise _unwritable(file, error) from None


def _write(file: Path, found: dict[str, Any]) -> None:
    try:
        file.write_text(json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> InvalidSettingError:
    message = f"expected --report to name a file that can be written, but {file}: {error.strerror}"
    return InvalidSettingError(f"{message}. For example: --report drill.json")


def _show(found: dict[str, Any]) -> None:
    from app.drills import shown  # noqa: PLC0415  # Keeps --help quick.

    for line in shown.lines(found):
        out.print(line, markup=False)
    for sentence in found["broken"]:
        out.print(f"broken: {sentence}", style="red", markup=False)
