"""Hundreds of invalid settings for each cloud: each is refused by readable lines, and none reaches a resource."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel

from infra import backends, program
from infra.errors import SettingsError
from infra.settings import refusals
from infra.settings.aws import AwsSettings
from infra.settings.azure import AzureSettings
from infra.settings.gcp import GcpSettings

SECTIONS: Mapping[str, type[BaseModel]] = {"gcp": GcpSettings, "aws": AwsSettings, "azure": AzureSettings}

MANY = hypothesis_settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

WRONG = [None, -1, 10**9, 1.5, "", "no such thing", "Ünïcode", "a b", [], ["x", 1], {"no_such_key": 1}, {"id": "g1"}]
"""What is wrong for most settings: types, ranges, words; where one of them fits, nothing has to be refused."""

MIXES: Mapping[str, list[dict[str, Any]]] = {
    "gcp": [
        {"tier": "db-f1-micro"},
        {"tier": "db-g1-small"},
        {"tier": "db-custom-3-7680"},
        {"tier": "db-custom-2-7681"},
        {"edition": "ENTERPRISE_PLUS"},
        {"tier": "db-perf-optimized-N-2"},
        {"backup": {"pitr_days": 0}},
        {"backup": {"pitr_days": 14}},
        {"backup": {"retention_days": 3, "pitr_days": 7}},
        {"storage": {"size_gib": 500, "max_gib": 100}},
        {"network": {"mode": "public"}},
        {"network": {"allowed_cidrs": ["203.0.113.0/24"]}},
        {"network": {"mode": "public", "allowed_cidrs": ["0.0.0.0/0"]}},
        {"replica_region": "us-central1"},
        {"api_processes": 300},
    ],
    "aws": [
        {"instance_class": "db.x0.huge"},
        {"backup": {"retention_days": 0}},
        {"storage": {"size_gib": 500, "max_gib": 100}},
        {"network": {"mode": "public"}},
        {"network": {"allowed_cidrs": ["203.0.113.0/24"]}},
        {"network": {"mode": "public", "allowed_cidrs": ["0.0.0.0/0"]}},
        {"network": {"vpc_id": "vpc-0a1b2c3d4e5f67890"}},
        {"replica_region": "eu-west-1"},
        {"backup": {"copy_region": "eu-west-1"}},
        {"owner_user": "admin"},
        {"insights_retention_days": 8},
        {"api_processes": 300, "instance_class": "db.t4g.micro"},
    ],
    "azure": [
        {"sku": "Standard_B1ms"},
        {"sku": "Standard_Z9"},
        {"storage": {"size_gib": 100}},
        {"storage": {"size_gib": 512, "max_gib": 128}},
        {"network": {"mode": "public"}},
        {"network": {"allowed_cidrs": ["203.0.113.0/24"]}},
        {"network": {"mode": "public", "allowed_cidrs": ["0.0.0.0/0"]}},
        {"replica_region": "swedencentral"},
        {"owner_user": "azure_superuser"},
        {"owner_user": "admin"},
        {"api_processes": 300, "sku": "Standard_D2ds_v5"},
    ],
}
"""Values that are right by themselves and cannot be together, or with the defaults."""

COMMON: list[dict[str, Any]] = [
    {"active": "g2"},
    {"servers": []},
    {"servers": [{"id": "g1"}, {"id": "g1"}]},
    {"servers": [{"id": "g1", "restore": {"from": "g1", "time": "latest"}}]},
    {"servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "yesterday"}}]},
    {"servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}, "adopt": "x"}]},
    {"owner_user": "adk_user"},
    {"owner_user": "adk_user_2"},
    {"owner_user": "pg_boss"},
    {"parameters": {"timezone": "CET"}},
    {"parameters": {"max_connections": "10"}},
    {"server_prefix": "Upper"},
    {"server_prefix": "a--b"},
    {"database": "with-hyphen"},
    {"alerts": {"emails": ["nobody"]}},
]


def places(section: type[BaseModel], *above: str) -> Iterator[tuple[str, ...]]:
    """Every key of a section, those of its sub-sections too, and one in each that is not there."""
    for key, field in refusals.fields(section).items():
        yield (*above, key)
        inner = refusals.nested(field.annotation)
        if inner is not None and not field.examples:
            yield from places(inner, *above, key)
    yield (*above, "no_such_key")


def put(section: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    """A section with one value changed."""
    key, *below = place
    inner = section.get(key)
    return {**section, key: put(inner if isinstance(inner, dict) else {}, tuple(below), value) if below else value}


class ReachedError(Exception):
    """The program got as far as resources."""


Refused = Callable[[Any, dict[str, Any]], list[str]]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Gives the lines with which the program itself refuses a section; none where it would have made resources."""
    config: dict[str, str] = {}

    def reached(*_: object, **__: object) -> None:
        raise ReachedError

    monkeypatch.setattr(pulumi, "get_project", lambda: "session-database")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "prod")
    monkeypatch.setattr(program, "_config", lambda: config)
    monkeypatch.setattr(program, "Gate", lambda *_, **__: None)
    monkeypatch.setattr(backends, "provision", reached)

    def run(cloud: Any, section: dict[str, Any]) -> list[str]:
        config.clear()
        config["session-database:backend"] = cloud.name
        config[f"session-database:{cloud.name}"] = json.dumps(section)
        try:
            program.main()
        except SettingsError as error:
            return str(error).splitlines()
        except ReachedError:
            return []
        message = "the program ended without resources and without a refusal"
        raise AssertionError(message)

    return run


def assert_readable(cloud: Any, lines: list[str]) -> None:
    """Each line names the file and the key, says what was expected, and shows what would do."""
    for line in lines:
        assert line.startswith(f"Pulumi.prod.yaml: session-database:{cloud.name}"), line
        assert "expected " in line, line
        assert "For example: session-database:" in line, line
        assert len(line) < 1000, line


@MANY
@given(data=st.data())
def test_whatever_is_written_where_it_does_not_belong_is_refused_readably(
    cloud: Any, refused: Refused, data: st.DataObject
) -> None:
    """A wrong type, a value out of range, a key that is not there: never a traceback, never an echo of the value."""
    section = SECTIONS[cloud.name]
    place = data.draw(st.sampled_from(list(places(section))))
    value = data.draw(st.sampled_from(WRONG) | st.integers() | st.text(max_size=20) | st.booleans())
    lines = refused(cloud, put(cloud.section()[cloud.name], place, value))

    assert_readable(cloud, lines)
    if place[-1] == "no_such_key":
        assert any("unknown key" in line for line in lines)


@MANY
@given(data=st.data())
def test_what_is_surely_wrong_is_surely_refused(cloud: Any, refused: Refused, data: st.DataObject) -> None:
    """A mix that cannot be, whatever else is said: each time there is a line, and never a resource."""
    mixes = [*COMMON, *MIXES[cloud.name]]
    section = dict(cloud.section(rotation=data.draw(st.integers(0, 5)))[cloud.name])
    section.update(data.draw(st.sampled_from(mixes)))
    lines = refused(cloud, section)

    assert lines
    assert_readable(cloud, lines)


@MANY
@given(data=st.data())
def test_two_mistakes_never_hide_behind_a_traceback(cloud: Any, refused: Refused, data: st.DataObject) -> None:
    """Preflight meets settings that are each of the right type, however odd together."""
    section = dict(cloud.section()[cloud.name])
    for mix in data.draw(st.lists(st.sampled_from([*COMMON, *MIXES[cloud.name]]), min_size=2, max_size=4)):
        section.update(mix)

    assert_readable(cloud, refused(cloud, section))
