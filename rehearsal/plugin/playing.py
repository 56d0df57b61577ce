"""Whom stand-ins play, and for whom: known before anything that takes long is imported."""

import os
from collections.abc import Mapping
from typing import Final

CLOUDS: Final = {"gcp": "gcp", "aws": "aws", "azure-native": "azure", "random": "random"}
"""The plugins' names, and who plays them in `rehearsal.vendors`."""

VARIABLE: Final = "SESSION_DB_STAND_INS"
"""What the engine of a rehearsal has in its environment, and nobody else."""


def refusal(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why a stand-in serves nobody here, or None; read-only.

    An engine takes a plugin from its PATH before the one it has installed (pulumi `plugins.go`,
    `getPluginInfoAndPath`), and what a stand-in made would end up in a real state.

    Args:
        name: The plugin's name.
        environ: The process environment.
    """
    if name not in CLOUDS:
        return f"expected the name of a plugin, one of {', '.join(CLOUDS)}; for example: python -m rehearsal.plugin gcp"
    if not environ.get(VARIABLE):
        return (
            f"expected the plugin of the provider {name}, but its stand-in is first on PATH, and it serves rehearsals "
            "only. For example: take tools/plugins/rehearsal out of PATH, or rehearse with --rehearse"
        )
    return None
