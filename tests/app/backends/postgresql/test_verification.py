"""What a verification leaves in the database, and says of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import URL

from app import probe, verbs
from app.backends.interface import Target

LEFT = "SELECT 'app_states' FROM app_states UNION ALL SELECT 'user_states' FROM user_states"


def text(url: URL) -> str:
    """The URI with its password, for the environment."""
    return url.render_as_string(hide_password=False)


def test_the_app_role_alone_leaves_what_it_may_not_delete_and_says_so(
    target: Target, sql: Callable[[str], list[tuple[Any, ...]]], session_db: Any
) -> None:
    """ADK makes the rows, whatever a session has; the next verification with an administrator takes them away."""
    verbs.bootstrap(target)

    for _ in range(2):
        done = session_db("verify", uri=text(target.app))
        assert (done.returncode, sorted(sql(LEFT))) == (0, [("app_states",), ("user_states",)])
        assert f"Left in app_states and user_states: one row of the app {probe.APP}" in done.stderr
    told = session_db("verify", "--json", uri=text(target.app))
    assert json.loads(told.stdout)["left"] == ["app_states", "user_states"]

    done = session_db("verify", uri=text(target.app), ADMIN_DB_URI=text(target.owner))

    assert (done.returncode, sql(LEFT)) == (0, [])
    assert "Left in" not in done.stderr


@pytest.mark.parametrize(
    ("host", "word", "code"),
    [
        ("postgres", "disable", 0),
        ("postgres", "prefer", 1),
        ("postgres", None, 1),
        ("db.example.org", "disable", 1),
        ("postgres,db.example.org", "disable", 1),
        ("10.0.0.3", "disable", 1),
    ],
)
def test_a_plain_connection_is_a_finding_unless_the_uri_says_it_of_a_container_beside(
    target: Target, session_db: Any, host: str, word: str | None, code: int
) -> None:
    """A name without a dot is a container's or a service's, in a network of this machine or cluster; no cloud's is."""
    verbs.bootstrap(target)
    answers = target.app.query.get("host") or target.app.host
    each = {"host": host, "hostaddr": answers, "port": str(target.app.port)}
    query = {
        name: ",".join([str(value)] * (1 + host.count(","))) if name != "host" else host for name, value in each.items()
    }
    app = target.app.set(host=None, port=None).update_query_dict(query | ({"sslmode": word} if word else {}))

    done = session_db("verify", uri=text(app), ADMIN_DB_URI=text(target.owner))

    assert done.returncode == code, done.stderr
    assert ("found a plain one" in done.stderr) == bool(code)
