"""Drives the program through Pulumi's Automation API, on the project's own settings, stack files and state."""

import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psutil
from pulumi.automation import (
    CommandError,
    ConcurrentUpdateError,
    Deployment,
    InlineSourceRuntimeError,
    LocalWorkspaceOptions,
    OutputMap,
    PulumiCommand,
    Stack,
    StackNotFoundError,
    select_stack,
)

from infra import program, pulumi_cli, state
from infra.errors import DeploymentError, InfraError, InterruptedByUserError, StateError
from infra.layout import PLUGINS, ROOT
from infra.progress import Progress

PROJECT: Final = "session-database"
_REPEATABLE: Final = "pulumi-python:dynamic/sessiondb:"
"""Resources whose operations adopt what a cut-off one left; for any other the engine says what to look at."""

_SECRET: Final = "[secret]"  # noqa: S105  # What stands in for a secret.


@dataclass(frozen=True)
class Result:
    """What an operation did.

    Attributes:
        operation: `up`, `preview`, `refresh`, `destroy` or `outputs`.
        stack: The stack's name.
        changes: Resources by what happened to them, for example `{"create": 3}`; empty where nothing changed.
        outputs: The exported record, secrets in clear; show it through `shown`.
        seconds: How long it took.
    """

    operation: str
    stack: str
    changes: dict[str, int] = field(default_factory=dict)
    outputs: OutputMap = field(default_factory=dict, repr=False)
    seconds: float = 0.0

    def shown(self, *, secrets: bool = False) -> dict[str, Any]:
        """The outputs as plain values, each secret replaced unless `secrets`; read-only."""
        return {
            name: output.value if secrets or not output.secret else _SECRET for name, output in self.outputs.items()
        }


class Driver:
    """One stack, driven from this clone.

    Args:
        name: The stack's name; `Pulumi.<name>.yaml` holds its settings.
        progress: Shows and collects what the engine does.
    """

    def __init__(self, name: str, progress: Progress) -> None:
        """Find the tools and the state; the engine is not asked yet."""
        self._name = name
        self._progress = progress
        self._refusal: InfraError | None = None
        self._config_file = state.config_file(name)
        self._command = pulumi_cli.ensure(progress.working)
        self._environment = _environment(self._command)

    def up(self) -> Result:
        """Create, update and mend what the stack file asks for."""
        stack = self._select(create=True)
        return self._run("up", lambda: stack.up(**self._options()), stack)

    def preview(self) -> Result:
        """Show what `up` would do; changes no resource."""
        stack = self._select(create=True)
        return self._run("preview", lambda: stack.preview(**self._options()), stack)

    def refresh(self) -> Result:
        """Read how the resources really stand into the state."""
        stack = self._select()
        return self._run("refresh", lambda: stack.refresh(**self._options()), stack)

    def destroy(self) -> Result:
        """Take everything down; a database is moved aside or backed up first, never lost."""
        stack = self._select()
        return self._run("destroy", lambda: stack.destroy(**self._options()), stack)

    def outputs(self) -> Result:
        """The exported record as of the last `up`; read-only."""
        with _engine_errors(self._name, self._progress):
            return Result("outputs", self._name, outputs=self._select().outputs())

    def _options(self) -> dict[str, Any]:
        return {"on_event": self._progress.event, "config_file": str(self._config_file), "color": "never"}

    def _select(self, *, create: bool = False) -> Stack:
        self._progress.working(f"opening the state of stack {self._name}")
        with _engine_errors(self._name, self._progress):
            try:
                return self._selected()
            except StackNotFoundError:
                if not create:
                    message = f"stack {self._name} does not exist yet. To create it: make up STACK={self._name}"
                    raise StateError(message) from None
            self._create()
            return self._selected()

    def _selected(self) -> Stack:
        options = LocalWorkspaceOptions(work_dir=str(ROOT), pulumi_command=self._command, env_vars=self._environment)
        return select_stack(self._name, project_name=PROJECT, program=self._program, opts=options)

    def _program(self) -> None:
        """The program itself, called by the engine; keeps its refusal, which the engine would retell as a text."""
        try:
            program.main()
        except InfraError as refusal:
            self._refusal = refusal
            raise

    def _create(self) -> None:
        """`stack init` writes a salt into the stack file beside Pulumi.yaml, so it gets a folder of its own."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
            args = ["stack", "init", "--stack", self._name, "--no-select"]
            self._command.run(args, folder, self._environment)

    def _run(self, operation: str, call: Callable[[], object], stack: Stack) -> Result:
        started = time.monotonic()
        with state.alone(self._name, self._progress.note), _engine_errors(self._name, self._progress):
            self._heal(stack)
            self._progress.working(f"{operation} of stack {self._name}")
            with _patient(self._name, self._progress):
                self._carry_out(call)
            outputs = stack.outputs()
        return Result(
            operation, self._name, dict(self._progress.changes), outputs, round(time.monotonic() - started, 1)
        )

    def _carry_out(self, call: Callable[[], object]) -> None:
        try:
            call()
        except CommandError:
            if self._refusal:
                raise self._refusal from None
            raise

    def _heal(self, stack: Stack) -> None:
        """Free a killed run's lock, and forget what it left open where doing it again is safe."""
        backend = self._environment.get("PULUMI_BACKEND_URL") or stack.workspace.who_am_i().url or ""
        state.release_dead_locks(backend, PROJECT, self._name, self._progress.note)
        exported = stack.export_stack()
        document = dict(exported.deployment or {})
        pending = document.pop("pending_operations", None) or []
        if pending and all(operation["resource"]["type"].startswith(_REPEATABLE) for operation in pending):
            self._progress.note(f"an earlier run was cut off in {len(pending)} operation(s): they are done again")
            stack.import_stack(Deployment(exported.version, document))


