"""ADK's real session services on bootstrapped databases: SQLite, and PostgreSQL as a role that may create nothing."""

import asyncio
import math
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.events import Event, EventActions
from google.adk.sessions import Session
from google.adk.sessions.base_session_service import BaseSessionService, GetSessionConfig
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from app import dsn, verbs
from app.backends import choice
from app.backends.interface import Target
from rehearsal.leftovers import swept
from rehearsal.managed import managed

Result = TypeVar("Result")

MODEST = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])

CHARACTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
"""Unicode but NUL, which PostgreSQL keeps in no text, and lone surrogates, which UTF-8 has no bytes for."""

TEXT = st.text(CHARACTERS)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=12,
)

KEYS = st.builds(str.__add__, st.sampled_from(["", "app:", "user:"]), TEXT)

STATES = st.dictionaries(KEYS.filter(lambda key: not key.startswith("temp:")), VALUES, max_size=6)
"""Without what ADK keeps from the database."""

NAMES = st.text(CHARACTERS, min_size=1, max_size=128).filter(lambda name: name == name.strip())
"""Ids that ADK takes as they are: it strips white space from a session's."""


@dataclass(frozen=True)
class Adk:
    """One of ADK's services, and a way to wait for it."""

    service: BaseSessionService
    runner: asyncio.Runner
    postgresql: bool

    def run(self, call: Coroutine[Any, Any, Result]) -> Result:
        """The result of a call."""
        return self.runner.run(call)

    def create(self, app: str, user: str = "user", **given: Any) -> Session:
        """A new session."""
        return self.run(self.service.create_session(app_name=app, user_id=user, **given))

    def append(self, session: Session, **given: Any) -> Event:
        """Append an event, with whatever it is given."""
        return self.run(self.service.append_event(session, Event(author="user", invocation_id="1", **given)))

    def read(self, session: Session, **config: Any) -> Session:
        """The session as it is kept."""
        names = {"app_name": session.app_name, "user_id": session.user_id, "session_id": session.id}
        found = self.run(self.service.get_session(**names, config=GetSessionConfig(**config)))
        assert found is not None
        return found

    def listed(self, app: str, user: str | None = None) -> list[str]:
        """The ids of an app's sessions."""
        found = self.run(self.service.list_sessions(app_name=app, user_id=user))
        return sorted(session.id for session in found.sessions)


@pytest.fixture(scope="module", params=["sqlite", 15, 16, 18])
def adk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adk]:
    """The service that ADK's registry takes for a URI, on a bootstrapped database."""
    with asyncio.Runner() as runner:
        if request.param == "sqlite":
            path = tmp_path_factory.mktemp("adk") / "sessions.db"
            verbs.bootstrap(Target.of(dsn.parse(f"sqlite:///{path}")))
            yield Adk(SqliteSessionService(str(path)), runner, postgresql=False)
            return
        cluster = request.getfixturevalue("clusters")(request.param)
        with swept(cluster):
            admin = managed(cluster, "served", master="served_master").admin
            url = admin.set(username="served_app", password="change-me")
            verbs.bootstrap(Target(url, admin))
            service = DatabaseSessionService(choice.of(url).adk_uri(url))
            yield Adk(service, runner, postgresql=True)
            runner.run(service.close())


@pytest.fixture
def app() -> str:
    """The name of an app that no other test has."""
    return f"app-{uuid.uuid4()}"


def same(read: Any, written: Any, *, merged: bool = False) -> bool:
    """Whether JSON is the same; JSONB keeps 1e+300 as a number without exponent, which Python reads as an int.

    What SQLite has `merged` went through its own printf, which misses the last bit of some numbers above 1e100
    (google-adk `_MERGE_STATE_SQL`; measured with SQLite 3.40: 0.3 % of all doubles).
    """
    if isinstance(written, dict):
        return (
            isinstance(read, dict)
            and read.keys() == written.keys()
            and all(same(read[key], written[key], merged=merged) for key in written)
        )
    if isinstance(written, list):
        return isinstance(read, list) and len(read) == len(written) and all(map(same, read, written))
    if isinstance(written, float):
        rounded = merged and abs(written) > 1e100 and math.isclose(float(read), written, rel_tol=4e-16)
        return not isinstance(read, bool) and (float(read) == written or rounded)
    return type(read) is type(written) and bool(read == written)


def test_a_session_lives_and_dies(adk: Adk, app: str) -> None:
    """Created, appended to, read, listed and deleted, with its events."""
    session = adk.create(app, state={"a": 1})
    first = adk.append(session, actions=EventActions(state_delta={"a": 2, "b": [None, "ü"]}))
    second = adk.append(session)

    read = adk.read(session)

    assert (read.state, [found.id for found in read.events]) == ({"a": 2, "b": [None, "ü"]}, [first.id, second.id])
    assert adk.listed(app, "user") == [session.id]
    adk.run(adk.service.delete_session(app_name=app, user_id="user", session_id=session.id))
    assert adk.listed(app, "user") == []
    assert adk.run(adk.service.get_session(app_name=app, user_id="user", session_id=session.id)) is None


