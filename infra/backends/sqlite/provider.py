"""The dynamic provider that keeps one SQLite file: private, where the stack says, and never thrown away."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from infra.backends.sqlite import files
from infra.errors import InfraError


class SqliteFileProvider(ResourceProvider):
    """Creates, mends, moves and retires the file named by the inputs `path`, `backups` and `agents`."""

    serialize_as_secret_always = False
    """The provider captures nothing, so its serialized form is no secret."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse a path that cannot be the database, before anything changes; read-only."""
        managed = _olds.get("path") == news["path"]
        refusals = {
            "path": files.refusal(Path(news["path"]), Path(news["agents"]), managed=managed),
            "backups": files.backups_refusal(Path(news["backups"])),
        }
        return CheckResult(news, [CheckFailure(name, reason) for name, reason in refusals.items() if reason])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the file itself with what is wanted, so that drift shows without a refresh; read-only."""
        moved = any(_olds.get(key) != _news[key] for key in ("path", "backups", "agents"))
        return DiffResult(changes=moved or files.inspect(Path(_news["path"])) != files.Condition.wanted())

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the file, or adopt the SQLite database that is there."""
        with _one_line_errors():
            files.secure(Path(props["path"]))
        return CreateResult(props["path"], _outputs(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report how the file stands; an empty id tells the engine that it is gone. Read-only."""
        condition = files.inspect(Path(props["path"]))
        return ReadResult(id_ if condition else "", props | (asdict(condition) if condition else {}))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Move the data along with a new path, and make file and folder private again."""
        old, new = Path(_olds["path"]), Path(_news["path"])
        with _one_line_errors():
            if old != new and old.exists():
                files.move(old, new)
            files.secure(new)
        return UpdateResult(_outputs(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Move the database to the backups folder."""
        with _one_line_errors():
            kept = files.retire(Path(_props["path"]), Path(_props["backups"]))
        if kept:
            # The engine shows what a plugin prints, whichever way the program is run.
            print(f"kept the database as {kept}", flush=True)  # noqa: T201


def _outputs(props: dict[str, Any]) -> dict[str, Any]:
    return props | asdict(files.Condition.wanted())


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    """`pulumi.dynamic` reports an exception with its whole traceback; our own errors need none."""
    try:
        yield
    except InfraError:
        sys.tracebacklimit = 0
        raise
