"""Every backend exports the same record, its secrets wrapped."""

from dataclasses import fields
from typing import Any

import pytest

from infra import contract

RECORD = {
    *("session_db_uri", "admin_db_uri", "backend", "engine_version", "region", "host", "port", "database", "user"),
    *(
        "instance",
        "auth",
        "ca_certificate",
        "secret_ref",
        "availability",
        "backup_policy",
        "runbook",
        "servers",
        "waivers",
    ),
}


@pytest.fixture(params=["sqlite"])
def exported(request: pytest.FixtureRequest, provision: Any) -> Any:
    """What a backend with default settings exports."""
    return provision(backend=request.param)


def test_the_record_is_the_whole_record_and_nothing_else(exported: Any) -> None:
    """Whatever reads it works on every backend."""
    assert set(exported.outputs) == RECORD
    assert {field.name for field in fields(contract.SessionDatabase)} == RECORD


def test_the_uris_are_secret_and_nothing_else_is(exported: Any) -> None:
    """People need the rest in clear."""
    assert exported.secret == contract.SECRET


def test_the_runbook_answers_every_question_of_a_night_on_call(exported: Any) -> None:
    """Connect, restore, fail over, rotate: a command or the reason why there is none."""
    runbook = exported.outputs["runbook"]
    assert isinstance(runbook, dict)
    assert set(runbook) == {"connect", "restore", "failover", "rotate"}
    assert all(runbook.values())


def test_the_sqlite_uri_is_absolute(exported: Any) -> None:
    """It serves from whichever folder a process runs in; owner and app role are one."""
    assert str(exported.outputs["session_db_uri"]).startswith("sqlite:////")
    assert str(exported.outputs["session_db_uri"]).endswith("/data/sessions/sessions.db")
    assert exported.outputs["admin_db_uri"] == exported.outputs["session_db_uri"]
