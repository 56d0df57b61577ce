"""A stack file is read into one frozen tree, and what does not fit is refused in one teaching line."""

import json

import pydantic
import pytest
import yaml

from infra import settings
from infra.errors import SettingsError
from infra.settings import refusals

PROJECT = "session-database"


def load(**config: str) -> settings.Settings:
    """Load as the engine would hand it over."""
    return settings.load({f"{PROJECT}:{key}": value for key, value in config.items()}, project=PROJECT, stack="dev")


def test_a_backend_alone_is_enough() -> None:
    """Everything else has a safe default."""
    assert load(backend="sqlite").sqlite.path == "data/sessions/sessions.db"


def test_structured_values_arrive_as_json_text() -> None:
    """The engine hands a YAML section over as JSON."""
    assert load(backend="sqlite", sqlite='{"path": "/srv/s.db"}').sqlite.path == "/srv/s.db"


def test_keys_of_other_namespaces_are_not_ours() -> None:
    """`aws:region` and its like belong to the providers."""
    assert settings.load(
        {f"{PROJECT}:backend": "sqlite", "aws:region": "eu-west-1"}, project=PROJECT, stack="dev"
    ) == load(backend="sqlite")


def test_settings_are_frozen() -> None:
    """Nothing changes them after they were checked."""
    with pytest.raises(pydantic.ValidationError):
        load(backend="sqlite").backend = "sqlite"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("config", "key", "expected", "example"),
    [
        ({"backend": "oracle"}, "backend", "one of: sqlite", "session-database:backend: sqlite"),
        ({}, "backend", "one of: sqlite", "session-database:backend: sqlite"),
        ({"backend": "sqlite", "sqlite": '{"pth": "x"}'}, "sqlite.pth", "path, backups", "{path: data/sessions"),
        ({"backend": "sqlite", "colour": "red"}, "colour", "backend, profile", "session-database:backend: sqlite"),
        ({"backend": "sqlite", "sqlite": '{"path": 5}'}, "sqlite.path", "the path of", "{path: data/sessions"),
        ({"backend": "sqlite", "sqlite": '{"path": ""}'}, "sqlite.path", "the path of", "{path: data/sessions"),
        ({"backend": "sqlite", "sqlite": '{"path": "a%20b.db"}'}, "sqlite.path", "without ? # or %", "{path:"),
        ({"backend": "sqlite", "sqlite": '{"path": "a/"}'}, "sqlite.path", "the path of", "{path:"),
        ({"backend": "sqlite", "sqlite": '{"backups": [1]}'}, "sqlite.backups", "the folder", "{backups: data/backups"),
        ({"backend": "sqlite", "sqlite": "text"}, "sqlite", "a section", "session-database:sqlite: {path:"),
        ({"backend": "sqlite", "sqlite": "{broken"}, "sqlite", "a section", "session-database:sqlite: {path:"),
        ({"backend": '["sqlite"]'}, "backend", "one of: sqlite", "session-database:backend: sqlite"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    config: dict[str, str], key: str, expected: str, example: str
) -> None:
    """The line names the file, the key, what was expected and an example."""
    with pytest.raises(SettingsError) as caught:
        load(**config)

    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"Pulumi.dev.yaml: {PROJECT}:{key}: ")
    assert expected in line
    assert example in line.partition("For example: ")[2]


def test_every_wrong_key_gets_its_own_line() -> None:
    """Nobody mends one mistake only to meet the next."""
    with pytest.raises(SettingsError) as caught:
        load(backend="oracle", colour="red")

    assert len(str(caught.value).splitlines()) == 2


def test_a_refusal_never_echoes_the_value() -> None:
    """The value may be a secret in the wrong place."""
    with pytest.raises(SettingsError) as caught:
        load(backend="sqlite", password="change-me")

    assert "change-me" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", [key for key, _default, _meaning in settings.documented()])
def test_every_example_is_itself_accepted(key: str) -> None:
    """A message that teaches something wrong is worse than none."""
    loc = tuple(key.replace("[]", "").split("."))
    ((name, value),) = yaml.safe_load(refusals.example(settings.Settings, loc, PROJECT)).items()
    text = value if isinstance(value, str) else json.dumps(value)

    assert load(**{"backend": "sqlite", name.removeprefix(f"{PROJECT}:"): text}).backend


