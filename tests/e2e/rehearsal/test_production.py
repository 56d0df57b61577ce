"""Production without an account: created, unchanged the second time, and no credential anywhere in clear."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest


def test_a_second_up_would_change_nothing(production: Any) -> None:
    """Neither does a refresh before it; and the real state's folder is not even made."""
    assert production.json("refresh")["changes"] == {}
    assert production.run("preview", "--expect-no-changes").returncode == 0
    assert not (production.project.root / ".state" / ".pulumi").exists()


def test_no_generated_credential_is_anywhere_in_clear(production: Any) -> None:
    """Not in the state, not in anything that was printed."""
    passwords = production.passwords()
    production.run("outputs")

    assert passwords
    assert all(len(password) >= 30 for password in passwords)
    everything = production.state() + "\n".join(production.said)
    assert "adk-sessions" in everything
    for password in passwords:
        assert password not in everything


def test_the_record_is_whole_and_its_uris_are_secret(production: Any) -> None:
    """The same keys as on a laptop."""
    outputs = json.loads(production.run("outputs", "--json").stdout)["outputs"]

    assert outputs["session_db_uri"] == outputs["admin_db_uri"] == "[secret]"
    assert outputs["backend"] == production.cloud
    assert (outputs["database"], outputs["user"], outputs["auth"]) == ("adk_sessions", "adk_user", "password")
    assert outputs["host"]
    assert outputs["secret_ref"]
    assert outputs["backup_policy"]["pitr_window_days"] >= 7


@pytest.mark.parametrize("cloud", ["gcp", "aws", "azure"])
def test_a_real_deployment_never_falls_back_on_the_stand_ins(cloud: str, rehearse: Callable[[str], Any]) -> None:
    """Without a provider's plugin it fails, and says which one is missing."""
    done = rehearse(cloud).project.run("preview", "--stack", "prod")

    assert done.returncode == 3, "a tool that cannot be had"
    assert "Traceback" not in done.stderr
    plugin = {"gcp": "gcp", "aws": "aws", "azure": "azure-native"}[cloud]
    assert re.search(rf"resource '?{plugin}|provider ({plugin}|random)", done.stderr), done.stderr


@pytest.mark.parametrize("verb", ["up", "preview", "refresh", "destroy", "outputs"])
def test_a_stack_on_this_machine_is_not_rehearsed(project: Any, verb: str) -> None:
    """One line, before anything is touched."""
    done = project.run(verb, "--rehearse")

    assert done.returncode == 2
    assert "expected one of gcp, aws, azure for a rehearsal" in done.stderr
    assert not project.database.exists()
