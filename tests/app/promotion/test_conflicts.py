"""Rows of the same key and other content: when the source prevails, and when people must decide."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy import Engine, event

from app.backends.interface import Target
from app.errors import ConflictingDataError
from app.promotion import Promoted

Make = Callable[[], Target]
Fill = Callable[[Target], None]
Read = Callable[[Target], dict[str, list[tuple[Any, ...]]]]
Run = Callable[[Target, Target], Promoted]
Execute = Callable[..., list[Any]]
Service = Callable[[Target], BaseSessionService]
Append = Callable[..., None]


@pytest.fixture(params=["server", "file"])
def pair(request: pytest.FixtureRequest, file: Make, filled: Fill, promoted: Run) -> tuple[Target, Target]:
    """A file that ADK has filled, and a target to which it has been promoted."""
    source = file()
    filled(source)
    target: Target = request.getfixturevalue(request.param)()
    promoted(source, target)
    return source, target


@pytest.fixture
def append(adk: Service) -> Append:
    """Has ADK append an event to the session `one`."""

    async def work(target: Target, delta: dict[str, Any]) -> None:
        service = adk(target)
        session = await service.get_session(app_name="app", user_id="Zoë", session_id="one")
        assert session is not None
        actions = EventActions(state_delta=delta)
        await service.append_event(session, Event(author="user", invocation_id="later", actions=actions))
        if isinstance(service, DatabaseSessionService):
            await service.close()

    return lambda target, **delta: asyncio.run(work(target, delta))


def refused(promoted: Run, source: Target, target: Target, rows: Read, words: str) -> None:
    """A promotion fails and changes nothing."""
    before = rows(target)

    with pytest.raises(ConflictingDataError, match=words) as failure:
        promoted(source, target)

    assert "Nothing was changed" in str(failure.value)
    assert before == rows(target)


def test_a_second_promotion_catches_up(
    pair: tuple[Target, Target], append: Append, promoted: Run, rows: Read, execute: Execute
) -> None:
    """What agents wrote to the source since the first one, states that changed their values too."""
    source, target = pair
    append(source, **{"plain": 2, "app:count": 99, "user:seen": [], "user:more": 1})
    execute(source, "INSERT INTO sessions VALUES ('app', 'Zoë', 'three', '{}', 1e9, 1e9)")

    done = promoted(source, target)

    assert {name: copied.copied for name, copied in done.tables.items()} == {
        "app_states": 1,
        "user_states": 1,
        "sessions": 2,
        "events": 1,
    }
    for table, wanted in rows(source).items():
        assert wanted == [row for row in rows(target)[table] if "states" not in table or row[-2]]


def test_what_only_the_target_has_stays(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """Sessions and states of others are neither in the way nor touched."""
    source, target = pair
    moment = "now()" if target.app.get_backend_name() == "postgresql" else "1e9"
    execute(target, f"INSERT INTO app_states VALUES ('other', '{{}}', {moment})")
    execute(target, f"INSERT INTO sessions VALUES ('other', 'u', 's', '{{}}', {moment}, {moment})")
    before = rows(target)

    done = promoted(source, target)

    assert before == rows(target)
    assert sum(copied.copied for copied in done.tables.values()) == 0


def test_a_session_that_went_on_in_the_target_is_a_conflict(
    pair: tuple[Target, Target], append: Append, promoted: Run, rows: Read
) -> None:
    """Even where the source's is newer: it lacks an event."""
    source, target = pair
    append(target, plain=2)
    refused(promoted, source, target, rows, r"1 row differs: sessions \('app', 'Zoë', 'one'\)")

    append(source, plain=3)
    refused(promoted, source, target, rows, "the target's has events that the source's lacks")


