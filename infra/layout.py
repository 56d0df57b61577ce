"""What the project is called, and where things are in its repository: the only place that knows."""

from pathlib import Path
from typing import Final

PROJECT: Final = "session-database"
"""The project's name in Pulumi.yaml, which every key of a stack file begins with."""

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