def _environment(command: PulumiCommand) -> dict[str, str]:
    """The state's variables, this interpreter for dynamic providers, and our plugins where the CLI has none."""
    path = os.environ.get("PATH", "")
    if not Path(command.command).is_relative_to(ROOT):
        path = os.pathsep.join([str(Path(command.command).parent), path])
    return state.environment() | {
        "PATH": os.pathsep.join([path, str(PLUGINS)]),
        "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


@contextlib.contextmanager
def _patient(stack: str, progress: Progress) -> Iterator[None]:
    """Let the engine finish the step in hand on Ctrl-C or SIGTERM, then report it as one error of its own.

    A terminal sends Ctrl-C to the engine too; a second one would make it drop the step, so only a signal that
    reached this process alone is passed on.

    Raises:
        InterruptedByUserError: The user stopped the operation.
    """
    asked = threading.Event()

    def stop(signum: int, _frame: FrameType | None) -> None:
        from_terminal = signum == signal.SIGINT and _in_foreground()
        if not asked.is_set():
            progress.note("stopping: the step in hand is finished first")
        asked.set()
        if not from_terminal:
            for child in psutil.Process().children():
                child.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except CommandError:
        if not asked.is_set():
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked.is_set():
        message = f"stopped as asked. The state is consistent; to go on: make up STACK={stack}"
        raise InterruptedByUserError(message)


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _engine_errors(stack: str, progress: Progress) -> Iterator[None]:
    """Turn what the CLI reports into one readable error.

    Raises:
        StateError: The state is locked, or its passphrase is another one.
        DeploymentError: Anything else, in the engine's own words.
    """
    try:
        yield
    except StackNotFoundError:
        raise
    except InfraError:
        raise
    except ConcurrentUpdateError:
        message = f"stack {stack} is locked by another deployment. If it is dead: pulumi cancel {stack}"
        raise StateError(message) from None
    except (CommandError, InlineSourceRuntimeError) as error:
        text = str(error)
        if "incorrect passphrase" in text:
            message = (
                f"the passphrase does not fit stack {stack}. Expected the one it was made with, in "
                "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE (a local stack's is .state/passphrase)"
            )
            raise StateError(message) from None
        raise DeploymentError("\n".join(progress.errors) or _last_words(text)) from None


def _last_words(text: str) -> str:
    """The CLI's own `error:` lines, else its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("stderr:").strip().removeprefix("error: ") for line in lines if "error: " in line]
    return "\n".join(errors) or (lines[-1] if lines else "the engine ended without a word")
