"""Names that are taken, or still reserved after what bore them is gone."""

from typing import Final

from rehearsal.controlplane.ledger import Ledger
from rehearsal.controlplane.words import Words, refusal

_SHELF: Final = "names"
_TAKEN: Final[Words] = {"code": "AlreadyExists", "message": "{name} already exists"}
_RESERVED: Final[Words] = {"code": "NameReserved", "message": "{name} was deleted, its name stays reserved"}


class Names:
    """Who has which name, by cloud and scope.

    Args:
        ledger: Where they are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        """None is taken yet."""
        self._ledger = ledger

    def take(
        self, cloud: str, scope: str, name: str, *, taken: Words | None = None, reserved: Words | None = None
    ) -> None:
        """Take a name.

        Args:
            cloud: The cloud.
            scope: Where names must differ, for example "sql" or a type of resource.
            name: The name.
            taken: The vendor's words where somebody has it; with {name}.
            reserved: The vendor's words where it was deleted but stays reserved.

        Raises:
            CloudRefusalError: It cannot be had.
        """
        key = f"{cloud}/{scope}/{name}"
        with self._ledger.transaction():
            before = self._ledger.get(_SHELF, key)
            if before is not None:
                words = (reserved or _RESERVED) if before["reserved"] else (taken or _TAKEN)
                raise refusal(words, "AlreadyExists", name=name)
            self._ledger.put(_SHELF, key, {"reserved": False})

    def release(self, cloud: str, scope: str, name: str, *, reserved: bool = False) -> None:
        """Give a name back, or keep it reserved as clouds do that let a deletion be undone."""
        key = f"{cloud}/{scope}/{name}"
        if reserved:
            self._ledger.put(_SHELF, key, {"reserved": True})
        else:
            self._ledger.remove(_SHELF, key)
