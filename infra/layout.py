"""Where things are in the repository: the only place that knows."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of Pulumi.yaml; relative paths in a stack file start here."""

AGENTS: Final = ROOT / "agents"
"""ADK scans this folder for agents, so no database may live inside it."""

STATE: Final = ROOT / ".state"
"""The local Pulumi state, its passphrase and its locks; git-ignored."""

TOOLS: Final = ROOT / ".tools"
"""Tools fetched or built by the project; git-ignored."""

PLUGINS: Final = ROOT / "tools" / "plugins"
"""Provider plugins that a CLI built from its Go module lacks."""
