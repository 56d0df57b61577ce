"""What is wrong with a cloud's section whichever cloud it is."""

from typing import Any

import pytest

from infra.preflight import common
from infra.settings.gcp import GcpSettings


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"servers": [{"id": "g1"}], "active": "g2"}, "the id of `active`, g2, among the servers"),
        ({"servers": [{"id": "g1"}, {"id": "g1"}]}, "each id once"),
    ],
)
def test_a_wrong_list_of_servers_is_one_line_that_expects_once(keys: dict[str, Any], words: str) -> None:
    """The line begins with it, whatever the reason is."""
    (refusal,) = common.check("gcp", GcpSettings.model_validate({"project": "example-project", **keys}))

    assert f"session-database:gcp.servers: expected {words}." in refusal.line("session-database", "prod")
