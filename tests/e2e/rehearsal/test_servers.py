"""Production on PostgreSQL servers behind the stand-ins: it is used, fails over, grows, and comes back."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg


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


def moves_and_grows(life: Any, uri: str) -> None:
    """Neither a failover nor storage that has grown is a reason to touch the server; a refresh reads both."""
    before = life.server()
    life.ask("servers.failover", name=before["name"])
    life.ask("servers.modify", name=before["name"], storage_gib=before["storage_gib"] * 2)
    after = life.server()
    assert (after["zone"], after["standby_zone"]) == (before["standby_zone"], before["zone"])

    assert life.json("refresh")["changes"] in ({}, {"update": 1})
    if life.cloud != "gcp":  # Cloud SQL's provider has no output that says it.
        assert re.search(rf'"availabilityZone": ?"{after["zone"]}"', life.state())
    assert life.json("up")["changes"] == {}
    assert life.server()["storage_gib"] == before["storage_gib"] * 2
    assert record(life)["outputs"]["session_db_uri"] == uri


def comes_back(life: Any, uri: str) -> None:
    """After a restart of the machine the record leads there all the same."""
    life.plane.call("stop")

    assert record(life)["outputs"]["session_db_uri"] == uri
    is_used(life)


class Life:
    """One cloud's: a class each, so that the clouds live side by side."""

    cloud: str

    def test_a_stack_lives_on_a_server(self, on_servers: Callable[[str], Any]) -> None:
        """One long story, as each step stands on the one before; how it ends is told by the whole way."""
        life = on_servers(self.cloud)
        made = life.json("up")
        assert set(made["changes"]) == {"create"}
        assert set(made["schema"]) == {"bootstrap", "verify"}, "a server that is there is bootstrapped unasked"

        uri = is_used(life)
        moves_and_grows(life, uri)
        comes_back(life, uri)


class TestGcp(Life):
    """Cloud SQL."""

    cloud = "gcp"


class TestAws(Life):
    """RDS."""

    cloud = "aws"


class TestAzure(Life):
    """Azure Database for PostgreSQL."""

    cloud = "azure"
