"""Pickles that were made to harm, pickles that were damaged, and the honest ones."""

import builtins
import collections
import contextlib
import datetime as dt
import decimal
import os
import pickle
import struct
import sys
import uuid
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from google.adk.auth.auth_credential import AuthCredentialTypes
from google.adk.events import EventActions
from hypothesis import given, settings
from hypothesis import strategies as st

from app.legacy import unpickling
from app.legacy.unpickling import Identifier, Record, RefusedPickleError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
NOW = dt.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=dt.UTC)
PYDANTIC = b"}(\x8c\x08__dict__}\x8c\x04hintX\x01\x00\x00\x00hsu"

# What pickles no better than by hand: each names something listed, and asks too much of it.
ACTIONS = b"cgoogle.adk.events.event_actions\nEventActions\n"
DATETIME = b"cdatetime\ndatetime\n"
TEXT = b"X\x01\x00\x00\x00x"


class Payload:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        """Take the function, and what it is to be called with."""
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        """Return the call."""
        return self.call


def loaded() -> set[str]:
    """The modules that are loaded, without the codecs that Python loads by itself for the texts of old protocols."""
    return {name for name in sys.modules if not name.startswith("encodings.")}


def refusal(data: bytes) -> str:
    """Why a pickle is refused; the modules that are loaded stay the same."""
    before = loaded()
    with pytest.raises(RefusedPickleError) as caught:
        unpickling.loads(data)
    assert loaded() == before, "a module was imported"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "a traceback would show the data"
    return str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_command_is_not_run(protocol: int, tmp_path: Path, *, hidden: bool) -> None:
    """The classic, at every protocol, bare and deep in the state."""
    payload: object = Payload(os.system, f"touch {tmp_path / 'ran'}")
    if hidden:
        payload = EventActions(state_delta={"a": [{"b": (1, payload)}]})

    reason = refusal(pickle.dumps(payload, protocol))

    assert reason == f"it names the class {os.name}.system"
    assert not list(tmp_path.iterdir())
    pickle.loads(pickle.dumps(payload, protocol))  # noqa: S301  # The proof that the payload would have worked.
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["eval", "exec", "getattr", "__import__", "open", "print", "type"])
def test_no_builtin_function_is_called(name: str, protocol: int) -> None:
    """Python 2's name for the module, which old protocols write, is no way around."""
    reason = refusal(pickle.dumps(Payload(getattr(builtins, name), "1"), protocol))

    assert reason.startswith("it names the class ")
    assert reason.endswith(f".{name}")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("datetime", "sys.modules"),
        ("datetime", "datetime.fromtimestamp"),
        ("datetime.datetime", "fromtimestamp"),
        ("collections", "_sys.modules"),
        ("uuid", "os.system"),
        ("builtins", "object.__subclasses__"),
        ("builtins", "set.__init__"),
        ("google", "adk"),
        ("google.adkx.events", "EventActions"),
        ("google.cloud.storage", "Client"),
        ("x.google.adk.events", "EventActions"),
        ("fastapi.openapi.models.x", "OAuth2"),
        ("__main__", "EventActions"),
    ],
)
def test_a_name_is_matched_whole(module: str, name: str) -> None:
    """Protocol 4 follows dots in the name, and a listed module imports modules of its own."""
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))

    assert refusal(b"\x80\x04" + texts + b"\x93)R.") == f"it names the class {module}.{name}"
    assert refusal(f"c{module}\n{name}\n)R.".encode()) == f"it names the class {module}.{name}"


