"""The staging stack on the real engine and a real PostgreSQL: recorded, bootstrapped, and no password in clear."""

import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from rehearsal.managed import ManagedDatabase

APP = f"p@ss:w/or%d?#& {secrets.token_hex(8)}"


@pytest.fixture
def staging(project: Any, server_database: ManagedDatabase) -> Any:
    """A clone whose staging stack is the test's own database, with the passwords in the environment."""
    admin = server_database.admin
    user = f"adk_{server_database.name.rpartition('_')[2]}"
    section = {"host": admin.host, "port": admin.port, "database": admin.database, "sslmode": "prefer"}
    configure(project.root, section | {"user": user, "admin_user": admin.username})
    kept = {name: value for name, value in project.environ.items() if name != "ADMIN_DB_URI"}
    passwords = {"SESSION_DB_PASSWORD": APP, "ADMIN_DB_PASSWORD": str(admin.password)}
    return replace(project, environ=kept | passwords)


def configure(root: Path, section: Mapping[str, Any]) -> None:
    """The shipped stack file with other keys in its section."""
    file = root / "Pulumi.staging.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["session-database:postgres"] = dict(section)
    file.write_text(yaml.safe_dump(content))


def clear(server_database: ManagedDatabase, text: str) -> list[str]:
    """The passwords that stand in a text, as they are or percent-encoded."""
    known = (APP, str(server_database.admin.password))
    return [password for password in known if password in text or quote(password, safe="") in text]


def written(project: Any) -> str:
    """All that was kept in the clone, the state with its history and the stack files among it."""
    files = [path for path in project.root.rglob("*") if path.is_file()]
    assert any(".pulumi" in file.parts for file in files)
    return "\n".join(file.read_bytes().decode(errors="replace") for file in files)


def test_a_server_that_is_there_becomes_a_session_database(staging: Any, server_database: ManagedDatabase) -> None:
    """Previewed, recorded, bootstrapped with a role of its own, tried by ADK; the second time nothing is left to do."""
    preview = staging.run("preview", "--stack", "staging")
    first = staging.run("up", "--stack", "staging")
    again = staging.json("up", "--stack", "staging")

    assert (preview.returncode, first.returncode) == (0, 0), preview.stderr + first.stderr
    assert "adk_user" not in preview.stdout + preview.stderr
    assert again["changes"] == {}
    assert again["schema"]["bootstrap"]["steps"] == []
    assert set(again["schema"]["verify"]["tables"]) >= {"sessions", "events", "app_states", "user_states"}
    outputs = staging.json("outputs", "--stack", "staging", "--show-secrets")["outputs"]
    assert f":{quote(APP, safe='')}@" in outputs["session_db_uri"]
    assert outputs["admin_db_uri"].startswith(f"postgresql+psycopg://{server_database.admin.username}:")
    assert outputs["backend"] == "postgres"
    seen = "".join(done.stdout + done.stderr for done in (preview, first))
    masked = staging.run("outputs", "--stack", "staging").stdout
    assert clear(server_database, seen + str(again) + masked + written(staging)) == []


def test_destroy_leaves_the_server_as_it_is(staging: Any, server_database: ManagedDatabase) -> None:
    """It belongs to somebody else: only the record goes."""
    staging.json("up", "--stack", "staging")

    assert staging.json("destroy", "--stack", "staging")["changes"] == {"delete": 2}
    found = server_database.cluster.execute("SELECT count(*) FROM sessions", server_database.name)
    assert found == [(0,)]


def test_a_missing_password_is_told_and_an_encrypted_one_is_taken(
    staging: Any, server_database: ManagedDatabase, pulumi: str
) -> None:
    """By the very command of the message; what is then in the stack file is no secret any more."""
    state = staging.root / ".state"
    made = state / ".pulumi" / "stacks" / "session-database" / "staging.json"
    for name, key in (("SESSION_DB_PASSWORD", "password"), ("ADMIN_DB_PASSWORD", "admin_password")):
        given = staging.environ[name]
        staging = replace(staging, environ={**staging.environ, name: ""})
        refused = staging.run("up", "--stack", "staging")
        assert refused.returncode == 2
        assert made.exists() == (key != "password"), "nothing is made before the first refusal"
        (line,) = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
        commands = [command.split() for command in line.partition(", or: ")[2].split(" && ")]
        assert [command[:3] for command in commands[:-1]] == ([] if made.exists() else [["pulumi", "stack", "init"]])
        assert commands[-1][-3].endswith(f"postgres.{key}")
        for command in commands:
            subprocess.run(
                [pulumi, *command[1:]],
                cwd=staging.root,
                env=staging.environ
                | {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE_FILE": str(state / "passphrase")},
                input=given,
                check=True,
                capture_output=True,
                text=True,
            )

    up = staging.json("up", "--stack", "staging")

    assert up["schema"]["verify"]["tables"]["sessions"] == 0
    assert "secure:" in (staging.root / "Pulumi.staging.yaml").read_text()
    assert clear(server_database, str(up) + written(staging)) == []


def test_a_password_in_clear_stops_everything(staging: Any) -> None:
    """Before anything is recorded, in one line that does not repeat it."""
    configure(staging.root, {"password": "change-me-clear"})

    done = staging.run("up", "--stack", "staging")

    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "session-database:postgres.password: expected the password of adk_user encrypted, not in clear" in line
    assert "change-me-clear" not in done.stdout + done.stderr


def test_a_section_of_another_type_reads_like_any_refusal(staging: Any) -> None:
    """The engine holds it against Pulumi.yaml before the program runs."""
    file = staging.root / "Pulumi.staging.yaml"
    file.write_text("config: {'session-database:backend': postgres, 'session-database:postgres': text}\n")

    done = staging.run("preview", "--stack", "staging")

    assert done.returncode == 2
    assert "error: Pulumi.staging.yaml: session-database:postgres: expected a section with the keys " in done.stderr


def test_the_other_commands_take_the_stacks_uris(staging: Any, server_database: ManagedDatabase) -> None:
    """`session-db` meets the program at the record; a password never stands in what it prints."""
    staging.json("up", "--stack", "staging", "--no-bootstrap")

    plan = staging.shell(sys.executable, "-m", "app.cli", "plan", "--stack", "staging")

    assert plan.returncode == 0, plan.stderr
    assert "CREATE TABLE sessions" in plan.stdout
    assert clear(server_database, plan.stdout + plan.stderr) == []
