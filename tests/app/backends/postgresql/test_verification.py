"""What a verification leaves in the database, and says of it."""

import json
from collections.abc import Callable
from typing import Any

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
