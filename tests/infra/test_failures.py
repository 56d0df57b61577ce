"""What the engine reports becomes one error that says what to do."""

import io

import pytest
from pulumi.automation import CommandError, CommandResult
from pulumi.automation.events import EngineEvent
from rich.console import Console

from infra import failures
from infra.errors import DeploymentError, InfraError, ToolError
from infra.progress import Progress
from rehearsal.plugin import playing


def reported(*messages: str) -> InfraError:
    """The error that comes of these messages of the engine."""
    progress = Progress(Console(file=io.StringIO()))
    for message in messages:
        event = {"message": message, "color": "never", "severity": "error"}
        progress.event(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": event}))
    with pytest.raises(InfraError) as caught, failures.readable("prod", progress):
        raise CommandError(CommandResult("", "error: preview failed", 255))
    return caught.value


@pytest.mark.parametrize(
    "message",
    [
        (
            "Could not automatically download and install resource plugin 'pulumi-resource-azure-native' at version "
            "v3.29.0, install the plugin using `pulumi plugin install resource azure-native v3.29.0`: no such host"
        ),
        "no resource plugin 'pulumi-resource-azure-native' found in the workspace at version v3.29.0 or on your $PATH",
    ],
)
def test_a_plugin_that_cannot_be_had_is_said_with_the_ways_out(message: str) -> None:
    """The last of which needs none."""
    error = reported(message)

    assert isinstance(error, ToolError)
    (line,) = str(error).splitlines()
    assert line.startswith("expected the plugin of the provider azure-native 3.29.0, but")
    assert "pulumi plugin install resource azure-native v3.29.0 --file" in line
    assert line.endswith("python -m infra preview --stack prod --rehearse")


def test_a_stand_in_outside_of_a_rehearsal_is_no_bug_of_a_provider() -> None:
    """As the engine calls every plugin that leaves at once; what the stand-in says is kept."""
    refusal = playing.refusal("gcp", {})
    error = reported(
        "Detected that /opt/bin/pulumi-resource-gcp exited prematurely. \n       This is *always* a bug."
        f"\n       we have dumped the STDOUT and STDERR streams of the plugin:{refusal}\n\n",
        "could not read plugin [/opt/bin/pulumi-resource-gcp]: exit status 1",
    )

    assert isinstance(error, ToolError)
    assert str(error) == refusal


def test_each_distinct_line_is_told_once() -> None:
    """The engine tells a refusal of each resource, and all of them again at the end."""
    error = reported("first refusal", "first refusal\nsecond refusal", "second refusal\nfirst refusal", "third refusal")

    assert isinstance(error, DeploymentError)
    assert str(error).splitlines() == ["first refusal", "second refusal", "third refusal"]


def test_an_engine_that_was_killed_says_so_in_one_line() -> None:
    """It has no words itself."""
    progress = Progress(Console(file=io.StringIO()))

    with pytest.raises(DeploymentError) as caught, failures.readable("prod", progress):
        raise CommandError(CommandResult("", "", -9))

    (line,) = str(caught.value).splitlines()
    assert line.startswith("the engine was ended by signal 9")
    assert line.endswith("run the same command again")


def test_an_engine_without_a_word_is_not_answered_by_none() -> None:
    """An empty line would be no error."""
    progress = Progress(Console(file=io.StringIO()))

    with (
        pytest.raises(DeploymentError, match=r"^the engine ended without a word$"),
        failures.readable("prod", progress),
    ):
        raise CommandError(CommandResult("", "", 255))
