"""Trees as they cross the wire."""

from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]

from rehearsal.plugin.wire import decode, encode
from rehearsal.values import UNKNOWN, Secret

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_COMPUTED = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_a_tree_survives_the_way_there_and_back() -> None:
    """Secrets, unknowns and nested data; what is None is not sent, but a secret nothing is."""
    tree = {
        "size": 64,
        "ratio": 0.5,
        "on": True,
        "tags": {"team": "agents"},
        "list": ["a", UNKNOWN, Secret({"deep": 1})],
        "password": Secret(UNKNOWN),
        "nothing": Secret(None),
    }

    assert decode(encode({**tree, "absent": None})) == tree


def test_whole_doubles_are_integers_again() -> None:
    """64 crosses the wire as 64.0."""
    value = decode(ParseDict({"storageSizeGB": 64.0}, Struct()))["storageSizeGB"]

    assert (value, type(value)) == (64, int)


def test_secrets_and_outputs_come_by_their_signatures() -> None:
    """An output may be unknown, secret, or both."""
    message = {
        "secret": {_SIGNATURE: _SECRET, "value": "change-me"},
        "output": {_SIGNATURE: _OUTPUT, "value": "x", "secret": True},
        "later": {_SIGNATURE: _OUTPUT, "secret": True},
        "computed": _COMPUTED,
    }

    assert decode(ParseDict(message, Struct())) == {
        "secret": Secret("change-me"),
        "output": Secret("x"),
        "later": Secret(UNKNOWN),
        "computed": UNKNOWN,
    }


def test_a_secret_shows_nothing_of_itself() -> None:
    """Neither as text nor inside something else."""
    assert "change-me" not in f"{Secret('change-me')} {[Secret('change-me')]}"