def test_a_name_below_adk_is_only_a_name() -> None:
    """A module that would be imported, and an attribute that would be followed, are neither."""
    data = b"\x80\x04\x8c\x19google.adk.evaluation.nope\x8c\x09os.system\x93X\x02\x00\x00\x00id\x85R."

    assert unpickling.loads(data.replace(b"\x8c\x19", b"\x8c\x1a")) == "id"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Pid\n.", "PERSID"),
        (b"NQ.", "BINPERSID"),
        (b"\x82\x01.", "EXT1"),
        (b"\x83\x01\x00.", "EXT2"),
        (b"\x84\x01\x00\x00\x00.", "EXT4"),
        (b"(ios\nsystem\n.", "INST"),
        (b"(" + ACTIONS + b"o.", "OBJ"),
        (ACTIONS + b")}\x92.", "NEWOBJ_EX"),
        (b"N2\x86.", "DUP"),
        (b"NN0.", "POP"),
        (b"\x97.", "NEXT_BUFFER"),
        (b"S'python 2'\n.", "STRING"),
    ],
)
def test_operations_that_adk_never_wrote_are_refused(data: bytes, reason: str) -> None:
    """The extension registry, persistent ids, and what makes objects in other ways."""
    assert refusal(data) == f"it uses the operation {reason}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ACTIONS + TEXT + TEXT + b"\x86R.", "damaged"),
        (ACTIONS + b")R.", "damaged"),
        (ACTIONS + b"]\x85R.", "no text or number"),
        (ACTIONS + TEXT + b"\x85\x81.", "with arguments"),
        (ACTIONS + TEXT + b"R.", "only may name"),
        (DATETIME + b"M\xe8\x07K\x01K\x01\x87R.", "damaged"),
        (DATETIME + TEXT + b"\x85R.", "out of another type"),
        (DATETIME + b"C\x0a\x07\xe8\x01\xc8\x00\x00\x00\x00\x00\x00\x85R.", "damaged"),
        (b"cdatetime\ndate\nC\x04\x07\xe8\x01\xc8\x85R.", "damaged"),
        (b"cdatetime\ntime\nC\x06\x17\xff\x00\x00\x00\x00\x85R.", "damaged"),
        (DATETIME + b"C\x0a\x07\xe8\x01\x01\x00\x00\x00\x00\x00\x00N]\x86\x87R.", "damaged"),
        (DATETIME + b")\x81.", "no class of ADK's"),
        (b"cbuiltins\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R.", "out of another type"),
        (b"cbuiltins\nlist\n)R.", "only may name"),
        (b"ccollections\nOrderedDict\n]\x85R.", "damaged"),
        (b"ccollections\ndefaultdict\n" + TEXT + b"\x85R.", "out of another type"),
        (b"c_codecs\nencode\n" + TEXT + b"X\x03\x00\x00\x00hex\x86R.", "another encoding"),
        (b"ccopyreg\n_reconstructor\n" + ACTIONS + b"cbuiltins\nset\nN\x87R.", "another type"),
        (b"cdecimal\nDecimal\nX\x20\x4e\x00\x00" + b"9" * 20000 + b"\x85R.", "too long"),
        (b"cdecimal\nDecimal\nX\x17\x00\x00\x001e9999999999999999999999\x85R.", "damaged"),
        (b"cuuid\nUUID\n)\x81}" + TEXT + b"K\x01sb.", "damaged"),
        (b"}cuuid\nUUID\n)\x81Ns.", "without a number"),
        (ACTIONS + b")\x81Nb.", "none"),
        (ACTIONS + b")\x81N}\x86b.", "none"),
        (ACTIONS + b")\x81}b.", "damaged"),
        (ACTIONS + b")\x81}X\x08\x00\x00\x00__dict__" + TEXT + b"sb.", "damaged"),
        (ACTIONS + b"}b.", "none"),
        (DATETIME + b"N}" + TEXT + b"Ns\x86b.", "none"),
        (b"cpathlib\nPosixPath\n}" + TEXT + b"Nsb.", "none"),
        (b"ccopyreg\n_reconstructor\n}X\x08\x00\x00\x00__code__Nsb.", "none"),
        (b"]}b.", "none"),
        (b"N" + TEXT + b"a.", "no container"),
        (b"]" + TEXT + b"Ns.", "no container"),
        (b"}" + TEXT + b"a.", "no container"),
    ],
)
def test_a_listed_name_does_nothing_but_its_own_work(data: bytes, reason: str) -> None:
    """Odd arguments, odd states, and the state of a class instead of an object's, which would change it for all."""
    assert reason in refusal(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"NN.",
        b"(.",
        b"(N.",
        b"N",
        b"a.",
        b"t.",
        b"h\x00.",
        b"]K\x01Nu.",
        b"(K\x01d.",
        b"\x80\x06N.",
        b"\xff",
        b"X\x01\x00\x00\x00\xff.",
        b"C\xff.",
        b"I" + b"9" * 5000 + b"\n.",
        b"F1e\n.",
        b"NN\x93.",
        b"c\\collections\nOrderedDict\n.",
        b"\x8c\x02\xc3\xa9\x8c\x01x\x93.",
    ],
)
def test_damaged_data_is_refused(data: bytes) -> None:
    """Whatever Python would raise for it, it comes out as a refusal that does not quote it."""
    assert refusal(data)


