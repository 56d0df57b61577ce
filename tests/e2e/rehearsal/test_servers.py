"""Production on PostgreSQL servers behind the stand-ins: it is used, fails over, grows, and is taken down in order."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

FINAL = {"gcp": 1, "aws": 1, "azure": 0}
"""Backups that a deleted server leaves behind."""


STAYING = {
    "aws:kms/key:Key",  # The backups in the other region cannot be read without it.
    "gcp:logging/projectBucketConfig:ProjectBucketConfig",  # Google keeps a deleted one for a week.
    "gcp:projects/service:Service",  # A service that is switched off takes others with it.
}
"""What a stack leaves in its cloud on purpose."""


def record(life: Any) -> dict[str, Any]:
    """What `outputs` answers, with its secrets in clear."""
    answer: dict[str, Any] = json.loads(life.run("outputs", "--json", "--show-secrets").stdout)
    return answer


def is_used(life: Any) -> str:
    """The URI leads to a server of the host name in it, whose certificate is verified, and which has the schema."""
    answer = record(life)
    uri = answer["outputs"]["session_db_uri"]
    words = parse_qs(urlsplit(uri).query)

    assert urlsplit(uri).hostname == answer["outputs"]["host"]
    assert (words["sslmode"], words["hostaddr"]) == (["verify-full"], ["127.0.0.1"])
    assert answer["control_plane"] == life.plane.url
    assert json.loads(Path(answer["reach"]).read_text())["hosts"][answer["outputs"]["host"]]
    with psycopg.connect(uri.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
        assert connection.info.get_parameters()["user"] == "adk_user"
    return str(uri)


def fails_over(life: Any, uri: str) -> None:
    """A failover changes nothing that a program says, and a refresh tells where the server is now."""
    before = life.server()
    life.ask("servers.failover", name=before["name"])
    after = life.server()
    assert (after["zone"], after["standby_zone"]) == (before["standby_zone"], before["zone"])

    assert life.json("refresh")["changes"] in ({}, {"update": 1})
    if life.cloud != "gcp":  # Cloud SQL's provider has no output that says it.
        assert re.search(rf'"availabilityZone": ?"{after["zone"]}"', life.state())
    assert life.json("up")["changes"] == {}
    assert record(life)["outputs"]["session_db_uri"] == uri


def grows(life: Any) -> None:
    """Storage that has grown by itself is never a reason to touch the server."""
    server = life.server()
    life.ask("servers.modify", name=server["name"], storage_gib=server["storage_gib"] * 2)

    assert life.json("refresh")["changes"] in ({}, {"update": 1})
    assert life.json("up")["changes"] == {}
    assert life.server()["storage_gib"] == server["storage_gib"] * 2


def comes_back(life: Any, uri: str) -> None:
    """After a restart of the machine the record leads there all the same."""
    life.plane.call("stop")

    assert record(life)["outputs"]["session_db_uri"] == uri
    is_used(life)


def takes_down(life: Any) -> None:
    """Nothing stands in the way of anything, and only the final backup is left."""
    life.configure(deletion_protection=False)
    life.waive(deletion_protection="the stack is being taken down")
    life.json("up")
    assert set(life.json("destroy")["changes"]) == {"delete"}

    assert life.ask("servers.list")["servers"] == []
    left = [each["type"] for each in life.ask("things.list")["things"]]
    assert set(left) <= STAYING, left
    assert len(life.ask("backups.list")["backups"]) == FINAL[life.cloud]


class Life:
    """One cloud's: a class each, so that the clouds live side by side."""

    cloud: str

    def test_a_stack_lives_on_a_server_until_nothing_is_left(self, on_servers: Callable[[str], Any]) -> None:
        """One long story, as each step stands on the one before."""
        life = on_servers(self.cloud)
        made = life.json("up")
        assert set(made["changes"]) == {"create"}
        assert set(made["schema"]) == {"bootstrap", "verify"}, "a server that is there is bootstrapped unasked"

        uri = is_used(life)
        fails_over(life, uri)
        grows(life)
        comes_back(life, uri)
        takes_down(life)


class TestGcp(Life):
    """Cloud SQL."""

    cloud = "gcp"


class TestAws(Life):
    """RDS."""

    cloud = "aws"


class TestAzure(Life):
    """Azure Database for PostgreSQL."""

    cloud = "azure"
