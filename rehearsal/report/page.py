"""The report as one HTML page that loads nothing: style, plots and data are in it."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from rehearsal.report import plots
from rehearsal.report.drills import Drill
from rehearsal.report.record import Rehearsal

PAGE: Final = "report.html"
DATA: Final = "report.json"

_CLOUDS: Final = {"gcp": "Cloud SQL", "aws": "Amazon RDS", "azure": "Azure Database for PostgreSQL"}

_NAMES: Final = {"failover": "Failover", "restore": "Restore to a moment", "rotate": "Rotation of the passwords"}

NOT_SHOWN: Final = (
    "What the cloud's own machines, disks and networks take: RTO, gaps and rates are those of this machine.",
    "Quotas, prices, permissions, and whether a region has room.",
    "Extensions and parameters of the cloud's own PostgreSQL, and any version but the one that ran.",
    "A network between the zones: primary and standby are processes on one machine.",
)
"""What nobody may read out of a rehearsal."""


def write(rehearsal: Rehearsal, folder: Path) -> Path:
    """Write page and data into a folder, each in one step.

    Args:
        rehearsal: What to report.
        folder: Where; made where it is missing.

    Returns:
        The page.
    """
    keep(rehearsal, folder)
    return _replace(folder / PAGE, rendered(rehearsal))


def keep(rehearsal: Rehearsal, folder: Path) -> None:
    """Write the data alone, which takes no time; as `write`.

    Args:
        rehearsal: What to report.
        folder: Where; made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / DATA, json.dumps(rehearsal.record(), indent=2) + "\n")


def rendered(rehearsal: Rehearsal) -> str:
    """The page.

    Args:
        rehearsal: What it shows.
    """
    environment = Environment(
        loader=PackageLoader("rehearsal.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"image": _image, "duration": duration}
    started = dt.datetime.fromisoformat(rehearsal.started).astimezone(dt.UTC)
    return environment.get_template("page.html.jinja").render(
        it=rehearsal,
        started=f"{started:%Y-%m-%d %H:%M} UTC",
        product=_CLOUDS[rehearsal.cloud],
        names=_NAMES,
        not_shown=NOT_SHOWN,
        total=max(rehearsal.seconds, 0.001),
    )


def duration(seconds: float) -> str:
    """Seconds as people read them.

    Args:
        seconds: How many.

    >>> duration(7.25), duration(187.0)
    ('7.2 s', '3 min 7 s')
    """
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _image(drill: Drill) -> str:
    """As an image and not as part of the page: every plot has the same ids."""
    return "data:image/svg+xml;base64," + base64.b64encode(plots.svg(drill).encode()).decode()


def _replace(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    return draft.replace(path)
