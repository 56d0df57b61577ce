"""Stand-ins under the real engine: few tests, as each costs seconds."""

import json
from collections.abc import Callable
from typing import Any

Engine = Callable[[str, str], dict[str, Any]]


def test_servers_of_all_clouds_live_and_no_password_is_in_clear(engine: Engine) -> None:
    """Preview, up, nothing to change, refresh without drift, an update in place, destroy."""
    assert engine("servers", "preview")["changes"] == {"create": 8}
    made = engine("servers", "up")
    assert made["changes"] == {"create": 8}
    assert engine("servers", "preview")["changes"] == {"same": 8}
    assert set(engine("servers", "refresh")["changes"]) == {"same"}
    assert engine("bigger", "preview")["changes"] == {"same": 7, "update": 1}

    assert len(made["outputs"]["password"]) == 24
    assert made["outputs"]["password"] not in json.dumps(made["state"]) + made["said"]
    assert "rds.amazonaws.com" in made["outputs"]["address"]
    assert engine("servers", "destroy")["changes"] == {"delete": 8}


def test_a_refusal_names_the_resource_the_property_and_what_was_expected(engine: Engine) -> None:
    """In the engine's own text, for a plain password and for a misspelt key, and without the password."""
    text = engine("wrong", "preview")["refused"]

    assert "azure-native:dbforpostgresql:Server resource 'sessions'" in text
    assert "administratorLoginPassword: expected a secret" in text
    assert 'storage.auto_growth: Storage has no property "auto_growth"; did you mean "autoGrow"?' in text
    assert "Change-me-1" not in text


def test_a_type_that_nobody_rehearsed_is_refused_by_name(engine: Engine) -> None:
    """What cannot be checked is not let through."""
    assert "knows no type of resource aws:s3/bucket:Bucket" in engine("bucket", "preview")["refused"]


def test_a_function_that_needs_an_account_is_refused_by_name(engine: Engine) -> None:
    """Previews must not look anything up."""
    text = engine("lookup", "preview")["refused"]

    assert "knows no function aws:index/getAvailabilityZones:getAvailabilityZones" in text


def test_a_server_that_is_there_is_adopted(engine: Engine) -> None:
    """`import_` takes it into the state under its own name, and the next preview has nothing to change."""
    taken = engine("adopted", "up")

    assert "refused" not in taken, taken["refused"]
    (server,) = [each for each in taken["state"]["resources"] if each["type"].endswith(":DatabaseInstance")]
    assert server["inputs"]["name"] == "older"
    assert engine("adopted", "preview")["changes"] == {"same": 3}
