"""Legacy rows that ADK's own v0 classes wrote, against what ADK's own v1 classes read out of ours."""

import datetime as dt
import decimal
import json
import pickle
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from google.adk.auth.auth_credential import AuthCredential, AuthCredentialTypes, HttpAuth, HttpCredentials, OAuth2Auth
from google.adk.auth.auth_tool import AuthConfig
from google.adk.events import Event, EventActions
from google.adk.events.event_actions import EventCompaction
from google.adk.events.ui_widget import UiWidget
from google.adk.sessions.migration import migrate_from_sqlalchemy_pickle
from google.adk.sessions.schemas import v0, v1
from google.adk.sessions.session import Session
from google.adk.tools.tool_confirmation import ToolConfirmation
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from app.legacy import events
from app.legacy.unpickling import RefusedPickleError

SESSION = Session(app_name="app", user_id="user", id="session")
POSTGRESQL = create_engine("postgresql+psycopg://").dialect
NOW = dt.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=dt.UTC)
FLOWS = {"authorizationCode": {"authorizationUrl": "https://a", "tokenUrl": "https://t", "scopes": {"x": "y"}}}


def auth(scheme: Mapping[str, Any], credential: AuthCredential | None = None) -> AuthConfig:
    """A tool's request for a credential; its key is given, for ADK warns of its own way to make one."""
    return AuthConfig.model_validate({"auth_scheme": scheme, "raw_auth_credential": credential, "credential_key": "k"})


OAUTH2 = AuthCredential(
    auth_type=AuthCredentialTypes.OAUTH2,
    oauth2=OAuth2Auth(client_id="id", client_secret="secret", expires_at=1),
)
BEARER = AuthCredential(
    auth_type=AuthCredentialTypes.HTTP,
    http=HttpAuth(scheme="bearer", credentials=HttpCredentials(token="t"), more="extra"),  # type: ignore[call-arg]
)
PARTS = [
    types.Part(text="grüß \U0001f600", thought=True, thought_signature=b"\xfb\xff"),
    types.Part(inline_data=types.Blob(data=bytes(range(256)), mime_type="image/png", display_name="x")),
    types.Part(function_call=types.FunctionCall(id="f1", name="tool", args={"a": [1, None, {"b": 1.5}]})),
    types.Part(function_response=types.FunctionResponse(id="f1", name="tool", response={"r": None})),
    types.Part(executable_code=types.ExecutableCode(code="1", language=types.Language.PYTHON)),
]
STATE = {
    "app:a": 1,
    "user:ü": {"nested": [1.5, None, True, {"deep": "\U0001f600"}], "empty": {}},
    "temp:t": "gone",
    "big": 2**70,
    "negative": -0.0,
    "none": None,
}
RICH = {
    "bytes": b"\xfb\xff",
    "when": NOW,
    "naive": NOW.replace(tzinfo=None),
    "date": NOW.date(),
    "delta": dt.timedelta(days=1, microseconds=5),
    "uuid": uuid.UUID(int=7),
    "decimal": decimal.Decimal("1.50"),
    "tuple": (1, None),
    "set": {1},
    "enum": types.FinishReason.STOP,
    "content": types.Content(role="user", parts=[PARTS[0], PARTS[1]]),
    "keys": {1: 1, 2.5: 2, None: 3, b"\xff": 4, (1, "a"): 5, types.FinishReason.STOP: 6},
}
COMPACTION = EventCompaction(start_timestamp=1.5, end_timestamp=2, compacted_content=types.Content(parts=PARTS))
ACTIONS = {
    "nothing": EventActions(),
    "state": EventActions(state_delta=STATE),
    "rich state": EventActions(state_delta=RICH, agent_state=RICH),
    "artifacts": EventActions(artifact_delta={"a.png": 0, "ü": 7}),
    "transfer": EventActions(transfer_to_agent="other", transfer_reason="because", escalate=False),
    "escalate": EventActions(escalate=True, skip_summarization=True, end_of_agent=True),
    "agent state": EventActions(agent_state={"step": 1, "none": None}),
    "rewind": EventActions(rewind_before_invocation_id="i0"),
    "route": EventActions(route=["a", 1, True], set_model_response={"a": None}),
    "confirmation": EventActions(requested_tool_confirmations={"f": ToolConfirmation(hint="?", payload={"a": None})}),
    "compaction": EventActions(compaction=COMPACTION),
    "widgets": EventActions(render_ui_widgets=[UiWidget(id="w", provider="mcp", payload={"a": None})]),
    "oauth2": EventActions(requested_auth_configs={"f": auth({"type": "oauth2", "flows": FLOWS}, OAUTH2)}),
    "bearer": EventActions(requested_auth_configs={"f": auth({"type": "http", "scheme": "bearer"}, BEARER)}),
}
SCHEMES: dict[str, dict[str, Any]] = {
    "api key": {"type": "apiKey", "in": "header", "name": "k"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "oauth2": {"type": "oauth2", "flows": FLOWS, "extra": {"a": None}, "empty": None},
    "openid": {"type": "openIdConnect", "openIdConnectUrl": "https://o"},
    "openid with config": {"authorization_endpoint": "https://a", "token_endpoint": "https://t", "scopes": ["s"]},
    "custom": {"type": "ours", "more": [1]},
}
FIELDS: dict[str, dict[str, Any]] = {
    "text": {"content": types.Content(role="model", parts=[types.Part(text="hello")]), "partial": False},
    "parts": {"content": types.Content(role="model", parts=PARTS), "long_running_tool_ids": {"f2", "f1"}},
    "error": {"error_code": "500", "error_message": "no", "interrupted": True, "turn_complete": True, "branch": "a.b"},
    "metadata": {
        "grounding_metadata": types.GroundingMetadata(web_search_queries=["q"]),
        "usage_metadata": types.GenerateContentResponseUsageMetadata(prompt_token_count=3),
        "citation_metadata": types.CitationMetadata(citations=[types.Citation(uri="https://c", start_index=1)]),
        "custom_metadata": {"a": [None, {"b": 1}]},
    },
    "voice": {
        "input_transcription": types.Transcription(text="in", finished=True),
        "output_transcription": types.Transcription(text="out"),
    },
    "dropped": {"model_version": "m", "finish_reason": types.FinishReason.STOP, "output": {"a": 1}},
}
EVENTS = {
    **{
        f"actions: {name}": Event(author="a", invocation_id="i", timestamp=NOW.timestamp(), actions=actions)
        for name, actions in ACTIONS.items()
    },
    **{
        f"fields: {name}": Event(author="a", invocation_id="i", timestamp=NOW.timestamp(), **fields)
        for name, fields in FIELDS.items()
    },
}
every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())


