"""Servers are looked for where they are: in no other project, account or subscription."""

from collections.abc import Callable
from typing import Any

import pytest

from infra import guard
from infra.guard import Step

Make = Callable[..., Step]

HOMES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "gcp": (
        "gcp:sql/databaseInstance:DatabaseInstance",
        {"outputs": {"project": "one-project"}},
        "project",
        "one-project",
    ),
    "aws": (
        "aws:rds/instance:Instance",
        {"outputs": {"arn": "arn:aws:rds:eu-west-1:111111111111:db:g1"}},
        "allowedAccountIds",
        '["111111111111"]',
    ),
    "azure-native": (
        "azure-native:dbforpostgresql:Server",
        {"id": "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/g/providers/x"},
        "subscriptionId",
        "11111111-1111-1111-1111-111111111111",
    ),
}


@pytest.mark.parametrize("provider", list(HOMES))
def test_servers_are_not_looked_for_in_another_account(step: Make, provider: str) -> None:
    """The provider would find nothing there; to name the one they are in is fine, and so is to begin somewhere."""
    kind, told, key, home = HOMES[provider]
    server = step("same", kind, **told)

    def asked(account: str, operation: str = "update", *others: Step) -> list[str]:
        wanted = step(operation, f"pulumi:providers:{provider}", wanted={key: account, "region": "x"})
        return list(guard.accounts([*others, wanted], stack="prod"))

    (line,) = asked(home.replace("1", "2").replace("one", "other"), "update", server)
    assert f"expected {home.strip('[]').strip(chr(34))}, where the servers are, but " in line
    assert asked(home, "update", server) == asked("", "update", server) == []
    assert asked(home.replace("1", "2"), "create") == []


def test_servers_of_one_cloud_say_nothing_of_an_account_in_another(step: Make) -> None:
    """What is wrong there is that the servers go."""
    kind, told, _key, _home = HOMES["azure-native"]
    wanted = step("create", "pulumi:providers:gcp", wanted={"project": "other-project"})

    assert list(guard.accounts([step("delete", kind, **told), wanted], stack="prod")) == []


def test_what_is_not_protected_may_be_forgotten(step: Make) -> None:
    """Somebody has deleted an alarm by hand, and `up` makes it again."""
    assert list(guard.forgotten([step("delete")], stack="prod")) == []
    (line,) = guard.forgotten([step("delete", protect=True, outputs={"project": "example"})], stack="prod")
    assert "{project: 'example'}" in line
