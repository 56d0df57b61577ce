"""A pickle read as data: its operations are interpreted here, and none of them can import or run anything.

ADK kept an event's actions as a pickle (google-adk 2.13 `schemas.v0.DynamicPickleType`), and a pickle is a program,
chosen by whoever could write the row. A `pickle.Unpickler` with a `find_class` of one's own stops its imports, but not
its bombs: on CPython 3.11, 2 MB of nested tuples as a dictionary's key end the process with SIGSEGV, and seven bytes
ask for gigabytes of memo. So the bytes never reach `pickle`: `pickletools.genops` names the operations, and the few
that ADK's pickles consist of are done here, on containers of our own.
"""

import datetime as dt
import pickletools
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_jsonable_python

from app.legacy import records
from app.legacy.records import MAX_BITS, MAX_BYTES, Budget, Identifier, Named, Record, RefusedPickleError, refuse

__all__ = ["MAX_BYTES", "Identifier", "Record", "RefusedPickleError", "loads"]

_HIGHEST_PROTOCOL: Final = 5

_POINTER_BYTES: Final = 8
"""What a part counts for where a stand-in copies a whole: a pointer, or a character and its neighbours."""

_KEYS: Final = (str, int, float, bool, type(None), bytes, Decimal, UUID, dt.date, dt.datetime, dt.time, dt.timedelta)
"""What a dictionary's key may be, besides a tuple of these."""


def loads(data: bytes | bytearray | memoryview) -> object:
    """Read a pickle of any protocol; nothing is imported, run or changed.

    Args:
        data: The pickle, as the database returned it.

    Returns:
        Python's own scalars, times, lists, tuples and dictionaries, `Record` for a model of ADK's, `Identifier` for a
        UUID. A set is a list in the order it was written in, an enum's member is its value, an ordered or default
        dictionary is a dictionary, and each key is the text that pydantic makes of it. The value may contain itself.

    Raises:
        RefusedPickleError: The pickle names a class, or uses an operation, that no event's actions consist of; it is
            damaged; or it is larger than `MAX_BYTES`, or would become so.
    """
    if memoryview(data).nbytes > MAX_BYTES:
        refuse(f"it is larger than {MAX_BYTES // 2**20} MiB")
    try:
        return _Machine().run(bytes(data))
    except RefusedPickleError:
        raise
    # What `pickletools` and the constructors raise of damaged data, without its message, which may quote the data.
    # A backslash in a name is a DeprecationWarning to them, which `python -W error` raises too.
    except (ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RecursionError) as error:
        reason = type(error).__name__
    except (TypeError, ValueError, Warning, struct.error) as error:
        reason = type(error).__name__
    return refuse(f"it is damaged, or no pickle ({reason})")


class _Machine:
    """Pickle's stack, one list for each mark on it, and its memo."""

    def __init__(self) -> None:
        self._frames: list[list[Any]] = [[]]
        self._memo: dict[int, object] = {}
        self._budget = Budget()

    def run(self, data: bytes) -> object:
        for operation, argument, _ in pickletools.genops(data):
            self._budget.spend()
            if operation.name in _LITERALS:
                self.push(argument)
            elif operation.name in _CONSTANTS:
                self.push(_CONSTANTS[operation.name]())
            elif operation.name in _OPERATIONS:
                _OPERATIONS[operation.name](self, argument)
            else:
                refuse(f"it uses the operation {operation.name}")
        ((result,),) = self._frames
        return result

    def push(self, value: object) -> None:
        self._frames[-1].append(value)

    def pop(self) -> Any:
        return self._frames[-1].pop()

    def above_mark(self) -> list[Any]:
        return self._frames.pop()

    def container(self, kind: type) -> Any:
        top = self._frames[-1][-1]
        return top if type(top) is kind else refuse("it fills something that is no container")

    def protocol(self, version: int) -> None:
        if version > _HIGHEST_PROTOCOL:
            refuse(f"its protocol is {version}")

    def mark(self) -> None:
        self._frames.append([])

    def tuple_of(self, length: int) -> None:
        self.push(tuple(self.pop() for _ in range(length))[::-1])

    def extend(self, items: list[Any]) -> None:
        self.container(list).extend(items)

    def update(self, items: list[Any]) -> None:
        self.container(dict).update(self.pairs(items))

    def pairs(self, items: list[Any]) -> dict[str, object]:
        return {self.key(key): value for key, value in zip(items[::2], items[1::2], strict=True)}

    def key(self, key: object) -> str:
        # Text only: Python hashes texts with a secret, but numbers so that a chosen million of them collides.
        if type(key) is str:
            return key
        parts = [p.value() if isinstance(p, Identifier) else p for p in (key if isinstance(key, tuple) else (key,))]
        for part in parts:
            if type(part) not in _KEYS or (isinstance(part, int) and part.bit_length() > MAX_BITS):
                refuse(f"it has a {type(part).__name__} for a dictionary's key")
            self._budget.spend(len(part) if isinstance(part, str | bytes) else 0)
        hashable = tuple(parts) if isinstance(key, tuple) else parts[0]
        (text,) = to_jsonable_python({hashable: None}, bytes_mode="base64", inf_nan_mode="null")
        return str(text)

    def put(self, place: int) -> None:
        self._memo[place] = self._frames[-1][-1]

    def memoize(self) -> None:
        self.put(len(self._memo))

    def get(self, place: int) -> None:
        self.push(self._memo[place])

    def name(self, module: Any, name: Any) -> None:
        self.push(records.named(module, name))

    def stack_name(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def new(self) -> None:
        arguments, kind = self.pop(), self.pop()
        self.push(records.blank(kind) if arguments == () else refuse("it makes an object with arguments"))

    def call(self) -> None:
        arguments, kind = self.pop(), self.pop()
        if not isinstance(kind, Named) or kind.call is None or type(arguments) is not tuple:
            refuse("it calls something that it only may name")
        for argument in arguments:
            self._budget.spend(
                _POINTER_BYTES * len(argument) if isinstance(argument, str | bytes | list | tuple) else 0
            )
        self.push(kind.call(*arguments))

    def build(self) -> None:
        state, target = self.pop(), self._frames[-1][-1]
        if not isinstance(target, Record | Identifier) or type(state) is not dict:
            refuse("it sets the state of something that has none")
        target.build(state)
        if isinstance(target, Record):
            self._budget.spend(_POINTER_BYTES * len(target.fields))


_LITERALS: Final = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "BYTEARRAY8"}
    | {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
)
"""Operations whose argument is the value; Python 2's strings are not among them, for ADK never ran on it."""

_CONSTANTS: Final[Mapping[str, Callable[[], object]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": list,
}

_OPERATIONS: Final[Mapping[str, Callable[[_Machine, Any], None]]] = {
    "PROTO": _Machine.protocol,
    "FRAME": lambda _machine, _length: None,
    "STOP": lambda _machine, _none: None,
    "MARK": lambda machine, _: machine.mark(),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.above_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "LIST": lambda machine, _: machine.push(machine.above_mark()),
    "DICT": lambda machine, _: machine.push(machine.pairs(machine.above_mark())),
    "FROZENSET": lambda machine, _: machine.push(machine.above_mark()),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.above_mark()),
    "ADDITEMS": lambda machine, _: machine.extend(machine.above_mark()),
    "SETITEM": lambda machine, _: machine.update([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.update(machine.above_mark()),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": lambda machine, _: machine.memoize(),
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": lambda machine, names: machine.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.stack_name(),
    "NEWOBJ": lambda machine, _: machine.new(),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
}
