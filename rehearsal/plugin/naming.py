"""Physical names made from logical ones, as Pulumi's providers do where the program gives none."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rehearsal.values import Inputs

DEFAULTS: Final = "__defaults"
"""Where a bridged provider notes which inputs it filled in itself, so that later checks keep them."""


@dataclass(frozen=True)
class Autoname:
    """How a type of resource gets its name.

    Attributes:
        field: The input that holds the name.
        separator: What stands between the logical name and the random part.
        hexadecimals: Length of the random part; 7 in bridged providers, 8 in azure-native.
        longest: The vendor's limit; the logical name is cut to fit.
        form: Makes the vendor's form of the logical name, for example lower case.
        unless: Another input that names the resource instead, for example `namePrefix`.
    """

    field: str = "name"
    separator: str = "-"
    hexadecimals: int = 7
    longest: int = 255
    form: Callable[[str], str] = str
    unless: str = ""

    def fill(self, name: str, seed: bytes, old: Inputs, new: Inputs) -> Inputs:
        """`new` with a name: the program's own, else the one of an earlier check, else a fresh one.

        Args:
            name: The logical name.
            seed: The engine's random seed of this resource.
            old: Inputs of the last operation; empty for a new or a replacing resource.
            new: The program's inputs.
        """
        if new.get(self.field) is not None or (self.unless and new.get(self.unless) is not None):
            return new
        kept = old.get(self.field) if self.field in old.get(DEFAULTS, []) else None
        filled = [*new.get(DEFAULTS, []), self.field]
        return {**new, self.field: kept or self.fresh(name, seed), DEFAULTS: filled}

    def fresh(self, name: str, seed: bytes) -> str:
        """A name that nobody else has, for example `adk-sessions-1f0c2ab`."""
        digits = hashlib.sha256(seed + name.encode()).hexdigest()[: self.hexadecimals]
        room = self.longest - len(self.separator) - len(digits)
        return f"{self.form(name)[:room]}{self.separator}{digits}"


def alphanumeric(name: str) -> str:
    """Letters and digits only, in lower case.

    >>> alphanumeric("adk-sessions-KV")
    'adksessionskv'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())
