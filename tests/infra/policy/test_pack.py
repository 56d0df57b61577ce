"""The policy pack asks the very same rules, run by the real engine in an environment of its own."""

from typing import Any

import pulumi
import pytest

from infra import settings
from infra.layout import ROOT
from infra.policy import environment

SERVER = "aws:rds/instance:Instance"


@pytest.fixture(scope="session")
def pack() -> str:
    """The pack's folder, its environment made."""
    environment.ensure()
    return str(ROOT / "infra" / "policy" / "pack")


class Part(pulumi.ComponentResource):
    """Anything with inputs: a pack looks at types and inputs alone, so no provider is needed."""

    def __init__(self, kind: str, name: str, inputs: dict[str, Any], *, protect: bool = False) -> None:
        """Register it with its inputs."""
        super().__init__(kind, name, inputs, pulumi.ResourceOptions(protect=protect))


async def _later() -> bool:
    return True


async def _unknown() -> bool:
    return False


def program(_chosen: settings.Settings) -> None:
    """A server without a standby, whose encryption a preview cannot know, with a secret and an alarm."""
    late = pulumi.Output(set(), _later(), _unknown())
    inputs = {
        "multiAz": False,
        "backupRetentionPeriod": 30,
        "storageEncrypted": late,
        "deletionProtection": True,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
        "finalSnapshotIdentifier": late,
        "autoMinorVersionUpgrade": True,
        "password": pulumi.Output.secret("change-me"),
    }
    Part(SERVER, "adk-sessions-g1", inputs, protect=True)
    Part("aws:cloudwatch/metricAlarm:MetricAlarm", "cpu", {"alarmActions": [late]})


def told(ran: Any) -> set[str]:
    """The names of the policies that were violated."""
    return {name for name, _message in ran.policies}


def test_the_pack_refuses_what_the_program_refuses_and_in_the_same_words(engine: Any, pack: str) -> None:
    """Only what is known to be off; a secret is in no message."""
    ran = engine("preview", program, packs=[pack], backend="aws")

    assert ran.failed
    assert told(ran) == {"high-availability"}
    ((_name, message),) = ran.policies
    assert "Pulumi.prod.yaml: session-database:aws.high_availability: expected a standby" in message
    assert "change-me" not in str(ran)


@pytest.mark.parametrize(
    "keys",
    [{"profile": "staging"}, {"waivers": {"high-availability": "the team accepts an hour of downtime"}}],
    ids=["profile", "waiver"],
)
def test_the_pack_knows_the_profile_and_the_waivers(engine: Any, pack: str, keys: dict[str, Any]) -> None:
    """It reads them where the program does: in the stack's configuration."""
    ran = engine("preview", program, packs=[pack], backend="aws", **keys)

    assert (ran.failed, told(ran)) == (False, set())
