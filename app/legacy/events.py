"""One row of ADK's legacy `events` table as the JSON object that its current layout keeps in `event_data`."""

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final, NoReturn

from pydantic_core import to_jsonable_python

from app.legacy import unpickling
from app.legacy.records import MAX_BITS, Budget, Identifier, Record, RefusedPickleError, refuse

__all__ = ["RefusedPickleError", "event_data"]

MODELS: Final[Mapping[str, frozenset[str]]] = {
    "EventActions": frozenset(
        {"skip_summarization", "state_delta", "artifact_delta", "transfer_to_agent", "transfer_reason", "escalate"}
        | {"requested_auth_configs", "requested_tool_confirmations", "compaction", "end_of_agent", "agent_state"}
        | {"rewind_before_invocation_id", "route", "render_ui_widgets", "set_model_response"}
    ),
    "EventCompaction": frozenset({"start_timestamp", "end_timestamp", "compacted_content"}),
    "ToolConfirmation": frozenset({"hint", "confirmed", "payload"}),
    "UiWidget": frozenset({"id", "provider", "payload"}),
}
"""The fields of the models that forbid others, in google-adk 2.13: what an older ADK kept besides would stop the
newer one from reading the event, and `schemas.v0.StorageEvent.to_event` drops it too."""

_OPAQUE: Final = frozenset({"state_delta", "agent_state", "payload", "set_model_response"})
"""Fields of any content: a model in one is a dictionary when it is read again, so its empty fields stay."""

_COLUMNS: Final = (
    *("invocation_id", "author", "branch", "partial", "turn_complete", "error_code", "error_message", "interrupted"),
    *("content", "grounding_metadata", "custom_metadata", "usage_metadata", "citation_metadata"),
    *("input_transcription", "output_transcription"),
)
"""The columns that carry the name and the JSON of their field (`schemas.v0.StorageEvent.stored_event_fields`)."""

_OBJECTS: Final = frozenset(name for name in _COLUMNS if name == "content" or name.endswith(("metadata", "iption")))

_LEAVES: Final = (bytes, bytearray, dt.date, dt.datetime, dt.time, dt.timedelta, Decimal, complex)

_UNFIT: Final = re.compile("[\0\ud800-\udfff]")

_MAX_DEPTH: Final = 200
"""Levels of nesting; pydantic itself writes no more than 255, of which the event takes a few."""


