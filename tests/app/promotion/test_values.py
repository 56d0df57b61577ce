"""Any JSON and any time, from SQLite to PostgreSQL and back."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.backends.interface import Target
from app.promotion import Promoted
from app.promotion.rows import Reader
from app.promotion.shape import SESSIONS

Make = Callable[[], Target]
Run = Callable[[Target, Target], Promoted]
Execute = Callable[..., list[Any]]
Session = tuple[Any, ...]
Spelling = Callable[[Any], str]

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=128)
NUMBERS = st.integers() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
TIMES = st.floats(0, 253_402_300_799) | st.floats(1.7e9, 1.8e9)
SPELLINGS: list[Spelling] = [json.dumps, partial(json.dumps, ensure_ascii=False)]
SESSION = st.tuples(NAMES, NAMES, NAMES, st.dictionaries(TEXT, JSON, max_size=5), TIMES, TIMES)


def alike(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same to Python, where a float may have become the integer that JSONB spells."""
    if isinstance(one, bool | str | None) or isinstance(other, bool | str | None):
        return type(one) is type(other) and bool(one == other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(alike, one, other))
    exact = isinstance(one, int) and isinstance(other, int)
    return bool(one == other if exact else float(one) == float(other))


@pytest.fixture
def between(server: Make) -> Target:
    """The one server database of all examples."""
    return server()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(SESSION, max_size=6, unique_by=lambda session: session[:3]),
    st.sampled_from([json.dumps, partial(json.dumps, ensure_ascii=False)]),
)
def test_anything_comes_back_as_it_was(
    between: Target,
    file: Make,
    promoted: Run,
    execute: Execute,
    sessions: list[tuple[Any, ...]],
    spell: Callable[[Any], str],
) -> None:
    """Ids of 128 characters of any script, state of any kind, times to the microsecond; however JSON is spelt."""
    source, back = file(), file()
    execute(between, "TRUNCATE sessions, events, app_states, user_states")
    for *key, state, created, updated in sessions:
        text = spell(state)
        execute(source, "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", *key, text, created, updated)

    there = promoted(source, between)
    again = promoted(between, back)

    assert there.tables["sessions"].digest == again.tables["sessions"].digest
    found = {row[:3]: row[3:] for row in execute(back, "SELECT * FROM sessions")}
    assert {session[:3] for session in sessions} == set(found)
    for *key, state, created, updated in sessions:
        text, *times = found[tuple(key)]
        assert alike(state, json.loads(text))
        assert all(
            abs(time - wanted) <= max(5e-7, wanted * 2e-16)
            for time, wanted in zip(times, (created, updated), strict=True)
        )


def fingerprint(state: str, time: object = 1e9) -> bytes:
    """Of a session with this state."""
    return Reader("source", "file", postgresql=True).read(SESSIONS, ("a", "u", "s", state, 1e9, time)).fingerprint


def test_a_fingerprint_does_not_depend_on_the_spelling() -> None:
    """JSONB orders keys, expands exponents and drops the sign of zero."""
    same = [
        ('{"a": 1, "b": "ü"}', '{"b":"\\u00fc","a":1.0}'),
        ('{"a": 1e22}', '{"a": 10000000000000000000000}'),
        ('{"a": -0.0}', '{"a": 0}'),
        ('{"a": 1e300}', f'{{"a": 1{"0" * 300}}}'),
        ('{"a": 1.5e-7}', '{"a": 0.00000015}'),
        ('{"a": 1.2345678901234567890123456789e28}', '{"a": 12345678901234567890123456789}'),
    ]
    for one, other in same:
        assert fingerprint(one) == fingerprint(other)


def test_a_fingerprint_depends_on_everything_else() -> None:
    """Python takes True for 1, and floats of 17 digits for one another."""
    states = ['{"a": 1}', '{"a": true}', '{"a": "1"}', '{"a": null}', "{}", '{"a": [1]}', '{"a": 1.5}', '{"b": 1}']
    states += ['{"a": 9007199254740992}', '{"a": 9007199254740993}', '{"a": 0.1}', '{"a": 0.10000000000000002}']
    found = {fingerprint(state) for state in states} | {fingerprint("{}", 1e9 + 1e-6)}
    assert len(states) + 1 == len(found)
