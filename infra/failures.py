"""Turns what the Pulumi CLI reports into one readable error."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from typing import Final

from pulumi.automation import CommandError, ConcurrentUpdateError

from infra.errors import DeploymentError, InfraError, SettingsError, StateError, ToolError
from infra.layout import PROJECT
from infra.progress import Progress, masked
from infra.settings import Settings, refusals

_REFUSED: Final = re.compile(r"SqliteFile resource .* property (\w+) value .* has a problem: (.*)")
"""How the engine tells that our provider refused an input, which is a setting of the same name."""

_MISTYPED: Final = re.compile(r"with configuration key '(\w+)' must be of type")
"""How the engine tells that a key is not of the type in Pulumi.yaml, before it asks the program."""

_NO_PLUGIN: Final = re.compile(
    r"resource plugin '?(?:pulumi-resource-)?([\w-]+)'? (?:at|found in the workspace at) version v?(\d[\w.+-]*\w)"
)
"""How the engine tells that it has no plugin of a provider, and cannot download it (pulumi `plugins.go`)."""

_STAND_IN: Final = re.compile(r"(expected the plugin of the provider .* its stand-in is first on PATH.*)")
"""How a stand-in says that this is no rehearsal, somewhere in what the engine tells of a plugin that left at once."""

_KILLED: Final = re.compile(r"^\s*code: -(\d+)", re.MULTILINE)
"""How the Automation API tells that a signal ended the CLI, as Python does."""

_NO_STATE: Final = ("unable to open state directory", "constructing secrets manager", "must be set for login")
"""The engine's words where it cannot get at the state."""


@contextlib.contextmanager
def readable(stack: str, progress: Progress) -> Iterator[None]:
    """Translate the errors of the body.

    Args:
        stack: The stack's name.
        progress: Has collected the engine's own messages.

    Raises:
        SettingsError: The provider refused a setting, or one has not the type that Pulumi.yaml says.
        ToolError: A provider's plugin could not be downloaded, or is a stand-in.
        StateError: The state is missing, locked or damaged, or its passphrase is another one.
        DeploymentError: Anything else, in the engine's own words.
    """
    # An engine that is killed cuts its stream of events off; the error below says it.
    warnings.filterwarnings("ignore", message="Error in event stream")
    try:
        yield
    except ConcurrentUpdateError:
        message = f"stack {stack} is locked by another deployment. If that one is dead: pulumi cancel {stack}"
        raise StateError(message) from None
    except CommandError as error:
        text, told = masked(str(error)), "\n".join(progress.errors)
        found = _setting(stack, text, told) or _plugin(stack, told or text) or _state(stack, text)
        raise found or DeploymentError(told or _last_words(text)) from None


def _setting(stack: str, text: str, told: str) -> InfraError | None:
    if refused := _REFUSED.findall(told):
        return SettingsError("\n".join(f"Pulumi.{stack}.yaml: {PROJECT}:sqlite.{name}: {why}" for name, why in refused))
    if mistyped := _MISTYPED.search(text):
        return SettingsError(refusals.line(Settings, "type", (mistyped[1],), PROJECT, stack))
    return None


def _plugin(stack: str, told: str) -> InfraError | None:
    if standing_in := _STAND_IN.search(told):
        return ToolError(standing_in[1])
    if missing := _NO_PLUGIN.search(told):
        name, version = missing.groups()
        return ToolError(
            f"expected the plugin of the provider {name} {version}, but the engine could not download it. Let this "
            f"machine reach get.pulumi.com, or bring the archive: pulumi plugin install resource {name} v{version} "
            f"--file <archive>. To see the plan without any plugin: python -m infra preview --stack {stack} --rehearse"
        )
    return None


def _state(stack: str, text: str) -> InfraError | None:
    if "incorrect passphrase" in text:
        return StateError(
            f"the passphrase does not fit stack {stack}. Expected the one it was made with, in "
            "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE (a local stack's is .state/passphrase)"
        )
    if any(words in text for words in _NO_STATE):
        return StateError(_last_words(text))
    if "failed to load checkpoint" in text:
        return StateError(
            f"the state of stack {stack} is damaged ({_last_words(text)}). The engine keeps the one before as "
            f"{stack}.json.bak beside it: in a local state under .state/.pulumi/stacks/"
        )
    return None


def _last_words(text: str) -> str:
    """The CLI's own `error:` lines, else how it was ended from outside, else its last line."""
    lines = [line.strip().removeprefix("stderr:").strip() for line in text.splitlines()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if not errors and (killed := _KILLED.search(text)):
        return (
            f"the engine was ended by signal {killed[1]}, in the middle of its work. What it had done is in the state, "
            "but for the steps in hand; to go on, run the same command again"
        )
    said = [line for line in lines if line and not line.startswith(("code:", "stdout:"))]
    return "\n".join(errors) or (said[-1] if said else "the engine ended without a word")
