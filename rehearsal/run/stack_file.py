"""The stack file of a rehearsal: production's, with another cloud's key and the edits that an operator makes."""

from typing import Any, Final

import yaml

from rehearsal.run import layout

_PROJECT: Final = "session-database"

_NOTE: Final = "# A rehearsal's copy of Pulumi.prod.yaml; it is removed at the end. See docs/rehearsal.md.\n"


class StackFile:
    """Settings of one stack.

    Args:
        cloud: Which cloud's.
    """

    def __init__(self, cloud: str) -> None:
        """Nothing is written yet."""
        self.cloud = cloud
        self.path = layout.stack_file(cloud)

    def begin(self) -> None:
        """Write it: what production says, on this cloud."""
        config = yaml.safe_load((layout.ROOT / "Pulumi.prod.yaml").read_text())["config"]
        self._write({**config, f"{_PROJECT}:backend": self.cloud})

    @property
    def section(self) -> dict[str, Any]:
        """What it says about the cloud; read-only."""
        found: dict[str, Any] = self._config()[f"{_PROJECT}:{self.cloud}"]
        return found

    def set(self, **keys: Any) -> None:
        """Set keys of the cloud's section; the others stay."""
        config = self._config()
        config[f"{_PROJECT}:{self.cloud}"] |= keys
        self._write(config)

    def waive(self, floor: str, reason: str) -> None:
        """Waive a floor of production.

        Args:
            floor: For example `deletion-protection`.
            reason: Why.
        """
        self._write({**self._config(), f"{_PROJECT}:waivers": {floor: reason}})

    def remove(self) -> None:
        """As if it had never been there."""
        self.path.unlink(missing_ok=True)

    def _config(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.path.read_text())["config"]
        return found

    def _write(self, config: dict[str, Any]) -> None:
        draft = self.path.with_name(f".{self.path.name}.draft")
        draft.write_text(_NOTE + yaml.safe_dump({"config": config}, sort_keys=False, allow_unicode=True))
        draft.replace(self.path)
