"""Restore as code: a second server beside the first, the switch, the retirement; then rotation and destroy."""

import json
import re
from collections.abc import Callable
from typing import Any

RESTORED = {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}


def record(life: Any) -> dict[str, Any]:
    """The record with its secrets in clear."""
    answer: dict[str, Any] = json.loads(life.run("outputs", "--json", "--show-secrets").stdout)["outputs"]
    return answer


def restores_beside(life: Any, first: dict[str, Any]) -> None:
    """g2 is made from a point in time of g1, which is not touched."""
    life.configure(servers=[{"id": "g1"}, RESTORED])

    assert set(life.json("up")["changes"]) <= {"create", "update"}, "dashboards show one more"
    assert not re.search(r"updated  (DatabaseInstance|Instance|Server) ", life.said[-1])
    assert record(life)["session_db_uri"] == first["session_db_uri"]
    assert set(record(life)["servers"]) == {"g1", "g2"}
    # RDS restores without insights and window, which only a second run adds.
    assert life.json("up")["changes"] == ({"update": 1} if life.cloud == "aws" else {})
    assert record(life)["session_db_uri"] == first["session_db_uri"]


def switches(life: Any, first: dict[str, Any]) -> dict[str, Any]:
    """The exported URI moves to g2."""
    life.configure(active="g2")
    life.json("up")

    second = record(life)
    assert second["host"] != first["host"]
    assert second["host"] in second["session_db_uri"]
    assert second["servers"]["g1"]["host"] == first["host"]
    return second


def retires(life: Any, second: dict[str, Any]) -> None:
    """A protected server does not go by an edit of a list; one whose protection was lifted before does."""
    life.configure(servers=[RESTORED])
    refused = life.run("up")
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert "deletion_protection" in refused.stderr
    assert record(life)["host"] == second["host"]

    life.configure(servers=[{"id": "g1", "deletion_protection": False}, RESTORED])
    life.json("up")
    life.configure(servers=[RESTORED])
    assert "delete" in life.json("up")["changes"]
    assert set(record(life)["servers"]) == {"g2"}

    life.configure(servers=[{"id": "g2"}])
    if life.cloud == "gcp":
        kept = life.run("up")
        assert "Put `restore` back" in kept.stderr, "its database came with it, and would be made again"
        life.configure(servers=[RESTORED])
    assert life.json("up")["changes"] == {}, "where it came from matters once"


def rotates(life: Any) -> None:
    """The app moves to its other role; the password of the one before stays until the next turn."""
    before = record(life)
    users = []
    for rotation in (1, 2):
        life.configure(rotation=rotation)
        life.json("up")
        users.append(record(life)["user"])

    assert [before["user"], *users] == ["adk_user", "adk_user_2", "adk_user"]
    assert record(life)["session_db_uri"] != before["session_db_uri"]
    assert record(life)["host"] == before["host"]


def takes_down(life: Any) -> None:
    """Refused while it is protected; then nothing is left."""
    refused = life.run("destroy")
    assert refused.returncode != 0
    assert "deletion_protection" in refused.stderr

    life.configure(deletion_protection=False)
    life.waive(deletion_protection="the stack is being taken down")
    life.json("up")
    assert set(life.json("destroy")["changes"]) == {"delete"}


class Life:
    """One cloud's: a class each, so that the clouds live side by side."""

    cloud: str

    def test_a_stack_lives_through_restore_rotation_and_destroy(self, rehearse: Callable[[str], Any]) -> None:
        """One long story, as each step stands on the one before; no server is ever replaced."""
        life = rehearse(self.cloud)
        assert set(life.json("up")["changes"]) == {"create"}
        first = record(life)

        restores_beside(life, first)
        second = switches(life, first)
        retires(life, second)
        rotates(life)
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
