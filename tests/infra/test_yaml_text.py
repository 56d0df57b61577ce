"""What the engine would refuse in its own words, or read otherwise than we do, is refused by file and line."""

import pytest

from infra import yaml_text
from infra.errors import SettingsError

BACKEND = "session-database:backend: aws\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"config:\n  {BACKEND}  {BACKEND}",
            "line 3: expected each key once, but `session-database:backend` is on line 2",
        ),
        (f"config:\n  {BACKEND}  backend: gcp\n", "line 3: expected each key once, but `backend` is on line 2"),
        ("config: {a: {b: 1, b: 2}}", "line 1: expected each key once, but `b` is on line 1"),
        ("config:\n  a: [{b: {}}, {c: 1,\n  c: 2}]", "line 3: expected each key once, but `c` is on line 2"),
        ("config: {}\nconfig: {}\n", "line 2: expected each key once, but `config` is on line 1"),
        ('"a\\0": 1\n"a\\0": 2\n', r"line 2: expected each key once, but `a\x00` is on line 1"),
        ("config: []", "line 1: expected a mapping under `config:`"),
        ("\nconfig: text", "line 2: expected a mapping under `config:`"),
        ("config: {1: 2}", "line 1: expected keys such as `session-database:backend`, got `1`"),
        ("config: {true: 2}", "line 1: expected keys such as `session-database:backend`, got `true`"),
        ("config: {'a:b:c': 2}", "line 1: expected keys such as `session-database:backend`, got `a:b:c`"),
        ("config: {a: 2026-13-45}", "expected YAML such as"),
        ("config: " + "[" * 5000, "expected YAML such as"),
    ],
)
def test_what_the_engine_does_not_take_is_refused_by_line(text: str, words: str) -> None:
    """With an example, and nothing that a terminal would hide."""
    with pytest.raises(SettingsError) as caught:
        yaml_text.parsed(text, "Pulumi.dev.yaml")

    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"Pulumi.dev.yaml: {words}")
    assert "`session-database:backend: sqlite` under `config:`" in line
    assert line.isprintable()


def test_every_wrong_line_is_told() -> None:
    """Nobody mends one mistake only to meet the next."""
    with pytest.raises(SettingsError) as caught:
        yaml_text.parsed("config:\n  a: 1\n  a: 2\n  1: 3\n", "Pulumi.dev.yaml")

    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == [" line 3", " line 4"]


@pytest.mark.parametrize("text", ["", "# empty\n", "config:\n", "config: ~", "config: {}"])
def test_a_file_without_a_setting_is_one(text: str) -> None:
    """What is missing is said later, by its name."""
    assert not yaml_text.parsed(text, "Pulumi.dev.yaml").get("config")


def test_what_yaml_allows_to_say_again_is_no_repetition() -> None:
    """One key in two mappings, a mapping by its alias, and a merged key that is overridden."""
    text = "config: {a: &a {x: 1}, b: *a, 'aws:region': x, c: {<<: *a, x: 2}, 'session-database:config:d': 3}"

    assert yaml_text.parsed(text, "Pulumi.dev.yaml")["config"] == {
        "a": {"x": 1},
        "b": {"x": 1},
        "aws:region": "x",
        "c": {"x": 2},
        "session-database:config:d": 3,
    }
