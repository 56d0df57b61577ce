"""Drives the program through Pulumi's Automation API, on the project's own settings, stack files and state."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulumi.automation import (
    CommandError,
    Deployment,
    LocalWorkspaceOptions,
    OutputMap,
    Stack,
    StackNotFoundError,
    UpResult,
    select_stack,
)
from pulumi.automation.events import EngineEvent

from infra import (
    backends,
    failures,
    guard,
    interruption,
    kept,
    locks,
    program,
    pulumi_cli,
    stack_file,
    stage,
    unsettled,
)
from infra.errors import InfraError, StateError
from infra.layout import PROJECT
from infra.progress import Progress
from infra.reach import Reach, prepare, reach_of
from infra.unsettled import Unsettled

if TYPE_CHECKING:
    from threading import Thread

_REPEATABLE: Final = "pulumi-python:dynamic/sessiondb:"
"""Resources whose operations adopt what a cut-off one left; for any other the engine says what to look at."""

_LOCAL: Final = ("sqlite", "postgres")
"""Backends that make nothing in a cloud."""

_IN_HISTORY: Final = False
"""Afterwards the Automation API reads the history, which in clear would put a salt into the tracked stack file."""

_SECRET: Final = "[secret]"  # noqa: S105  # What stands in for a secret.


@dataclass(frozen=True)
class Result:
    """What an operation did.

    Attributes:
        operation: `up`, `preview`, `refresh`, `destroy` or `outputs`.
        stack: The stack's name.
        changes: Resources by what happened to them, for example `{"create": 3}`; empty where nothing changed.
        outputs: The exported record after `up` and `outputs`, secrets in clear; show it through `shown`.
        seconds: How long it took.
        reach: How the servers of a rehearsal are reached; None for the real thing, and where there are none.
    """

    operation: str
    stack: str
    changes: dict[str, int] = field(default_factory=dict)
    outputs: OutputMap = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    reach: Reach | None = None

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
        rehearse: Whether stand-in plugins answer, on a state of their own; for good in this process.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
        StateError: There is a local state, and its passphrase is gone.
        ToolError: The Pulumi CLI cannot be had.
    """

    def __init__(self, name: str, progress: Progress, *, rehearse: bool = False) -> None:
        """Find the tools and the state; the engine is not asked yet."""
        self._name = name
        self._progress = progress
        self._refusal: InfraError | None = None
        self._preloading: Thread | None = None
        self._known: list[dict[str, Any]] = []
        stack_file.require(name)
        self._command = pulumi_cli.ensure(progress.working)
        self._stage = stage.rehearsal(name) if rehearse else stage.real()
        self._project = self._stage.project(self._stage.folder)
        self._environment = self._stage.variables(self._command.command)

    def up(self) -> Result:
        """Create, update and mend what the stack file asks for; a plan that costs a database is refused first."""
        return self._run("up", self._up, create=True)

    def preview(self) -> Result:
        """Show what `up` would do, and what it would refuse; changes no resource."""
        return self._run("preview", self._preview, create=True)

    def refresh(self) -> Result:
        """Read how the resources really stand into the state, which never forgets what is protected."""
        return self._run("refresh", self._refresh)

    def destroy(self) -> Result:
        """Take everything down; a database is moved aside or backed up first, never lost, and refused if protected."""
        return self._run("destroy", self._destroy)

    def outputs(self) -> Result:
        """The exported record as of the last `up`; read-only.

        Raises:
            StateError: There is none yet.
        """
        with failures.readable(self._name, self._progress):
            outputs = self._select().outputs()
        if not outputs:
            message = f"stack {self._name} exports nothing yet. To make it: {self._stage.making(self._name)}"
            raise StateError(message)
        return self._reached(Result("outputs", self._name, outputs=outputs))

    def _up(self, stack: Stack, options: dict[str, Any]) -> object:
        if guard.concerns(self._known) or stack_file.backend(self._name) not in _LOCAL:
            self._progress.working(f"preview of stack {self._name}")
            guard.preview(stack, options, name=self._name, known=self._known, quiet=True)
            self._progress.working(f"up of stack {self._name}")
        return stack.up(**options, show_secrets=_IN_HISTORY)

    def _preview(self, stack: Stack, options: dict[str, Any]) -> object:
        return guard.preview(stack, options, name=self._name, known=self._known)

    def _refresh(self, stack: Stack, options: dict[str, Any]) -> object:
        if guard.concerns(self._known):
            guard.refresh(stack, options, name=self._name)
        return stack.refresh(**options, show_secrets=_IN_HISTORY)

    def _destroy(self, stack: Stack, options: dict[str, Any]) -> object:
        guard.require_unprotected(self._known, name=self._name)
        reach = reach_of(self._stage.ground)
        kept.require_none(self._name, self._known, reach.servers if reach else (), rehearsal=self._stage.rehearsal)
        return stack.destroy(**options, show_secrets=_IN_HISTORY)

    def _run(self, operation: str, call: Callable[[Stack, dict[str, Any]], object], *, create: bool = False) -> Result:
        started = time.monotonic()
        if create:
            self._preloading = backends.preloading(stack_file.backend(self._name))
        if self._stage.ground and operation != "preview":
            prepare(self._stage.ground)
        with (
            locks.alone(self._name, self._stage.folder, self._progress.note),
            failures.readable(self._name, self._progress),
        ):
            locks.heal(self._stage.backend, PROJECT, self._name, self._progress.note)
            stack = self._select(create=create)
            self._known = self._settled(stack)
            self._progress.working(f"{operation} of stack {self._name}")
            with interruption.patient(self._name, self._progress.note):
                done = self._carry_out(call, stack)
        outputs = done.outputs if isinstance(done, UpResult) else {}
        seconds = round(time.monotonic() - started, 1)
        return self._reached(Result(operation, self._name, dict(self._progress.changes), outputs, seconds))

    def _reached(self, result: Result) -> Result:
        """The result with URIs that lead to the servers of a rehearsal."""
        found = reach_of(self._stage.ground) if result.outputs else None
        return replace(result, outputs=found.leading(result.outputs), reach=found) if found else result

    def _carry_out(self, call: Callable[[Stack, dict[str, Any]], object], stack: Stack) -> object:
        file = str(self._stage.config_file(self._name, self._stage.folder))
        open_ends = Unsettled()

        def event(event: EngineEvent) -> None:
            open_ends.event(event)
            self._progress.event(event)

        try:
            return call(stack, {"on_event": event, "config_file": file, "color": "never"})
        except CommandError as error:
            if self._refusal:
                raise self._refusal from None
            told = "\n".join([*self._progress.errors, str(error)])
            self._progress.errors += open_ends.lines(self._name, told)
            self._progress.errors += kept.held(self._name, self._known, told, rehearsal=self._stage.rehearsal)
            raise

    def _program(self) -> None:
        """The program itself, called by the engine; keeps its refusal, which the engine would retell as a text."""
        if self._preloading:
            self._preloading.join()
        try:
            program.main()
        except InfraError as refusal:
            self._refusal = refusal
            raise

    def _select(self, *, create: bool = False) -> Stack:
        self._progress.working(f"opening the state of stack {self._name}")
        options = LocalWorkspaceOptions(
            work_dir=str(self._project), pulumi_command=self._command, env_vars=self._environment
        )
        try:
            return select_stack(self._name, project_name=PROJECT, program=self._program, opts=options)
        except StackNotFoundError:
            if not create:
                message = f"stack {self._name} does not exist yet. To create it: {self._stage.making(self._name)}"
                raise StateError(message) from None
        backend = stack_file.backend(self._name)
        backends.require(backend, stack_file.section(self._name, backend), project=PROJECT, stack=self._name)
        self._create()
        return select_stack(self._name, project_name=PROJECT, program=self._program, opts=options)

    def _create(self) -> None:
        """`stack init` writes a salt into the stack file beside Pulumi.yaml, so it gets a folder of its own."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "Pulumi.yaml").write_text((self._project / "Pulumi.yaml").read_text())
            self._command.run(["stack", "init", "--stack", self._name, "--no-select"], folder, self._environment)

    def _settled(self, stack: Stack) -> list[dict[str, Any]]:
        """Let go of what a killed run left open, where doing it again is safe; elsewhere say once what to look at.

        Returns:
            The resources of the state.

        Raises:
            StateError: A server may be there that the stack does not know; the next run goes on without it.
        """
        exported = stack.export_stack()
        document = dict(exported.deployment or {})
        pending = document.pop("pending_operations", None) or []
        if pending and all(operation["resource"]["type"].startswith(_REPEATABLE) for operation in pending):
            self._progress.note(f"an earlier run was cut off in {len(pending)} operation(s): they are done again")
            stack.import_stack(Deployment(exported.version, document))
        elif servers := unsettled.pending(pending):
            stack.import_stack(Deployment(exported.version, document))
            raise StateError("\n".join(unsettled.lines(self._name, servers)))
        return list(document.get("resources") or [])