def test_a_session_made_twice_is_a_conflict(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """The same id, but another conversation."""
    source, target = pair
    execute(source, "UPDATE sessions SET create_time = create_time + 1, update_time = update_time + 1 WHERE id = 'two'")
    refused(promoted, source, target, rows, "two sessions of the same id")


def test_a_session_of_the_same_time_is_a_conflict(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """Neither is newer."""
    source, target = pair
    execute(source, "UPDATE sessions SET state = '{\"other\": 1}' WHERE id = 'two'")
    refused(promoted, source, target, rows, "not older")


@pytest.mark.parametrize("scope", ["app", "user"])
def test_a_state_that_changed_in_the_target_is_a_conflict(
    pair: tuple[Target, Target], append: Append, promoted: Run, rows: Read, execute: Execute, scope: str
) -> None:
    """Even where no session tells of it any more, and the source's is newer."""
    source, target = pair
    execute(target, "INSERT INTO sessions SELECT app_name, user_id, 'x', state, create_time, update_time FROM sessions "
                    "WHERE id = 'one'")  # fmt: skip
    append(target, **{f"{scope}:only": "here"})
    execute(target, "DELETE FROM sessions WHERE id = 'one'")
    append(source, **{f"{scope}:count": 100})
    refused(promoted, source, target, rows, rf"{scope}_states \('app'.*may have been set there alone")


def test_a_state_that_is_not_older_is_a_conflict(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """Even where the source's has all of it."""
    source, target = pair
    execute(source, "UPDATE app_states SET state = json_set(state, '$.more', 1) WHERE app_name = 'app'")
    refused(promoted, source, target, rows, "not older")


def test_a_newer_state_with_all_values_prevails(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """Nothing is lost then, whoever wrote the target's."""
    source, target = pair
    earlier = (
        "update_time - interval '1 hour'" if target.app.get_backend_name() == "postgresql" else "update_time - 3600"
    )
    execute(target, f"UPDATE app_states SET update_time = {earlier}")
    execute(source, "UPDATE app_states SET state = json_set(state, '$.more', 1) WHERE app_name = 'app'")

    promoted(source, target)

    assert next(row[1]["more"] for row in rows(target)["app_states"] if row[0] == "app") == 1


def test_a_newer_state_without_a_value_of_an_unknown_hand_is_a_conflict(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """`true` is not 1, and a time at which the source did nothing is no promotion's."""
    source, target = pair
    earlier = (
        "update_time - interval '1 hour'" if target.app.get_backend_name() == "postgresql" else "update_time - 3600"
    )
    execute(target, f"UPDATE app_states SET update_time = {earlier}, state = '{{\"flag\": 1}}'")
    execute(source, "UPDATE app_states SET state = '{\"flag\": true}'")
    refused(promoted, source, target, rows, "may have been set there alone")


def test_an_empty_state_gives_way_to_an_older_one(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """There is nothing in it to be lost; so people can settle a conflict."""
    source, target = pair
    later = "update_time + interval '1 hour'" if target.app.get_backend_name() == "postgresql" else "update_time + 3600"
    execute(target, f"UPDATE user_states SET state = '{{}}', update_time = {later} WHERE user_id = 'Zoë'")

    done = promoted(source, target)

    assert done.tables["user_states"].copied == 1
    assert rows(source)["user_states"] == [row for row in rows(target)["user_states"] if row[-2]]


def test_an_event_of_the_same_id_is_a_conflict(
    pair: tuple[Target, Target], promoted: Run, rows: Read, execute: Execute
) -> None:
    """It is found late; what was copied until then stays, and nothing is overwritten."""
    source, target = pair
    execute(target, "UPDATE events SET event_data = '{\"other\": 1}' WHERE session_id = 'one' AND invocation_id = 'i3'")
    before = rows(target)

    with pytest.raises(ConflictingDataError, match=r"1 row differs: events .*What was copied before stays"):
        promoted(source, target)

    assert before == rows(target)


def test_many_conflicts_are_counted_and_five_named(
    pair: tuple[Target, Target], promoted: Run, execute: Execute
) -> None:
    """And no content is shown."""
    source, target = pair
    for name in range(8):
        for side, word in ((source, "secret"), (target, "hidden")):
            moment = "now()" if side.app.get_backend_name() == "postgresql" else "1e9"
            session = f"INSERT INTO sessions VALUES ('many', 'u', ?, ?, {moment}, {moment})"
            execute(side, session, f"s{name}", f'{{"w": "{word}"}}')

    with pytest.raises(ConflictingDataError, match=r"8 rows differ: .* and 3 more") as failure:
        promoted(source, target)

    assert str(failure.value).count("sessions ('many'") == 5
    assert not {"secret", "hidden"} & set(str(failure.value).split('"'))


def test_a_row_that_changes_during_the_promotion_is_not_overwritten(
    server: Make, file: Make, filled: Fill, promoted: Run, append: Append, execute: Execute
) -> None:
    """Between the comparison and the write."""
    source, target = file(), server()
    filled(source)
    promoted(source, target)
    append(source, plain=2)

    def change(_connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if "FOR UPDATE" in statement and "sessions" in statement:
            execute(target, "UPDATE sessions SET state = '{\"mine\": 1}' WHERE id = 'one'")

    event.listen(Engine, "before_cursor_execute", change)
    try:
        with pytest.raises(ConflictingDataError, match="changed during the promotion"):
            promoted(source, target)
    finally:
        event.remove(Engine, "before_cursor_execute", change)

    assert execute(target, "SELECT state FROM sessions WHERE id = 'one'") == [({"mine": 1},)]