def row_of(event: Event, **changed: Any) -> dict[str, Any]:
    """The row that ADK writes to a legacy table, as psycopg returns it."""
    stored = v0.StorageEvent.from_event(SESSION, event)
    row = {column: getattr(stored, column) for column in v0.StorageEvent.__table__.columns.keys()}  # noqa: SIM118
    bind = v0.DynamicPickleType().bind_processor(POSTGRESQL)
    assert bind is not None
    pickled = bind(row.pop("actions")).obj
    columns = {name: json.loads(json.dumps(value)) if isinstance(value, dict) else value for name, value in row.items()}
    return {**columns, "actions": pickled, **changed}


def read_by_v0(row: Mapping[str, Any]) -> Event:
    """What ADK makes of the legacy row."""
    actions = pickle.loads(row["actions"])  # noqa: S301  # Written by this file.
    return v0.StorageEvent(**{**row, "actions": actions}).to_event()


def read_by_v1(row: Mapping[str, Any], data: Mapping[str, Any]) -> Event:
    """What ADK makes of our JSON, after PostgreSQL had it."""
    stored = json.loads(json.dumps(data, allow_nan=False))
    keys = {name: row[name] for name in ("id", "app_name", "user_id", "session_id", "invocation_id", "timestamp")}
    return v1.StorageEvent(**keys, event_data=stored).to_event()


def written_by_v1(event: Event) -> Any:
    """The JSON that ADK stores for the event in its current layout."""
    return v1.StorageEvent.from_event(SESSION, event).event_data


@every_event
def test_the_json_is_what_adk_would_store(event: Event) -> None:
    """To the last default, for the event that ADK reads out of the legacy row."""
    row = row_of(event)

    assert events.event_data(row) == written_by_v1(read_by_v0(row))


