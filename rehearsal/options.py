"""What the command line takes, checked before anything is started."""

import math
import re
import tempfile
from pathlib import Path
from typing import Any, Final

import click

_OPERATIONS: Final = ("create", "update", "delete", "read", "*")
_TYPE: Final = re.compile(r"[a-z*][a-z0-9*-]*:[\w/.*-]+:[A-Z*][\w*]*")
_REQUEST: Final = re.compile(r"[\w.*-]+")
_FAULTS: Final = ("throttle", "fail-half-way", "time-out", "kill")


class Finite(click.FloatRange):
    """A number in a range; `nan`, which no comparison refuses, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.FloatRange`."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{found} is not in the range {self._describe_range()}.", param, ctx)
        return found


def report_folder(folder: Path) -> Path:
    """The folder, made, and found to take files; a rehearsal takes minutes before it has any to write.

    Raises:
        click.UsageError: It cannot be made, or takes none.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        message = (
            f"expected --report-folder to be a folder that files can be written to, but {folder}: {error.strerror}. "
            "For example: --report-folder reports"
        )
        raise click.UsageError(message) from None
    return folder.resolve()


def fault(words: tuple[str, ...]) -> tuple[str, str, str]:
    """Type, operation and fault of `fault add`.

    Raises:
        click.UsageError: Something could never be run into.
    """
    if len(words) != 3:  # noqa: PLR2004
        message = "expected TYPE OPERATION FAULT, for example: add aws:rds/instance:Instance create kill"
        raise click.UsageError(message)
    type_, operation, what = words
    if type_ not in ("api", "*") and not _TYPE.fullmatch(type_):
        message = (
            f"expected TYPE to be pkg:module:Type, api or *, got {type_!r}. For example: aws:rds/instance:Instance"
        )
        raise click.UsageError(message)
    if type_ == "api" and not _REQUEST.fullmatch(operation):
        message = f"expected OPERATION to be a request's name, got {operation!r}. For example: DescribeDBInstances"
        raise click.UsageError(message)
    if type_ != "api" and operation not in _OPERATIONS:
        message = (
            f"expected OPERATION to be one of {', '.join(_OPERATIONS)}, got {operation!r}. "
            "For example: create; a request's name has the TYPE api"
        )
        raise click.UsageError(message)
    if what not in _FAULTS:
        message = f"expected FAULT to be one of {', '.join(_FAULTS)}, got {what!r}. For example: kill"
        raise click.UsageError(message)
    if type_ == "api" and what == "kill":
        message = "expected FAULT to be another than kill, since api has no plugin to kill. For example: time-out"
        raise click.UsageError(message)
    return type_, operation, what
