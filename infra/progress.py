"""Shows what the engine does while it does it, and remembers what a caller needs of it afterwards."""

import re
from collections import Counter
from typing import Final, Self

from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata
from rich.console import Console
from rich.markup import escape

from infra.changes import changed

_VERBS: Final = {
    "create": ("creating", "created"),
    "update": ("updating", "updated"),
    "delete": ("deleting", "deleted"),
    "import": ("importing", "imported"),
    "refresh": ("reading", "read"),
    "create-replacement": ("creating the replacement of", "created the replacement of"),
    "delete-replaced": ("deleting the replaced", "deleted the replaced"),
}

_CHANGING: Final = frozenset({"update", "create-replacement"})
"""The steps whose properties are told."""

_SHOWN: Final = 6
"""Properties that one line has room for."""

_COLOURS: Final = re.compile(r"<\{%.*?%\}>")
"""The engine's colour directives, for example `<{%reset%}>`."""

_NOISE: Final = ("using pulumi-resource-", "is up to date", "to continue", "Will retry in ")


class Progress:
    """A display for one operation: a line for each step that changes something, a moving one for what is in hand.

    Args:
        console: Where to show it; a terminal gets the moving line, a log only the finished steps.

    Attributes:
        errors: What went wrong, in the engine's order, without colours or tracebacks.
        changes: Steps by operation, for example `{"create": 3}`, without those that changed nothing.
    """

    def __init__(self, console: Console) -> None:
        """Start with nothing in hand."""
        self.console = console
        self.errors: list[str] = []
        self.changes: Counter[str] = Counter()
        self._status = console.status("starting")

    def __enter__(self) -> Self:
        """Start the moving line."""
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the moving line."""
        self._status.stop()

    def working(self, text: str) -> None:
        """Say what is in hand, on the moving line."""
        self._status.update(escape(text))
        if not self.console.is_terminal:
            self._log_phase(text)

    def note(self, text: str) -> None:
        """Say something that stays."""
        self.console.print(f"  {text}", markup=False)

    def event(self, event: EngineEvent) -> None:
        """Take one event of the engine's stream."""
        if event.resource_pre_event:
            self._step(event.resource_pre_event.metadata, planned=bool(event.resource_pre_event.planning))
        elif event.res_outputs_event and not event.res_outputs_event.planning:
            self._done(event.res_outputs_event.metadata)
        elif event.diagnostic_event:
            self._diagnostic(event.diagnostic_event)
        elif event.summary_event:
            counts = {str(getattr(op, "value", op)): n for op, n in event.summary_event.resource_changes.items()}
            self.changes = Counter({op: n for op, n in counts.items() if op != "same"})

    def _step(self, step: StepEventMetadata, *, planned: bool) -> None:
        verb = _VERBS.get(step.op.value)
        if verb and planned:
            self.note(f"to {step.op.value}  {_name(step)}{_properties(step)}")
        elif verb:
            self.working(f"{verb[0]} {_name(step)}")

    def _done(self, step: StepEventMetadata) -> None:
        verb = _VERBS.get(step.op.value)
        if verb and step.op.value != "refresh":
            self.note(f"{verb[1]}  {_name(step)}{_properties(step)}")

    def _diagnostic(self, event: DiagnosticEvent) -> None:
        text = _plain(event.message)
        if event.severity == "error":
            self._error(text)
        elif event.severity != "debug" and text and not any(noise in text for noise in _NOISE):
            self.note(text)

    def _error(self, text: str) -> None:
        """Keep each line once: the engine tells an error of each resource, at the end again, and counts it."""
        known = [line for error in self.errors for line in error.splitlines()]
        lines = dict.fromkeys(line for line in text.splitlines() if line)
        fresh = [line for line in lines if not any(each in line for each in known)]
        if fresh and not (known and text == "update failed"):
            self.errors.append("\n".join(fresh))

    def _log_phase(self, text: str) -> None:
        """In a log one line for each phase, not for each of its thousands of steps."""
        phase = text.split(":", 1)[0]
        if phase != getattr(self, "_phase", None):
            self._phase = phase
            self.note(phase)


def _name(step: StepEventMetadata) -> str:
    """The type and name of a resource, for example `SqliteFile adk-sessions`."""
    return f"{step.type.rsplit(':', 1)[-1]} {step.urn.rsplit('::', 1)[-1]}"


def _properties(step: StepEventMetadata) -> str:
    """What of a resource changes, for example `: settings.tier`, where it stays or another one takes its place."""
    if step.op.value not in _CHANGING:
        return ""
    paths = list(changed(step))
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f": {', '.join(paths[:_SHOWN])}{more}" if paths else ""


def masked(text: str) -> str:
    """The text without users and passwords in URLs; read-only.

    >>> masked("cannot open postgres://u:change-me@h/db")
    'cannot open postgres://***@h/db'
    """
    return re.sub(r"(?<=//)[^/\s\"]*@", "***@", text)


def _plain(message: str) -> str:
    """The message without colours and, where it is a Python traceback, its last line only."""
    text = masked(_COLOURS.sub("", message).strip())
    if "Traceback (most recent call last)" in text:
        text = text.splitlines()[-1].strip()
    return re.sub(r"^(Exception calling application: )?infra\.errors\.\w+: ", "", text)
