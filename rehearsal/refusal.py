"""What a stand-in refuses: one value, and what was expected in its place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """One reason why a resource cannot be as asked.

    Attributes:
        path: The property, for example `settings.databaseFlags[0].value`; empty for the resource as a whole.
        reason: What was expected; in the vendor's own words where they are known. Never a secret value.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        """One line of text."""
        return f"{self.path}: {self.reason}" if self.path else self.reason
