"""Generations, rotation and replicas are the same mechanism on every cloud, and never replace what is there."""

from typing import Any

import pytest
from sqlalchemy import make_url

G1 = {"id": "g1"}
G2 = {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}


def of_generation(recording: Any, id_: str) -> list[Any]:
    """What was registered for one generation, by its name."""
    name = f"adk-sessions-{id_}"
    found = [each for each in recording.resources if each.name == name or each.name.startswith(f"{name}-")]
    return sorted(found, key=lambda each: (each.type, each.name))


def server(cloud: Any, recording: Any, id_: str) -> Any:
    """The server of a generation."""
    return recording.named(cloud.server, f"adk-sessions-{id_}")


def test_a_second_generation_beside_the_first_leaves_the_first_as_it_is(cloud: Any, provision: Any) -> None:
    """Or a restore would change what it restores from."""
    before = provision(backend=cloud.name, **cloud.section())
    after = provision(backend=cloud.name, **cloud.section(servers=[G1, G2]))

    assert of_generation(before, "g1") == of_generation(after, "g1")
    assert server(cloud, after, "g2").protect
    assert before.outputs["session_db_uri"] == after.outputs["session_db_uri"]
    assert {name: each["active"] for name, each in after.outputs["servers"].items()} == {"g1": True, "g2": False}


def test_a_generation_is_restored_from_the_other_one_at_that_moment(cloud: Any, provision: Any) -> None:
    """A new server beside the old one, never the old one overwritten."""
    recording = provision(backend=cloud.name, **cloud.section(servers=[G1, G2]))
    said = str(server(cloud, recording, "g2").inputs)

    assert "2026-11-23T17:05:00" in said
    assert "adk-sessions-g1" in said
    assert "2026-11-23" not in str(server(cloud, recording, "g1").inputs)


def test_what_a_restore_says_is_ignored_once_it_is_done(cloud: Any, provision: Any) -> None:
    """Or the line could never be edited again without a new server."""
    recording = provision(backend=cloud.name, **cloud.section(servers=[G1, G2]))
    once = {
        "gcp": {"clone"},
        "aws": {"restoreToPointInTime"},
        "azure": {"createMode", "pointInTimeUTC", "sourceServerResourceId"},
    }[cloud.name]

    for id_ in ("g1", "g2"):
        assert once <= set(server(cloud, recording, id_).ignore_changes)


def test_without_its_restore_line_a_generation_differs_in_what_is_ignored_alone(cloud: Any, provision: Any) -> None:
    """So taking the line out changes nothing."""
    with_line = server(cloud, provision(backend=cloud.name, **cloud.section(servers=[G1, G2])), "g2")
    without = server(cloud, provision(backend=cloud.name, **cloud.section(servers=[G1, {"id": "g2"}])), "g2")
    # RDS tells a restored server's dbName back, so that stating it later is no change.
    ignored = {path.partition(".")[0] for path in with_line.ignore_changes} | {"dbName"}

    assert set(with_line.ignore_changes) == set(without.ignore_changes)
    assert {k: v for k, v in with_line.inputs.items() if k not in ignored} == {
        k: v for k, v in without.inputs.items() if k not in ignored
    }


def test_the_active_one_changes_where_the_uri_leads_and_no_server(cloud: Any, provision: Any) -> None:
    """The switch is one line, and back again is the same line."""
    before = provision(backend=cloud.name, **cloud.section(servers=[G1, G2]))
    after = provision(backend=cloud.name, **cloud.section(servers=[G1, G2], active="g2"))

    assert of_generation(before, "g1") == of_generation(after, "g1")
    assert of_generation(before, "g2") == of_generation(after, "g2")
    old, new = make_url(before.outputs["session_db_uri"]), make_url(after.outputs["session_db_uri"])
    assert "g2" in after.outputs["host"]
    assert new.host == after.outputs["host"] != old.host
    assert (new.username, new.password, new.database) == (old.username, old.password, old.database)
    changed = {
        each.type for each in after.resources if not each.type.startswith("sessiondb:") and each not in before.resources
    }
    # Alarms may follow the server that is in use.
    assert all("ecret" in kind or "AlertPolicy" in kind for kind in changed), changed


def test_the_first_one_goes_without_a_change_of_the_second(cloud: Any, provision: Any) -> None:
    """What it was restored from matters no more."""
    both = provision(backend=cloud.name, **cloud.section(servers=[G1, G2], active="g2"))
    alone = provision(backend=cloud.name, **cloud.section(servers=[G2], active="g2"))
    ignored = {path.partition(".")[0] for path in server(cloud, both, "g2").ignore_changes}

    assert of_generation(alone, "g1") == []
    assert both.outputs["session_db_uri"] == alone.outputs["session_db_uri"]
    for old, new in zip(of_generation(both, "g2"), of_generation(alone, "g2"), strict=True):
        assert (old.type, old.name, old.protect, old.parent) == (new.type, new.name, new.protect, new.parent)
        assert {k: v for k, v in old.inputs.items() if k not in ignored} == {
            k: v for k, v in new.inputs.items() if k not in ignored
        }


