"""On the real engine the program itself refuses what is under a floor, in one readable line, before it is made."""

from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra import settings
from infra.errors import SettingsError
from infra.policy.enforcement import Gate, posture

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER = "aws:rds/instance:Instance"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

SAFE = {
    "multiAz": True,
    "backupRetentionPeriod": 30,
    "storageEncrypted": True,
    "deletionProtection": True,
    "publiclyAccessible": False,
    "skipFinalSnapshot": False,
    "finalSnapshotIdentifier": "adk-sessions-g1-final-1a2b",
    "autoMinorVersionUpgrade": True,
}


class Part(pulumi.ComponentResource):
    """Anything with inputs: the gate looks at types and inputs alone, so no provider is needed."""

    def __init__(self, kind: str, name: str, inputs: dict[str, Any], *, protect: bool = False) -> None:
        """Register it with its inputs."""
        super().__init__(kind, name, inputs, pulumi.ResourceOptions(protect=protect))


def program(*, alarms: bool = True, **changes: Any) -> "Callable[[settings.Settings], None]":
    """A program that registers a server with these changes, and perhaps an alarm."""

    def main(chosen: settings.Settings) -> None:
        gate = Gate(chosen, project="session-database", stack="prod")
        Part(SERVER, "adk-sessions-g1", {**SAFE, **changes}, protect=True)
        if alarms:
            Part(ALARM, "cpu", {"alarmActions": [pulumi.Output.secret("arn")]})
        gate.require()

    return main


def lines(ran: Any) -> list[str]:
    """What the program refused with."""
    assert isinstance(ran.refusal, SettingsError)
    return str(ran.refusal).splitlines()


def test_a_safe_program_passes(engine: Any) -> None:
    """In a preview and for real, and nothing is said."""
    assert not engine("preview", program(), backend="aws").failed
    ran = engine("up", program(), backend="aws")

    assert (ran.failed, ran.warnings) == (False, [])
    assert {"adk-sessions-g1", "cpu"} <= set(ran.created)


def test_a_preview_tells_everything_that_is_wrong_at_once_and_without_a_traceback(engine: Any) -> None:
    """Nobody mends one mistake only to meet the next."""
    ran = engine("preview", program(alarms=False, multiAz=False, publiclyAccessible=True), backend="aws")

    assert [line.partition(": expected")[0] for line in lines(ran)] == [
        "Pulumi.prod.yaml: session-database:aws.high_availability",
        "Pulumi.prod.yaml: session-database:aws.network.mode",
        "Pulumi.prod.yaml: session-database:aws.alerts.enabled",
    ]
    assert "Traceback" not in "".join(ran.errors)
    assert lines(ran)[0] in "".join(ran.errors)


def test_an_up_without_a_preview_makes_nothing_that_is_wrong(engine: Any) -> None:
    """The engine never gets that resource, so no provider does."""
    ran = engine("up", program(storageEncrypted=False), backend="aws")

    assert "adk-sessions-g1" not in ran.created
    assert any("aws.encryption_key" in line for line in lines(ran))


def test_a_waiver_lets_it_through(engine: Any) -> None:
    """By name and with a reason."""
    waivers = {"high-availability": "the team accepts an hour of downtime"}

    assert not engine("preview", program(multiAz=False), backend="aws", waivers=waivers).failed


def test_a_waiver_that_nothing_needs_is_told(engine: Any) -> None:
    """It is no error: the setting it was for has just been mended."""
    ran = engine("preview", program(), backend="aws", waivers={"pitr": "the team accepts to lose a day"})

    assert not ran.failed
    assert any("nothing needs the waiver pitr" in warning for warning in ran.warnings)


ADOPTED = {"servers": [{"id": "g1"}, {"id": "g2", "adopt": "sessions-prod"}]}


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_an_adopted_server_is_told_to_be_outside_of_every_floor(engine: Any, operation: str) -> None:
    """The rules see what the program says of it, and the engine ignores just that."""
    ran = engine(operation, program(), backend="aws", aws=ADOPTED)

    (told,) = [warning.strip() for warning in ran.warnings if "adopt" in warning]
    assert told == (
        "Pulumi.prod.yaml: session-database:aws.servers: g2 is adopted and left as it is: no rule is held for it, nor "
        "any floor of production, until `adopt` is taken out"
    )
    assert not ran.failed


def test_what_a_preview_cannot_know_is_asked_again_by_up(engine: Any) -> None:
    """A value that comes of another resource is known once that one is there."""

    def main(chosen: settings.Settings) -> None:
        gate = Gate(chosen, project="session-database", stack="prod")
        known = not pulumi.runtime.is_dry_run()
        late = pulumi.Output.from_input(False) if known else pulumi.output.Output(set(), _later(), _unknown())  # noqa: FBT003
        Part(SERVER, "adk-sessions-g1", {**SAFE, "multiAz": late}, protect=True)
        Part(ALARM, "cpu", {"alarmActions": ["arn"]})
        gate.require()

    assert not engine("preview", main, backend="aws").failed
    assert "aws.high_availability" in lines(engine("up", main, backend="aws"))[0]


def test_a_program_that_fails_by_itself_is_not_blamed_for_what_is_missing(engine: Any) -> None:
    """The alarm never came because the server did not: that is the engine's to tell."""

    def main(chosen: settings.Settings) -> None:
        gate = Gate(chosen, project="session-database", stack="prod")
        Part(SERVER, "adk-sessions-g1", SAFE, protect=True)
        Part(ALARM, "cpu", {"alarmActions": pulumi.Output.from_input(_fails())})
        gate.require()

    ran = engine("preview", main, backend="aws")

    assert ran.failed
    assert ran.refusal is None


@pytest.mark.parametrize(
    ("servers", "active", "retiring"),
    [
        ([{"id": "g1"}], "g1", set()),
        ([{"id": "g1", "deletion_protection": False}, {"id": "g2"}], "g2", {"adk-sessions-g1"}),
        ([{"id": "g1", "deletion_protection": False}, {"id": "g2"}], "g1", set()),
    ],
)
def test_only_a_server_that_nothing_leads_to_is_on_its_way_out(
    servers: list[dict[str, Any]], active: str, retiring: set[str]
) -> None:
    """The one in use keeps its protection, or is waived by name."""
    section = settings.aws.AwsSettings.model_validate({"servers": servers, "active": active})
    chosen = settings.Settings(backend="aws", aws=section)

    assert posture(chosen).retiring == retiring


async def _later() -> bool:
    return True


async def _unknown() -> bool:
    return False


async def _fails() -> list[str]:
    message = "nothing to see"
    raise RuntimeError(message)
