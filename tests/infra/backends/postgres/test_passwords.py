"""Where the passwords of an existing server come from, and that none may stand in a stack file in clear."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import config

from infra import stack_file
from infra.backends.postgres import passwords
from infra.errors import SettingsError


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the environment nor in a developer's file."""
    monkeypatch.setattr(passwords, "_FILES", ())
    for name in (passwords.APP, passwords.ADMIN, "PULUMI_CONFIG_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("section", "key", "role", "variable"),
    [
        ({}, "password", "adk_user", passwords.APP),
        ({"admin_user": "postgres"}, "admin_password", "postgres", passwords.ADMIN),
    ],
)
def test_a_missing_password_is_told_with_both_places(
    provision: Any, monkeypatch: pytest.MonkeyPatch, section: dict[str, str], key: str, role: str, variable: str
) -> None:
    """In one line: the variable, and the command that encrypts it into the stack file."""
    if variable == passwords.ADMIN:
        monkeypatch.setenv(passwords.APP, "change-me")

    with pytest.raises(SettingsError) as caught:
        provision(backend="postgres", postgres=section)

    (line,) = str(caught.value).splitlines()
    assert line == (
        f"Pulumi.stack.yaml: project:postgres.{key}: expected the password of {role}: set {variable} in the "
        f"environment or in .env, or: pulumi config set --secret --path project:postgres.{key} --stack stack"
    )


def test_a_password_in_clear_is_refused_with_the_command_that_encrypts_it(provision: Any) -> None:
    """It is in the history of the repository now, so it has to be another one."""
    with pytest.raises(SettingsError) as caught:
        provision(backend="postgres", postgres={"password": "change-me"})

    assert "encrypted, not in clear: change it on the server, then: pulumi config set --secret" in str(caught.value)
    assert "change-me" not in str(caught.value)


@pytest.mark.parametrize("by", ["call", "environment"])
def test_an_encrypted_password_is_taken_and_wins(provision: Any, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """The engine says which keys it decrypted: to the driver by call, to plain `pulumi` by environment."""
    monkeypatch.setenv(passwords.APP, "change-me-not")
    if by == "environment":
        monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["project:postgres"]))
    else:
        monkeypatch.setattr(config, "is_config_secret", lambda key: key == "project:postgres")

    outputs = provision(backend="postgres", postgres={"password": "change-me"}).outputs

    assert "adk_user:change-me@localhost" in outputs["session_db_uri"]


def test_the_stand_in_of_a_rehearsal_is_no_secret() -> None:
    """A rehearsal cannot decrypt anything, and both sides have to agree on what it puts there."""
    assert passwords.STAND_IN == stack_file.STAND_IN


def test_a_rehearsal_needs_no_password(provision: Any) -> None:
    """What stands in for one is taken, though it is not encrypted."""
    outputs = provision(backend="postgres", postgres={"password": passwords.STAND_IN}).outputs

    assert f"adk_user:{passwords.STAND_IN}@localhost" in outputs["session_db_uri"]


def test_the_environment_wins_over_the_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which SESSION_DB_URI is looked up; a blank value counts as unset, ${ is no placeholder."""
    monkeypatch.setattr(passwords, "_FILES", (".env.local", ".env"))
    (tmp_path / ".env").write_text(f"{passwords.APP}='${{HOME}}-3'\n")
    found = [passwords.from_environment(passwords.APP, environ={}, root=tmp_path)]
    (tmp_path / ".env.local").write_text(f"\ufeff{passwords.APP}=change-me-2\n")
    found.append(passwords.from_environment(passwords.APP, environ={passwords.APP: "  "}, root=tmp_path))
    found.append(passwords.from_environment(passwords.APP, environ={passwords.APP: "change-me-1"}, root=tmp_path))
    found.append(passwords.from_environment(passwords.ADMIN, environ={}, root=tmp_path))

    assert found == ["${HOME}-3", "change-me-2", "change-me-1", None]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not taken for one without the password."""
    monkeypatch.setattr(passwords, "_FILES", (".env",))
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match=r"expected .*env to be readable UTF-8 text"):
        passwords.from_environment(passwords.APP, environ={}, root=tmp_path)
