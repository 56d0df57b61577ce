"""What the stack file says of one generation of a server, as the engine told its configuration."""

import json
from collections.abc import Mapping
from typing import Any

from infra.guard.plan import Step
from infra.layout import PROJECT


class Said:
    """The words of a stack file about generations; what cannot be read says nothing, and the program refuses it.

    Args:
        config: The engine's configuration, `project:key` to text; structured values are JSON text.
    """

    def __init__(self, config: Mapping[str, str]) -> None:
        """Keep it; a section is read where it is asked for."""
        self._config = config

    def lifts(self, server: Step) -> bool:
        """Whether the protection of a server is off by a word of its own, or else by one of its section; read-only."""
        own = self._generation(server).get("deletion_protection")
        return (self._section(server.cloud).get("deletion_protection") if own is None else own) is False

    def version(self, server: Step) -> int:
        """The major version that a generation states for itself, 0 where it states none; read-only."""
        stated = str(self._generation(server).get("version") or "")
        return int(stated) if stated.isdigit() else 0

    def _generation(self, server: Step) -> Mapping[str, Any]:
        servers = self._section(server.cloud).get("servers")
        listed = [each for each in servers if isinstance(each, dict)] if isinstance(servers, list) else []
        return next((each for each in listed if each.get("id") == server.generation), {})

    def _section(self, cloud: str) -> Mapping[str, Any]:
        try:
            section = json.loads(self._config.get(f"{PROJECT}:{cloud}", ""))
        except ValueError:
            return {}
        return section if isinstance(section, dict) else {}
