"""The record is the same everywhere: its keys, what of it is secret, its URIs, and commands that name this stack."""

import shlex
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import make_url

from infra.contract import SECRET, SessionDatabase


def test_the_record_has_the_same_keys_everywhere(cloud: Any, provision: Any) -> None:
    """Swapping clouds is one line of a stack file, and nothing of a workload."""
    recording = provision(backend=cloud.name, **cloud.section())

    assert set(recording.outputs) == {field.name for field in fields(SessionDatabase)}
    assert set(recording.outputs["backup_policy"]) == {"window", "retention_days", "pitr_window_days", "final_backup"}
    assert set(recording.outputs["runbook"]) == {"connect", "restore", "failover", "rotate"}
    assert set(recording.outputs["servers"]["g1"]) == {"instance", "host", "active"}


def test_what_carries_a_password_is_secret_and_nothing_else_holds_one(cloud: Any, provision: Any) -> None:
    """A secret is marked as such on its way into the state."""
    recording = provision(backend=cloud.name, **cloud.section())

    assert recording.secret >= SECRET
    assert "change-me" in recording.outputs["session_db_uri"]
    assert "change-me" not in str({k: v for k, v in recording.outputs.items() if k not in SECRET})


def test_the_uris_lead_to_the_record_itself(cloud: Any, provision: Any) -> None:
    """One form for ADK, for the bootstrapper and for psql's own words."""
    outputs = provision(backend=cloud.name, **cloud.section()).outputs
    app, owner = make_url(outputs["session_db_uri"]), make_url(outputs["admin_db_uri"])

    for uri in (app, owner):
        assert uri.drivername == "postgresql+psycopg"
        assert (uri.host, uri.port, uri.database) == (outputs["host"], 5432, "adk_sessions")
        assert uri.query["sslmode"] == "verify-full"
    assert (app.username, owner.username) == ("adk_user", "adk_owner") == (outputs["user"], "adk_owner")
    assert app.password != owner.password


def test_a_part_that_needs_escaping_breaks_no_uri(cloud: Any, provision: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a password is made of."""
    monkeypatch.setitem(cloud.passwords, "result", "a@b:c/d?e#f%41[é")
    recording = provision(backend=cloud.name, **cloud.section())

    uri = recording.outputs["session_db_uri"]
    assert make_url(uri).password == "a@b:c/d?e#f%41[é"
    assert urlsplit(uri).hostname == recording.outputs["host"]
    assert parse_qs(urlsplit(uri).query)["sslmode"] == ["verify-full"]


def test_the_default_names_are_those_of_the_documentation(cloud: Any, provision: Any) -> None:
    """Servers, database, role and secrets."""
    recording = provision(backend=cloud.name, **cloud.section())
    outputs = recording.outputs

    assert outputs["servers"]["g1"]["instance"].rpartition(":")[2].startswith("adk-sessions-g1")
    assert (outputs["database"], outputs["user"]) == ("adk_sessions", "adk_user")
    secrets = str([(each.name, each.inputs) for each in recording.of(cloud.secret)])
    assert all(name in secrets for name in ("adk-db-password-owner", "adk-db-password-app", "adk-sessions-uri"))


def test_every_name_can_be_another(cloud: Any, provision: Any) -> None:
    """A second stack in the same account, or a house with rules of its own."""
    own = {"server_prefix": "agents", "database": "agents", "app_user": "agent", "owner_user": "chief"}
    recording = provision(backend=cloud.name, **cloud.section(**own, secret_prefix="agents-password"))
    outputs = recording.outputs

    assert outputs["instance"].rpartition(":")[2].startswith("agents-g1")
    assert make_url(outputs["session_db_uri"]).username == "agent"
    assert make_url(outputs["admin_db_uri"]).username == "chief"
    assert make_url(outputs["session_db_uri"]).database == "agents"
    named = str([(each.name, each.inputs) for each in recording.of(cloud.secret)])
    assert "agents-password-app" in named
    assert "agents-uri" in named


def test_no_remark_in_the_runbook_leaves_a_quotation_open(cloud: Any, provision: Any) -> None:
    """Not every shell takes a remark for one at its prompt; each line is copied as it is."""
    runbook = provision(backend=cloud.name, **cloud.section(replica_region=cloud.far)).outputs["runbook"]

    assert all(shlex.split(command) for command in runbook.values())


def test_commands_of_the_runbook_name_the_real_instance(cloud: Any, provision: Any) -> None:
    """Whoever is on call copies them."""
    outputs = provision(backend=cloud.name, **cloud.section()).outputs
    instance = outputs["instance"].rpartition(":")[2]
    runbook = outputs["runbook"]

    assert instance in runbook["connect"]
    assert instance in runbook["failover"]
    assert "restore: {from: g1" in runbook["restore"]
    assert "rotation" in runbook["rotate"]
    assert " 1" in runbook["rotate"]
    assert "adk_sessions" in runbook["connect"]
    assert "change-me" not in str(runbook)


def test_the_record_tells_what_is_kept_and_for_how_long(cloud: Any, provision: Any) -> None:
    """RPO and the way back are known before they are needed."""
    outputs = provision(backend=cloud.name, **cloud.section(backup={"retention_days": 21})).outputs

    assert outputs["backup_policy"]["retention_days"] == 21
    assert outputs["backup_policy"]["pitr_window_days"] >= 7
    assert outputs["backup_policy"]["final_backup"]
    assert outputs["availability"] not in {"", "none"}
    assert outputs["ca_certificate"]
    assert outputs["secret_ref"]