def test_states_are_shared_as_far_as_their_prefix_says(adk: Adk, app: str) -> None:
    """`app:` with all users of the app, `user:` with all sessions of the user, `temp:` with nobody."""
    first = adk.create(app, "ann", state={"app:a": 1, "user:b": 1, "c": 1, "temp:d": 1})
    adk.append(first, actions=EventActions(state_delta={"app:a": 2, "user:b": 2, "c": 2, "temp:d": 2}))

    hers, his = adk.create(app, "ann"), adk.create(app, "bob")

    assert adk.read(first).state == {"app:a": 2, "user:b": 2, "c": 2}
    assert adk.read(hers).state == {"app:a": 2, "user:b": 2}
    assert adk.read(his).state == {"app:a": 2}
    assert adk.listed(app) == sorted([first.id, hers.id, his.id])


def test_an_id_may_be_given_once(adk: Adk, app: str) -> None:
    """The same one is free for another user, and for another app."""
    assert adk.create(app, session_id="mine").id == "mine"
    assert adk.create(app, "another", session_id="mine").id == "mine"

    with pytest.raises(AlreadyExistsError):
        adk.create(app, session_id="mine")


def test_events_are_read_in_part(adk: Adk, app: str) -> None:
    """The last ones, none, or those from a moment on, to the microsecond."""
    session = adk.create(app)
    start = session.last_update_time
    ids = [adk.append(session, timestamp=start + 1 + part / 1_000_000).id for part in range(4)]

    def read(**config: Any) -> list[str]:
        return [found.id for found in adk.read(session, **config).events]

    assert read(num_recent_events=2) == ids[2:]
    assert read(num_recent_events=0) == []
    assert read(after_timestamp=adk.read(session).events[1].timestamp) == ids[1:]
    assert read(after_timestamp=start + 60) == []


def test_a_session_that_somebody_else_changed_is_stale(adk: Adk, app: str) -> None:
    """Two replicas read it; the one that is later has to read it again."""
    session = adk.create(app)
    one, other = adk.read(session), adk.read(session)
    adk.append(one, timestamp=one.last_update_time + 1)

    with pytest.raises(StaleSessionError):
        adk.append(other, timestamp=one.last_update_time + 2)
    assert len(adk.read(session).events) == 1


def test_an_id_has_up_to_128_characters(adk: Adk, app: str) -> None:
    """PostgreSQL refuses a longer one, which ADK passes on as the database's error; SQLite has no bound."""
    longest = "ü" * 128
    assert adk.read(adk.create(app, longest, session_id=longest)).id == longest

    if adk.postgresql:
        with pytest.raises(DBAPIError, match=r"value too long for type character varying\(128\)"):
            adk.create(app, session_id=f"{longest}x")
    else:
        assert adk.create(app, session_id=f"{longest}x").id == f"{longest}x"


def test_a_nul_is_refused_by_postgresql_by_name(adk: Adk, app: str) -> None:
    """Nothing of that session is kept; SQLite keeps it as JSON spells it."""
    state = {"a": "before\0after"}
    if adk.postgresql:
        with pytest.raises(DBAPIError, match=r"\\u0000 cannot be converted to text"):
            adk.create(app, state=state)
        assert adk.listed(app) == []
    else:
        assert adk.read(adk.create(app, state=state)).state == state


@MODEST
@given(state=STATES, delta=STATES)
def test_any_json_state_is_read_as_it_was_written(adk: Adk, state: dict[str, Any], delta: dict[str, Any]) -> None:
    """At the creation of a session and by an event, keys of all scopes included."""
    session = adk.create(f"app-{uuid.uuid4()}", state=state)
    assert same(adk.read(session).state, state)

    adk.append(session, actions=EventActions(state_delta=delta))

    read = adk.read(session)
    assert same(read.state, state | delta, merged=not adk.postgresql)
    assert same(read.events[0].actions.state_delta, delta)


@MODEST
@given(app=NAMES, user=NAMES, session_id=NAMES)
def test_any_ids_are_read_as_they_were_written(adk: Adk, app: str, user: str, session_id: str) -> None:
    """Of apps, users and sessions."""
    session = adk.create(app, user, session_id=session_id)
    try:
        assert (session.app_name, session.user_id, session.id) == (app, user, session_id)
        assert session.id in adk.listed(app, user)
        assert adk.read(session).id == session_id
    finally:
        adk.run(adk.service.delete_session(app_name=app, user_id=user, session_id=session.id))
