"""Where a rehearsal keeps its things in this clone: the only place that knows."""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from rehearsal.account import Account
from rehearsal.controlplane import meeting

ROOT: Final = Path(__file__).resolve().parents[2]
"""The repository, where every command runs."""

CLOUDS: Final = ("gcp", "aws", "azure")

HOME: Final = ROOT / ".rehearsal"
"""Git-ignored."""

REPORTS: Final = HOME / "reports"
"""A folder for each cloud: the report, and what each command printed. They outlive the rehearsal."""

RUNS: Final = HOME / "runs"
"""A lock for each cloud that is rehearsed, and the processes that it has started."""

STATE: Final = ROOT / ".state" / "rehearsal"
"""The engine's state of all rehearsals (docs/clouds.md, "A rehearsal")."""

_PROJECT: Final = "session-database"
_POINTER: Final = "folder"
"""Where a folder of the clone does for no server, this file in it holds the path of the one that does."""


def stack_of(cloud: str) -> str:
    """The stack that a cloud is rehearsed as."""
    return f"rehearse-{cloud}"


def stack_file(cloud: str) -> Path:
    """Its settings, git-ignored."""
    return ROOT / f"Pulumi.{stack_of(cloud)}.yaml"


def ground_of(cloud: str) -> Path:
    """The folder of a cloud's control plane and servers, which lives apart from every other rehearsal's; read-only.

    PostgreSQL refuses to run as root: its servers are `nobody`'s then, who has to be able to enter the folder.
    """
    here = HOME / cloud
    if Account.unprivileged().closed(here) is None:
        return here
    name = hashlib.sha256(str(here).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"session-database-{name}"  # noqa: S108  # Made and owned by us, or refused by `mkdir`.


def point(cloud: str) -> None:
    """Say in the clone where a cloud's folder is, should it be elsewhere."""
    here, ground = HOME / cloud, ground_of(cloud)
    here.mkdir(parents=True, exist_ok=True)
    if ground != here:
        (here / _POINTER).write_text(f"{ground}\n")


def grounds() -> list[Path]:
    """Every folder of this clone's rehearsals, those that are outside of it among them; read-only."""
    entries = sorted(HOME.glob("*/"))
    elsewhere = [Path((each / _POINTER).read_text().strip()) for each in entries if (each / _POINTER).is_file()]
    return list(dict.fromkeys([*(each for each in entries if (each / meeting.FILE).is_file()), *elsewhere]))


def shown(path: Path) -> str:
    """A path as one types it in the repository."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def forget_state(cloud: str) -> None:
    """Remove what the engine knows of a cloud's stack: state, history, backups and locks, as a file backend has them.

    Source: pulumi `pkg/backend/diy`, store.go.
    """
    for place in ("stacks", "history", "backups", "locks/organization"):
        for path in (STATE / ".pulumi" / place / _PROJECT).glob(f"{stack_of(cloud)}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