def test_an_existing_server_is_adopted_as_it_is(cloud: Any, provision: Any) -> None:
    """Imported, protected, and left alone until the line is taken out."""
    adopted = {"id": "g1", "adopt": cloud.adopt}
    recording = provision(backend=cloud.name, **cloud.section(servers=[adopted]))
    kept = server(cloud, recording, "g1")

    assert kept.import_id == cloud.adopt
    assert kept.protect
    assert {"gcp": "settings", "aws": "instanceClass", "azure": "sku"}[cloud.name] in kept.ignore_changes


@pytest.mark.parametrize("version", [15, 16, 17, 18])
def test_a_generation_may_have_a_major_version_of_its_own(cloud: Any, provision: Any, version: int) -> None:
    """A major upgrade is a decision, and side by side with the old one."""
    fresh = {"id": "g2", "version": version}
    recording = provision(backend=cloud.name, **cloud.section(servers=[G1, fresh]))
    key = {"gcp": "databaseVersion", "aws": "engineVersion", "azure": "version"}[cloud.name]

    assert server(cloud, recording, "g2").inputs[key].rpartition("_")[2] == str(version)
    assert server(cloud, recording, "g1").inputs[key].rpartition("_")[2] == "17"


def test_read_replicas_are_as_many_as_asked_for(cloud: Any, provision: Any) -> None:
    """And each follows the server."""
    alone = provision(backend=cloud.name, **cloud.section())
    three = provision(backend=cloud.name, **cloud.section(read_replicas=3))

    assert len(three.of(cloud.server)) == len(alone.of(cloud.server)) + 3
    assert server(cloud, alone, "g1") == server(cloud, three, "g1")


def test_a_replica_can_be_in_another_region(cloud: Any, provision: Any) -> None:
    """For a disaster."""
    here = provision(backend=cloud.name, **cloud.section())
    far = provision(backend=cloud.name, **cloud.section(replica_region=cloud.far))

    assert len(far.of(cloud.server)) == len(here.of(cloud.server)) + 1
    assert cloud.far in str([(each.inputs, each.provider) for each in far.of(cloud.server)])


def test_backups_can_be_copied_to_another_region(cloud: Any, provision: Any) -> None:
    """A region may go with everything in it."""
    pair = {"gcp": "us-east1", "aws": "eu-central-1", "azure": "swedensouth"}[cloud.name]
    recording = provision(backend=cloud.name, **cloud.section(backup={"copy_region": pair}))
    said = str([(each.type, each.inputs, each.provider) for each in recording.resources])

    assert {"gcp": f"'location': '{pair}'", "aws": "AutomatedBackupsReplication", "azure": "geoRedundantBackup"}[
        cloud.name
    ] in said
    assert pair in said or cloud.name == "azure"


def test_a_rotation_moves_the_app_to_its_other_role_with_a_new_password(cloud: Any, provision: Any) -> None:
    """Whoever still works as the first role goes on: its password is the same until the rotation after."""
    uris = [
        make_url(provision(backend=cloud.name, **cloud.section(rotation=count)).outputs["session_db_uri"])
        for count in range(3)
    ]
    kept = [
        {
            each.name: each.inputs["keepers"]["rotation"]
            for each in provision(backend=cloud.name, **cloud.section(rotation=count)).of(
                "random:index/randomPassword:RandomPassword"
            )
        }
        for count in range(3)
    ]

    assert [uri.username for uri in uris] == ["adk_user", "adk_user_2", "adk_user"]
    assert len({uri.password for uri in uris}) == 3
    first, second = "adk-sessions-app-1", "adk-sessions-app-2"
    assert kept[0][first] == kept[1][first] != kept[2][first], "the role in use so far keeps its password"
    assert kept[0][second] != kept[1][second] == kept[2][second], "and so does the other one in its turn"


def test_a_rotation_changes_no_server(cloud: Any, provision: Any) -> None:
    """Nothing restarts, no connection is dropped; the owner's new password is set in place."""
    before = server(cloud, provision(backend=cloud.name, **cloud.section()), "g1").inputs
    after = server(cloud, provision(backend=cloud.name, **cloud.section(rotation=1)), "g1").inputs
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}

    assert changed <= {"password", "administratorLoginPassword"}
