"""Memory of every resource that is no server: what stands on what."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rehearsal.controlplane.ledger import Document, Ledger
from rehearsal.controlplane.words import Words, refusal

_SHELF: Final = "things"
_MISSING: Final[Words] = {"code": "NotFound", "message": "{need} does not exist, which {id} needs"}
_IN_USE: Final[Words] = {"code": "InUse", "message": "{id} is in use by {by}"}


@dataclass(frozen=True)
class Need:
    """One thing that another stands on.

    Attributes:
        id: The thing's id.
        missing: The vendor's words where it is not there, with {need}, {id} and {type}.
        in_use: The vendor's words where it is to be removed although it is needed, with {id}, {by} and {by_type}.
    """

    id: str
    missing: Words | None = None
    in_use: Words | None = None

    @classmethod
    def of(cls, written: "str | Document") -> "Need":
        """A need written as an id alone, or as an object of these attributes."""
        return cls(written) if isinstance(written, str) else cls(**written)


@dataclass(frozen=True)
class Thing:
    """A resource.

    Attributes:
        cloud: The cloud.
        type: Its type, for example "aws:ec2/subnet:Subnet".
        id: Unique in its cloud.
        needs: What it stands on.
        config: How it was asked for; without secrets.
    """

    cloud: str
    type: str
    id: str
    needs: list[Need] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)


class Things:
    """All resources by cloud and id.

    Args:
        ledger: Where they are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        """There is none yet."""
        self._ledger = ledger

    def put(self, thing: Thing, *, missing: Words | None = None) -> None:
        """Remember a thing, new or changed.

        Args:
            thing: As it is from now on.
            missing: The words for needs that have none of their own.

        Raises:
            CloudRefusalError: What it needs is not there.
        """
        with self._ledger.transaction():
            for need in thing.needs:
                if self.get(thing.cloud, need.id) is None:
                    words = need.missing or missing or _MISSING
                    raise refusal(words, "NotFound", need=need.id, id=thing.id, type=thing.type)
            self._ledger.put(_SHELF, _key(thing.cloud, thing.id), asdict(thing))

    def remove(self, cloud: str, id_: str, *, in_use: Words | None = None) -> None:
        """Forget a thing; nothing happens where it is gone already.

        Args:
            cloud: The cloud.
            id_: The thing's id.
            in_use: The words where who needs it has said none.

        Raises:
            CloudRefusalError: Something else needs it.
        """
        with self._ledger.transaction():
            self.expect_unused(cloud, id_, in_use=in_use)
            self._ledger.remove(_SHELF, _key(cloud, id_))

    def expect_unused(self, cloud: str, id_: str, *, in_use: Words | None = None) -> None:
        """Make sure that nothing needs a thing; see `remove`."""
        for thing, need in self.needing(cloud, id_):
            words = need.in_use or in_use or _IN_USE
            raise refusal(words, "InUse", id=id_, by=thing.id, by_type=thing.type)

    def get(self, cloud: str, id_: str) -> Thing | None:
        """A thing by its id; None where it is gone."""
        found = self._ledger.get(_SHELF, _key(cloud, id_))
        return None if found is None else _thing(found)

    def needing(self, cloud: str, id_: str) -> Iterable[tuple[Thing, Need]]:
        """Every other thing that needs this one, with how it does."""
        for thing in self.all():
            for need in thing.needs:
                if thing.cloud == cloud and need.id == id_ and thing.id != id_:
                    yield thing, need

    def all(self) -> list[Thing]:
        """Every thing."""
        return [_thing(document) for document in self._ledger.all(_SHELF).values()]


def _key(cloud: str, id_: str) -> str:
    return f"{cloud}/{id_}"


def _thing(document: Document) -> Thing:
    return Thing(**{**document, "needs": [Need(**need) for need in document["needs"]]})
