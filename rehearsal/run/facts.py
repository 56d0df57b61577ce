"""What a rehearsal ran on: the machine, the tools and the PostgreSQL that really was there."""

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Final

import psutil

from rehearsal.report.record import Facts
from rehearsal.run.life import Life

_PACKAGES: Final = ("pulumi", "google-adk", "sqlalchemy", "psycopg")


def facts(life: Life) -> Facts:
    """Everything that is known by now; read-only.

    Args:
        life: What was rehearsed so far.
    """
    ran = dict.fromkeys(each.server_version for each in life.findings.drills)
    memory = psutil.virtual_memory().total / 2**30
    return Facts(
        asked_version=str(life.file.section["version"]) if life.file.path.exists() else "",
        ran_version=", ".join(ran),
        hosts=dict(life.hosts),
        machine=f"{psutil.cpu_count()} processors, {memory:.0f} GiB of memory",
        system=f"{platform.system()} {platform.machine()}",
        versions=_versions(),
    )


def _versions() -> Mapping[str, str]:
    return {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _PACKAGES}
