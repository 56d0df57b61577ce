"""What a pickle may name, and the inert things that stand in for it."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final, NoReturn
from uuid import UUID

MAX_BYTES: Final = 64 * 2**20
"""The largest pickle that is read, in bytes, and what making it plain may come to."""

_STEP_BYTES: Final = 64
"""What one operation or value counts for: about the size of the smallest object that it makes."""

_MAX_DIGITS: Final = 4300
"""The longest number: Python prints and parses no longer ones (`sys.int_info.default_max_str_digits`)."""

MAX_BITS: Final = 14_000
"""The same for whole numbers, in bits, a little below."""

_MODELS: Final = re.compile(r"google\.(adk|genai)(\.[A-Za-z_]\w*)+|fastapi\.openapi\.models", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,60}(\.[A-Za-z_]\w{0,60}){0,10}", re.ASCII)


class RefusedPickleError(ValueError):
    """A row that is not converted. For example, its pickle names `os.system`; the message carries none of the data."""


def refuse(reason: str) -> NoReturn:
    """Raise `RefusedPickleError` for a reason, for example `it names the class os.system`."""
    raise RefusedPickleError(reason)


class Budget:
    """What one value may cost: with shared parts, a small pickle can mean terabytes."""

    def __init__(self, size: float = MAX_BYTES) -> None:
        """Start with a size in bytes; what PostgreSQL decoded has no shared parts, and may take any."""
        self._left = size

    def spend(self, size: int = 0) -> None:
        """Count one operation or value, and its size in bytes or characters.

        Raises:
            RefusedPickleError: Nothing is left.
        """
        self._left -= _STEP_BYTES + size
        if self._left < 0:
            refuse("it grows beyond what one event may take")


@dataclass(slots=True, eq=False)
class Record:
    """A pydantic model of ADK's: its class's name, for example `EventActions`, and its fields by their Python names."""

    name: str
    fields: dict[str, object] = field(default_factory=dict, repr=False)

    def build(self, state: Mapping[str, Any]) -> None:
        """Take the state that `pydantic.BaseModel.__getstate__` gives; extra fields count, private ones do not."""
        self.fields = {**state["__dict__"], **(state.get("__pydantic_extra__") or {})}


@dataclass(slots=True, eq=False)
class Identifier:
    """A `uuid.UUID`, whose number arrives after the object itself."""

    number: int = field(default=-1, repr=False)

    def build(self, state: Mapping[str, Any]) -> None:
        """Take the state that `uuid.UUID.__getstate__` gives."""
        self.number = UUID(int=state["int"]).int

    def value(self) -> UUID:
        """Return the UUID.

        Raises:
            RefusedPickleError: Its number never arrived.
        """
        return UUID(int=self.number) if self.number >= 0 else refuse("it has a UUID without a number")


@dataclass(slots=True, frozen=True)
class Named:
    """A class or function that a pickle names.

    Attributes:
        call: What stands in for calling it, or None where nothing calls it.
        blank: What stands in for an instance whose state follows, or None where it has no such instances.
    """

    call: Callable[..., object] | None = None
    blank: Callable[[], Record | Identifier] | None = None


def named(module: str, name: str) -> Named:
    """Look a name up, module and full qualified name, without importing anything.

    Any class below `google.adk` and `google.genai` is accepted, moved or removed since or never heard of: it is only
    a name, so it could not do more than become a `Record` or an enum's value.

    Raises:
        RefusedPickleError: The name is none that an event's actions consist of.
    """
    if type(module) is not str or type(name) is not str or not (_NAME.fullmatch(module) and _NAME.fullmatch(name)):
        refuse("it names a class by no Python name")
    if (known := _KNOWN.get((_MOVED.get(module, module), name))) is not None:
        return known
    if _MODELS.fullmatch(module):
        return Named(call=_member, blank=lambda: Record(name.rpartition(".")[2]))
    return refuse(f"it names the class {module}.{name}")


def blank(kind: object) -> Record | Identifier:
    """Make an instance whose state follows.

    Raises:
        RefusedPickleError: The kind is no class that has such instances.
    """
    if not isinstance(kind, Named) or kind.blank is None:
        return refuse("it makes an object of something that is no class of ADK's")
    return kind.blank()


def _member(value: object) -> object:
    return value if type(value) in (str, int) else refuse("it has an enum's member that is no text or number")


def _reconstructed(kind: object, base: object, state: object) -> object:
    return blank(kind) if base is _OBJECT and state is None else refuse("it makes an object out of another type")


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode("latin-1") if encoding == "latin1" else refuse("it has bytes in another encoding than latin1")


def _bytes(content: object = b"", encoding: object = None) -> bytes:
    if type(content) is str and encoding == "latin-1":
        return content.encode("latin-1")
    return content if type(content) is bytes and encoding is None else refuse("it makes bytes out of another type")


def _items(items: object = ()) -> list[object]:
    return list(items) if isinstance(items, list | tuple) else refuse("it makes a set out of another type")


def _empty_dict() -> dict[str, object]:
    return {}


def _default_dict(factory: object = None) -> dict[str, object]:
    return {} if factory is None or isinstance(factory, Named) else refuse("it makes a dictionary out of another type")


def _number(text: object) -> Decimal:
    return Decimal(text) if type(text) is str and len(text) <= _MAX_DIGITS else refuse("it has a number too long")


def _date(content: object) -> dt.date:
    # `replace` checks what the constructor believes of pickled bytes, here and below.
    value: dt.date = _built(dt.date, content)
    return value.replace()


def _time(content: object, zone: dt.timezone | None = None) -> dt.time:
    value: dt.time = _built(dt.time, content)
    return value.replace(tzinfo=_zone(zone))


def _datetime(content: object, zone: dt.timezone | None = None) -> dt.datetime:
    value: dt.datetime = _built(dt.datetime, content)
    return value.replace(tzinfo=_zone(zone))


def _built(kind: Any, content: object) -> Any:
    return kind(content) if type(content) is bytes else refuse("it has a time out of another type")


def _zone(zone: object) -> dt.timezone | None:
    return zone if zone is None or isinstance(zone, dt.timezone) else refuse("it has a time zone of another type")


def _timedelta(days: int, seconds: int, microseconds: int) -> dt.timedelta:
    return dt.timedelta(days=days, seconds=seconds, microseconds=microseconds)


def _pydantic_zone(seconds: int) -> dt.timezone:
    return dt.timezone(dt.timedelta(seconds=seconds))


_OBJECT: Final = Named()

# A factory is only named: what it would make is in the pickle already.
_FACTORIES: Final = {("builtins", name): Named() for name in ("bool", "dict", "float", "int", "list", "str", "tuple")}

_MOVED: Final = {"__builtin__": "builtins", "copy_reg": "copyreg", "pathlib._local": "pathlib"}
"""Modules by other names: Python 2's, which protocols 0 to 2 write, and Python 3.13's."""

_KNOWN: Final[Mapping[tuple[str, str], Named]] = _FACTORIES | {
    ("builtins", "object"): _OBJECT,
    ("builtins", "bytearray"): Named(_bytes),
    ("builtins", "bytes"): Named(_bytes),
    ("builtins", "complex"): Named(complex),
    ("builtins", "frozenset"): Named(_items),
    ("builtins", "set"): Named(_items),
    ("_codecs", "encode"): Named(_encoded),
    ("collections", "OrderedDict"): Named(_empty_dict),
    ("collections", "defaultdict"): Named(_default_dict),
    ("copyreg", "__newobj__"): Named(blank),
    ("copyreg", "_reconstructor"): Named(_reconstructed),
    ("datetime", "date"): Named(_date),
    ("datetime", "datetime"): Named(_datetime),
    ("datetime", "time"): Named(_time),
    ("datetime", "timedelta"): Named(_timedelta),
    ("datetime", "timezone"): Named(dt.timezone),
    ("decimal", "Decimal"): Named(_number),
    ("pathlib", "PosixPath"): Named(PurePosixPath),
    ("pathlib", "PurePosixPath"): Named(PurePosixPath),
    ("pathlib", "PureWindowsPath"): Named(PureWindowsPath),
    ("pathlib", "WindowsPath"): Named(PureWindowsPath),
    ("pydantic_core._pydantic_core", "TzInfo"): Named(_pydantic_zone),
    ("uuid", "UUID"): Named(blank=Identifier),
}
