"""The folder of agents, as far as the server itself looks into it; ADK loads an agent with its first request."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.regular import readable

_LOG: Final = logging.getLogger(__name__)


def modules(folder: Path) -> list[str]:
    """What agents, and what they share, are imported as; read-only.

    Args:
        folder: As `environment.agents_dir` gives it.
    """
    found = (each for each in folder.iterdir() if each.is_dir() or each.suffix == ".py")
    names = (each.name.removesuffix(".py") for each in found)
    return sorted(name for name in names if name.isidentifier() and not name.startswith("__"))


def tell_unreadable(folder: Path) -> None:
    """Say in the log which agents this process may not read: to ADK they are merely not there.

    Args:
        folder: As above.
    """
    for each in modules(folder):
        if not all(readable(path) for path in _files(folder / each)):
            _LOG.error(
                "the agent %s cannot be served, since user %d may not read all of it: chmod -R a+rX %s",
                each,
                os.geteuid(),
                folder / each,
            )


def _files(agent: Path) -> Iterator[Path]:
    """The folder before what is in it, which is seen only where the folder may be read."""
    if agent.is_dir():
        yield agent
        yield from agent.glob("*.py")
        yield from agent.glob("*.yaml")
