"""Turns what the Pulumi CLI reports into one readable error."""

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from pulumi.automation import CommandError, ConcurrentUpdateError

from infra.errors import DeploymentError, SettingsError, StateError
from infra.layout import PROJECT
from infra.progress import Progress, masked
from infra.settings import Settings, refusals

_REFUSED: Final = re.compile(r"SqliteFile resource .* property (\w+) value .* has a problem: (.*)")
"""How the engine tells that our provider refused an input, which is a setting of the same name."""

_MISTYPED: Final = re.compile(r"with configuration key '(\w+)' must be of type")
"""How the engine tells that a key is not of the type in Pulumi.yaml, before it asks the program."""

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
        StateError: The state is missing, locked or damaged, or its passphrase is another one.
        DeploymentError: Anything else, in the engine's own words.
    """
    try:
        yield
    except ConcurrentUpdateError:
        message = f"stack {stack} is locked by another deployment. If that one is dead: pulumi cancel {stack}"
        raise StateError(message) from None
    except CommandError as error:
        text = masked(str(error))
        if "incorrect passphrase" in text:
            message = (
                f"the passphrase does not fit stack {stack}. Expected the one it was made with, in "
                "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE (a local stack's is .state/passphrase)"
            )
            raise StateError(message) from None
        if refused := _REFUSED.findall("\n".join(progress.errors)):
            lines = [f"Pulumi.{stack}.yaml: {PROJECT}:sqlite.{name}: {reason}" for name, reason in refused]
            raise SettingsError("\n".join(lines)) from None
        if mistyped := _MISTYPED.search(text):
            line = refusals.line(Settings, "type", (mistyped[1],), PROJECT, stack)
            raise SettingsError(line) from None
        if any(words in text for words in _NO_STATE):
            raise StateError(_last_words(text)) from None
        if "failed to load checkpoint" in text:
            message = (
                f"the state of stack {stack} is damaged ({_last_words(text)}). The engine keeps the one before as "
                f"{stack}.json.bak beside it: in a local state under .state/.pulumi/stacks/"
            )
            raise StateError(message) from None
        raise DeploymentError("\n".join(progress.errors) or _last_words(text)) from None


def _last_words(text: str) -> str:
    """The CLI's own `error:` lines, else its last line."""
    lines = [line.strip().removeprefix("stderr:").strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return "\n".join(errors) or (lines[-1] if lines else "the engine ended without a word")