def event_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one row of the legacy layout (google-adk 2.13 `schemas.v0.StorageEvent`) to the current one's JSON.

    It is what `schemas.v1.StorageEvent.from_event` would store of the event that v0's `to_event` reads, without its
    unpickling and without its validation, so a row that v0 could not read is not found out here. An auth scheme alone
    stays as the agent asked for it: v0 reads an API key's as HTTP's bearer token.

    Args:
        row: The columns by name, as psycopg returns them: `actions` as bytes or None, `timestamp` as a datetime in UTC
            (without a zone) or with its zone, JSON as objects or None. Columns that are missing count as NULL, except
            `id` and `timestamp`. ADK 2.13 reads the time as UTC; where an older one wrote the machine's local time,
            as `migrate_from_sqlalchemy_pickle._row_to_event` supposes, give the timestamp that zone.

    Returns:
        A JSON object of dictionaries with text keys, lists, texts, finite numbers, booleans and None; `timestamp` is in
        seconds since 1970.

    Raises:
        RefusedPickleError: `unpickling.loads` refuses the actions, or they are none; or the row holds something that
            PostgreSQL's JSONB cannot (PostgreSQL 15 documentation, "JSON Types"): NaN, an infinity, a NUL character or
            half of a surrogate pair.
        KeyError: The row has no `id` or `timestamp`.
    """
    data: dict[str, Any] = {"id": row["id"], "node_info": {"path": ""}, "timestamp": _seconds(row["timestamp"])}
    for name in _COLUMNS:
        if (value := row.get(name)) is not None and not (name in _OBJECTS and _is_no_object(name, value)):
            data[name] = _Json(name, Budget(math.inf)).value(value)
    data["long_running_tool_ids"] = _tool_ids(row.get("long_running_tool_ids_json"))
    data["actions"] = _Json("actions", Budget()).value(_actions(row.get("actions")))
    return data


def _actions(pickled: bytes | None) -> Record:
    """Read the actions; what an older ADK's lack is None, or empty, in the current one's too."""
    actions = unpickling.loads(pickled) if pickled is not None else None
    if actions is None:
        actions = Record("EventActions")
    if not isinstance(actions, Record) or actions.name != "EventActions":
        refuse("its actions are another kind of object")
    empty: dict[str, object] = {name: {} for name in ("state_delta", "artifact_delta")}
    empty |= {name: {} for name in ("requested_auth_configs", "requested_tool_confirmations")}
    return Record(actions.name, empty | actions.fields)


def _seconds(timestamp: dt.datetime) -> float:
    zone = timestamp.tzinfo or dt.UTC
    return timestamp.replace(tzinfo=zone).timestamp()


def _tool_ids(text: str | None) -> list[Any]:
    try:
        ids = json.loads(text) if text else []
    except (ValueError, RecursionError):
        refuse("long_running_tool_ids_json is no JSON")
    if not isinstance(ids, list) or not all(isinstance(tool_id, str) for tool_id in ids):
        refuse("long_running_tool_ids_json is no list of texts")
    return [_Json("long_running_tool_ids_json", Budget(math.inf)).value(tool_id) for tool_id in sorted(set(ids))]


def _is_no_object(name: str, value: object) -> bool:
    """Whether ADK reads the column as NULL, as it reads a JSON `null` (`_session_util.decode_model`)."""
    if not isinstance(value, dict) and name == "custom_metadata":
        refuse("custom_metadata is no JSON object")
    return not isinstance(value, dict)


class _Json:
    """A column's value as JSON, the way `Event.model_dump(mode="json", exclude_none=True)` writes it."""

    def __init__(self, column: str, budget: Budget) -> None:
        self._column = column
        self._budget = budget

    def value(self, value: object, depth: int = 0, *, opaque: bool = False) -> Any:
        self._budget.spend()
        if depth > _MAX_DEPTH:
            self._refuse(f"something nested deeper than {_MAX_DEPTH} levels, or in itself")
        if isinstance(value, Record):
            return self._model(value, depth, opaque=opaque)
        if isinstance(value, dict):
            return {self._text(key): self.value(item, depth + 1, opaque=opaque) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, depth + 1, opaque=opaque) for item in value]
        return self._scalar(value)

    def _model(self, model: Record, depth: int, *, opaque: bool) -> dict[str, Any]:
        return {
            self._text(name): self.value(item, depth + 1, opaque=opaque or name in _OPAQUE)
            for name, item in model.fields.items()
            if (opaque or item is not None) and name in MODELS.get(model.name, (name,))
        }

    def _scalar(self, value: object) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            self._refuse("a whole number of more than 4000 digits")
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse("a number that is NaN or infinite")
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._leaf(value)

    def _leaf(self, value: object) -> str:
        if isinstance(value, Identifier):
            return str(value.value())
        if isinstance(value, PurePath):
            return self._text(str(value))
        if isinstance(value, _LEAVES):
            return self._text(str(to_jsonable_python(value, bytes_mode="base64")))
        return self._refuse("a class, or another thing that is no JSON")

    def _text(self, text: str) -> str:
        self._budget.spend(len(text))
        if unfit := _UNFIT.search(text):
            self._refuse(f"a text with {'a NUL character' if unfit[0] == chr(0) else 'half of a surrogate pair'}")
        return text

    def _refuse(self, what: str) -> NoReturn:
        refuse(f"{self._column} holds {what}")