@every_event
def test_the_event_is_the_one_that_the_legacy_row_held(event: Event) -> None:
    """Compared as objects where JSON can carry them, else as the JSON that both come to."""
    row = row_of(event)

    ours, theirs = read_by_v1(row, events.event_data(row)), read_by_v0(row)

    # ADK's own v1 gives these back as texts, and an auth scheme's `type_` as an extra text beside the enum.
    if event.actions.requested_auth_configs or "bytes" in event.actions.state_delta:
        assert written_by_v1(ours) == written_by_v1(theirs)
    else:
        assert ours == theirs


@every_event
def test_the_event_is_what_adks_own_migration_makes(event: Event) -> None:
    """Except for the timestamp, which that migration takes for the machine's local time, and ADK 2.13 for UTC."""
    row = row_of(event)

    ours = events.event_data(row)
    # With its own restrictions, it drops all actions of an event whose state holds an enum of google.genai's.
    migrated = migrate_from_sqlalchemy_pickle._row_to_event(row, allow_unsafe_unpickling=True)  # noqa: SLF001
    theirs = written_by_v1(migrated)

    assert ours | {"timestamp": 0} == theirs | {"timestamp": 0}
    assert ours["timestamp"] == event.timestamp


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES.keys())
def test_an_auth_scheme_stays_what_the_agent_asked_for(scheme: dict[str, Any]) -> None:
    """ADK's way through a legacy row takes an API key for HTTP's bearer token; ours keeps what v1 would have stored."""
    event = Event(author="a", invocation_id="i", actions=EventActions(requested_auth_configs={"f": auth(scheme)}))

    ours = events.event_data(row_of(event))["actions"]

    assert ours == written_by_v1(event)["actions"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ACTIONS)
def test_every_protocol_means_the_same(name: str, protocol: int) -> None:
    """SQLAlchemy pickles at the highest one, which has not always been 5."""
    row = row_of(EVENTS[f"actions: {name}"])
    older = row | {"actions": pickle.dumps(ACTIONS[name], protocol)}

    assert events.event_data(older) == events.event_data(row)


def test_the_models_fields_are_adks() -> None:
    """A newer ADK's field would be lost, and a removed one would stop ADK from reading the event."""
    models = (EventActions, EventCompaction, ToolConfirmation, UiWidget)

    assert {model.__name__: frozenset(model.model_fields) for model in models} == events.MODELS


def test_the_columns_are_adks() -> None:
    """Each column that ADK reads is in what we write."""
    row = row_of(Event(author="a", invocation_id="i", **{k: v for f in FIELDS.values() for k, v in f.items()}))
    assert all(row[name] is not None for name in v0.StorageEvent.stored_event_fields() if name in row)

    written = set(events.event_data(row)) - {"node_info"}

    assert written == v0.StorageEvent.stored_event_fields() - {"app_name", "user_id", "session_id"}


def test_an_older_versions_pickle_is_read() -> None:
    """Fewer fields, fields that are gone, other modules, extra and private state."""
    actions = EventActions(state_delta={"a": None}, requested_auth_configs={"f": auth({"type": "oauth2", "flows": {}})})
    state = actions.__getstate__()
    for name in ("compaction", "render_ui_widgets", "requested_tool_confirmations", "escalate"):
        del state["__dict__"][name]
    state["__dict__"]["long_gone"] = 1
    actions.__setstate__({**state, "__pydantic_private__": {"_hidden": 2}, "__pydantic_extra__": {"more": 3}})
    pickled = pickle.dumps(actions, 2)
    moved = pickled.replace(b"google.adk.events.event_actions", b"google.adk.older.place")
    assert moved != pickled
    row = row_of(Event(author="a", invocation_id="i"), actions=pickled)

    assert events.event_data(row) == written_by_v1(read_by_v0(row))
    assert events.event_data(row | {"actions": moved}) == events.event_data(row)


@pytest.mark.parametrize("actions", [None, pickle.dumps(None)])
def test_no_actions_are_empty_actions(actions: bytes | None) -> None:
    """As in ADK, for a row that another program wrote."""
    row = row_of(Event(author="a", invocation_id="i"), actions=actions)

    assert events.event_data(row)["actions"] == written_by_v1(Event())["actions"]


def test_json_null_counts_as_null() -> None:
    """ADK reads a column that holds JSON of another kind than an object as unset."""
    row = row_of(Event(author="a", invocation_id="i"), content="null", usage_metadata=[], branch=None)

    assert events.event_data(row) == written_by_v1(read_by_v0(row))


