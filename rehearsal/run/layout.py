"""Where a rehearsal keeps its things in this clone: the only place that knows."""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from rehearsal.account import Account
from rehearsal.claim import claim, claimed

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
_GROUNDS: Final = "grounds"
"""Each folder that the clone has ever rehearsed in, one a line; `infra/reach.py` writes it, too."""


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
    """Make a cloud's folder, and add it to those that the clone knows of.

    Raises:
        FolderError: It has somebody's files in it.
    """
    claim(ground_of(cloud))
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / _GROUNDS).open("a") as file:
        file.write(f"{ground_of(cloud)}\n")


def grounds() -> list[Path]:
    """Every folder of this clone's rehearsals, those that are outside of it among them; read-only."""
    known = (HOME / _GROUNDS).read_text().splitlines() if (HOME / _GROUNDS).is_file() else []
    return [each for each in dict.fromkeys([*sorted(HOME.glob("*/")), *map(Path, known)]) if claimed(each)]


def forget_grounds() -> None:
    """As if there had never been any; those that are left stay known."""
    left = [f"{each}\n" for each in grounds()]
    if left:
        (HOME / _GROUNDS).write_text("".join(left))
    else:
        (HOME / _GROUNDS).unlink(missing_ok=True)


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