def test_bombs_are_refused() -> None:
    """Small pickles that cost `pickle` gigabytes, minutes or the process; each ends here within a second or two."""
    nested = b"}" + b")" + b"\x85" * 500_000 + b"Ns."
    copies = (
        b"c_codecs\nencode\nq\x00X\x00\x00\x10\x00"
        + b"x" * 2**20
        + b"q\x01X\x06\x00\x00\x00latin1q\x02\x87"
        + b"h\x00h\x01h\x02\x86R" * 100
        + b"."
    )
    fields = pickle.dumps({"__dict__": {str(number): None for number in range(20_000)}}, 2)[2:-1]
    kept, again = (b"r\x00\x00\x01\x00", b"r\x01\x00\x01\x00"), (b"j\x00\x00\x01\x00", b"j\x01\x00\x01\x00")
    builds = ACTIONS + kept[0] + fields + kept[1] + b"(" + (again[0] + b")\x81" + again[1] + b"b") * 600 + b"t."

    assert "tuple for a dictionary's key" in refusal(nested)
    assert "grows" in refusal(b"]" * 2_000_000 + b".")
    assert "grows" in refusal(copies)
    assert "grows" in refusal(builds)
    assert "larger than 64 MiB" in refusal(b"\0" * (unpickling.MAX_BYTES + 1))
    assert "damaged" in refusal(b"\x96" + struct.pack("<Q", 2**40) + b".")
    assert unpickling.loads(b"Nr\xff\xff\xff\x7f.") is None, "a place in the memo is only a number"
    assert unpickling.loads(b"\x95" + b"\xff" * 8 + b"N.") is None, "a frame's length is only advice"


def test_numbers_cannot_be_chosen_to_collide() -> None:
    """Multiples of 2**61 - 1 have the same hash, so as keys they would take quadratic time; here they are texts."""
    numbers = {number * (2**61 - 1): None for number in range(3)}

    assert unpickling.loads(pickle.dumps(numbers)) == {str(number): None for number in numbers}


def test_what_contains_itself_is_read_as_such() -> None:
    """Refusing it is for those who make it plain; reading it comes to an end."""
    loop: list[Any] = []
    loop.append(loop)

    read: Any = unpickling.loads(pickle.dumps(loop))

    assert read[0] is read


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_honest_values_are_read_at_every_protocol(protocol: int) -> None:
    """What a state may hold, by its own kind where JSON has to be made of it later."""
    number = uuid.UUID(int=7)
    values = {
        "scalars": [None, True, False, 0, -1, 2**80, 1.5, "", "ü\U0001f600", b"", b"\xff", bytearray(b"\x00")],
        "times": [NOW, NOW.replace(tzinfo=None), NOW.date(), NOW.time(), NOW - NOW, dt.timezone(dt.timedelta(hours=1))],
        "others": [decimal.Decimal("1.50"), 1 + 2j, PureWindowsPath("a/b"), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "mappings": [collections.OrderedDict(a=1, b=2), collections.defaultdict(list, c=[3])],
        "sets": [{1}, frozenset("x"), set()],
        "keys": {1: 1, 1.5: 2, None: 3, b"k": 4, NOW: 5, (1, "a"): 6, False: 7, number: 8},
        "enum": AuthCredentialTypes.OAUTH2,
        "shared": [b"twice", b"twice"],
    }

    read: Any = unpickling.loads(pickle.dumps({**values, "uuid": number}, protocol))

    keys = {
        "1": 1,
        "false": 7,
        "1.5": 2,
        "None": 3,
        "aw==": 4,
        "2026-02-03T04:05:06.000789Z": 5,
        "1,a": 6,
        str(number): 8,
    }
    identifier = read.pop("uuid")
    assert isinstance(identifier, Identifier)
    assert identifier.value() == number
    assert read == {**values, "sets": [[1], ["x"], []], "keys": keys, "enum": "oauth2"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_model_is_a_record_of_its_fields(protocol: int) -> None:
    """Pydantic's private fields and its note of what was set are left out."""
    actions = EventActions(state_delta={"a": 1}, transfer_to_agent="b")

    read = unpickling.loads(pickle.dumps(actions, protocol))

    assert isinstance(read, Record)
    assert (read.name, read.fields) == ("EventActions", dict(actions))
    assert "a" not in repr(read).replace("name=", "").replace("EventActions", "").replace("Record", "")


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None, database=None)
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing else is raised, and nothing imported."""
    before = loaded()
    with contextlib.suppress(RefusedPickleError):
        unpickling.loads(data)
    assert loaded() == before


@given(st.data())
@settings(max_examples=500, deadline=None, database=None)
def test_mutated_pickles_are_read_or_refused(draw: st.DataObject) -> None:
    """An honest pickle with some bytes changed, cut out or put in gets further than noise does."""
    protocol = draw.draw(st.sampled_from(PROTOCOLS))
    state = {"a": [NOW, uuid.UUID(int=7), {1, 2}, b"\xff", 1.5], "b": AuthCredentialTypes.HTTP}
    data = bytearray(pickle.dumps(EventActions(state_delta=state), protocol))
    for _ in range(draw.draw(st.integers(1, 6))):
        place = draw.draw(st.integers(0, len(data) - 1))
        data[place : place + draw.draw(st.integers(0, 3))] = draw.draw(st.binary(min_size=1, max_size=3))
    before = loaded()
    with contextlib.suppress(RefusedPickleError):
        unpickling.loads(data)
    assert loaded() == before