def test_a_time_with_a_zone_is_that_moment() -> None:
    """A TIMESTAMPTZ column comes back with its zone, which is not always UTC."""
    zone = dt.timezone(dt.timedelta(hours=5))
    row = row_of(Event(author="a", invocation_id="i"), timestamp=NOW.astimezone(zone))

    assert events.event_data(row)["timestamp"] == NOW.timestamp()
    assert events.event_data(row | {"timestamp": NOW.replace(tzinfo=None)})["timestamp"] == NOW.timestamp()


LOOP: list[Any] = []
LOOP.append(LOOP)
LAUGHS: list[Any] = ["ha"]
for _ in range(40):
    LAUGHS = [LAUGHS, LAUGHS]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "actions holds a number that is NaN or infinite"),
        ([float("-inf")], "actions holds a number that is NaN or infinite"),
        ("a\0b", "actions holds a text with a NUL character"),
        ({"a\0b": 1}, "actions holds a text with a NUL character"),
        ("\ud800", "actions holds a text with half of a surrogate pair"),
        ({"\udfff": 1}, "actions holds a text with half of a surrogate pair"),
        (10**5000, "actions holds a whole number of more than 4000 digits"),
        (dt.datetime, "actions holds a class, or another thing that is no JSON"),
        (dt.UTC, "actions holds a class, or another thing that is no JSON"),
        (LOOP, "actions holds something nested deeper than 200 levels, or in itself"),
        (LAUGHS, "it grows beyond what one event may take"),
        ([["x" * 2**20] * 100], "it grows beyond what one event may take"),
    ],
    ids=range(12),
)
def test_what_jsonb_cannot_hold_is_refused(value: object, reason: str) -> None:
    """With the column, and without the value."""
    pickled = pickle.dumps(EventActions.model_construct(state_delta={"k": value}))
    row = row_of(Event(author="a", invocation_id="i"), actions=pickled)

    with pytest.raises(RefusedPickleError) as caught:
        events.event_data(row)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"actions": pickle.dumps({"state_delta": {}})}, "its actions are another kind of object"),
        ({"actions": pickle.dumps(types.Content())}, "its actions are another kind of object"),
        ({"actions": b""}, "it is damaged, or no pickle (ValueError)"),
        ({"content": {"parts": [{"text": "\0"}]}}, "content holds a text with a NUL character"),
        ({"custom_metadata": {"a": float("inf")}}, "custom_metadata holds a number that is NaN or infinite"),
        ({"custom_metadata": []}, "custom_metadata is no JSON object"),
        ({"long_running_tool_ids_json": "["}, "long_running_tool_ids_json is no JSON"),
        ({"long_running_tool_ids_json": "[" * 100_000}, "long_running_tool_ids_json is no JSON"),
        ({"long_running_tool_ids_json": "{}"}, "long_running_tool_ids_json is no list of texts"),
        ({"long_running_tool_ids_json": "[1]"}, "long_running_tool_ids_json is no list of texts"),
        ({"error_message": "\ud800"}, "error_message holds a text with half of a surrogate pair"),
    ],
    ids=range(11),
)
def test_a_row_that_adk_did_not_write_is_refused(changed: Mapping[str, Any], reason: str) -> None:
    """Each refusal names the column."""
    with pytest.raises(RefusedPickleError) as caught:
        events.event_data(row_of(Event(author="a", invocation_id="i"), **changed))
    assert str(caught.value) == reason


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
keys = texts | st.integers() | st.booleans() | st.none() | st.binary(max_size=5) | st.dates() | st.uuids()
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
) | st.one_of(st.binary(), st.datetimes(timezones=st.just(dt.UTC)), st.dates(), st.times(), st.uuids(), st.timedeltas())
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner), max_leaves=20
)


@given(st.dictionaries(texts, values), st.sampled_from(range(pickle.HIGHEST_PROTOCOL + 1)))
@settings(max_examples=100, deadline=None, database=None)
def test_any_state_is_converted_as_adk_does(state: dict[str, Any], protocol: int) -> None:
    """Whatever Python values an agent kept."""
    event = Event(author="a", invocation_id="i", actions=EventActions(state_delta=state))
    row = row_of(event, actions=pickle.dumps(event.actions, protocol))

    assert events.event_data(row) == written_by_v1(read_by_v0(row))