@pytest.mark.parametrize("key", ["database", "owner_user", "app_user", "server_prefix"])
@pytest.mark.parametrize("cloud", ["gcp", "aws", "azure"])
def test_a_line_break_at_the_end_is_no_part_of_a_name(cloud: str, key: str) -> None:
    """A YAML block leaves one, and `$` of a pattern would not see it."""
    with pytest.raises(SettingsError, match=f"{cloud}.{key}"):
        load(backend=cloud, **{cloud: json.dumps({key: "sessions\n"})})


@pytest.mark.parametrize("name", ["none", "public", "pg_owner", "a" * 62])
def test_a_role_has_a_name_that_postgresql_takes(name: str) -> None:
    """With room for the second one."""
    with pytest.raises(SettingsError, match="app_user"):
        load(backend="gcp", gcp=json.dumps({"app_user": name}))


def reason(text: str) -> str:
    """What is left of a waiver's reason."""
    return load(backend="sqlite", waivers=json.dumps({"alerts": text})).waivers["alerts"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "too short",
        " " * 20,
        "\u00a0" * 20,
        "\u200b" * 20,
        "ok\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200bok",
        "\u3164" * 20,
        "\u2800" * 20,
        "\x00" * 20,
        "\x1b[8mfor the reason that nobody sees",
        "----------------",
        "x" * 301,
    ],
)
def test_a_reason_that_nobody_can_read_is_none(text: str) -> None:
    """Blanks come in many kinds, and a terminal hides more."""
    with pytest.raises(SettingsError, match=r"waivers: expected a map of production's floors"):
        reason(text)


def test_a_reason_is_kept_as_one_line() -> None:
    """In any language, and from a YAML block as well."""
    assert reason("watched by\n the platform\u00a0team \n") == "watched by the platform team"
    assert reason("平台团队自己的监控系统负责") == "平台团队自己的监控系统负责"


def test_what_a_terminal_would_hide_is_shown_as_an_escape() -> None:
    """In a value that preflight refuses, and in a key."""
    section = {"sku": "Standard\x00\x1b[2J\u202e", "a\nb": 1}
    with pytest.raises(SettingsError) as unknown:
        load(backend="azure", azure=json.dumps(section))
    refused = refusals.Refusal("azure.sku", f"a size, not {section['sku']}", "{sku: Standard_D2ds_v5}")

    (key,) = str(unknown.value).splitlines()
    assert r"azure.a\nb: unknown key" in key
    assert r"not Standard\x00\x1b[2J\u202e." in refused.line(PROJECT, "dev")


def mistyped() -> list[tuple[str, str, object]]:
    """Each switch and each number with what is neither: its backend, its key and the section's text around it."""
    found: list[tuple[str, str, object]] = []
    for key, _default, _meaning in settings.documented():
        section, *path = key.split(".")
        ((_name, sample),) = yaml.safe_load(refusals.example(settings.Settings, (section, *path), PROJECT)).items()
        for name in path:
            sample = sample.get(name) if isinstance(sample, dict) else None
        wrong: tuple[object, ...] = ()
        if isinstance(sample, bool):
            wrong = (1, 0, "true", "yes", 1.0)
        elif isinstance(sample, int):
            wrong = (True, False, str(sample), sample + 0.5)
        found += [(section, key, each) for each in wrong]
    generation = "aws.servers[0]"
    return [*found, ("aws", f"{generation}.deletion_protection", 0), ("aws", f"{generation}.version", True)]


@pytest.mark.parametrize(("backend", "key", "value"), mistyped())
def test_a_switch_is_no_number_and_a_number_no_switch(backend: str, key: str, value: object) -> None:
    """`hour: true` is a slip, not one o'clock."""
    inner = value
    for name in reversed(key.split(".")[1:]):
        inner = {"servers": [{"id": "g1"} | dict(inner)]} if name == "servers[0]" else {name: inner}  # type: ignore[call-overload]
    with pytest.raises(SettingsError) as caught:
        load(backend=backend, **{backend: json.dumps(inner)})

    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"Pulumi.dev.yaml: {PROJECT}:{key}: expected ")
    assert "For example: " in line


def test_switches_and_numbers_are_all_tried() -> None:
    """The examples say which they are."""
    assert {"gcp.maintenance.hour", "postgres.port", "azure.backup.retention_days"} < {key for _, key, _ in mistyped()}
    assert {"aws.backup.final", "azure.storage.autogrow", "gcp.enable_apis"} < {key for _, key, _ in mistyped()}
