"""The engine's events become readable lines, and its errors lose colours and tracebacks."""

import io

from pulumi.automation.events import EngineEvent
from rich.console import Console

from infra.progress import Progress


def shown(*events: dict[str, object]) -> tuple[Progress, str]:
    """What a log shows of these events, which are in the engine's own JSON form."""
    log = io.StringIO()
    progress = Progress(Console(file=log, soft_wrap=True, highlight=False))
    with progress:
        for event in events:
            progress.event(EngineEvent.from_json({"sequence": 1, "timestamp": 1, **event}))
    return progress, log.getvalue()


def step(kind: str, operation: str, **extra: object) -> dict[str, object]:
    """A step of the engine on a resource."""
    kinds = "pulumi-python:dynamic/sessiondb:SqliteFile"
    urn = f"urn:pulumi:dev::session-database::{kinds}::adk-sessions"
    return {kind: {"metadata": {"op": operation, "urn": urn, "type": kinds, "provider": ""}, **extra}}


def test_a_step_is_named_while_and_after_it_is_done() -> None:
    """By the last part of its type and its name."""
    _, text = shown(step("resourcePreEvent", "create"), step("resOutputsEvent", "create"))

    assert [line.strip() for line in text.splitlines()] == [
        "creating SqliteFile adk-sessions",
        "created  SqliteFile adk-sessions",
    ]


def test_a_step_that_changes_nothing_is_not_shown() -> None:
    """A second `up` is quiet."""
    _, text = shown(step("resourcePreEvent", "same"), step("resOutputsEvent", "same"))

    assert text == ""


def test_a_planned_step_is_told_from_a_real_one() -> None:
    """A preview must not look like a deployment."""
    _, text = shown(step("resourcePreEvent", "delete", planning=True), step("resOutputsEvent", "delete", planning=True))

    assert text.strip() == "to delete  SqliteFile adk-sessions"


def test_an_import_is_shown_before_and_after() -> None:
    """Whoever adopts a server looks for just this line."""
    _, text = shown(step("resourcePreEvent", "import", planning=True), step("resOutputsEvent", "import"))

    assert [line.strip() for line in text.splitlines()] == [
        "to import  SqliteFile adk-sessions",
        "imported  SqliteFile adk-sessions",
    ]


def changing(operation: str, *paths: str) -> str:
    """What a log shows of a planned step that changes these properties."""
    planned = step("resourcePreEvent", operation, planning=True)
    metadata = planned["resourcePreEvent"]["metadata"]  # type: ignore[index]  # Of the helper's own making.
    metadata["detailedDiff"] = {path: {"diffKind": "update"} for path in paths}
    return shown(planned)[1].strip()


def test_a_change_names_its_properties() -> None:
    """Names alone: the values may be secrets. What comes or goes as a whole has none."""
    paths = ("settings.tier", "settings.diskSize")

    assert changing("update", *paths) == "to update  SqliteFile adk-sessions: settings.tier, settings.diskSize"
    assert changing("create-replacement", *paths).endswith("adk-sessions: settings.tier, settings.diskSize")
    assert changing("create", *paths) == "to create  SqliteFile adk-sessions"
    assert changing("update", *(f"p{number}" for number in range(9))).endswith(": p0, p1, p2, p3, p4, p5 and 3 more")


def test_changes_are_counted_without_what_stayed_the_same() -> None:
    """So that an empty count means no change."""
    progress, _ = shown({"summaryEvent": {"resourceChanges": {"same": 3, "create": 2}, "durationSeconds": 1}})

    assert progress.changes == {"create": 2}


def test_an_error_is_kept_as_its_last_line() -> None:
    """`pulumi.dynamic` sends the whole traceback; the colours are directives of the engine."""
    message = (
        "<{%reset%}>Exception calling application: Traceback (most recent call last):\n"
        '  File "x.py", line 1, in f\ninfra.errors.DatabaseFileError: /srv/s.db is in use\n<{%reset%}>'
    )
    progress, _ = shown({"diagnosticEvent": {"message": message, "color": "raw", "severity": "error"}})

    assert progress.errors == ["/srv/s.db is in use"]


def test_markup_in_a_message_is_text() -> None:
    """A path may hold square brackets."""
    _, text = shown({"diagnosticEvent": {"message": "see /a/[bold]/b", "color": "raw", "severity": "warning"}})

    assert "see /a/[bold]/b" in text
