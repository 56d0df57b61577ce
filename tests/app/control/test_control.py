"""The control planes by the vendors' own SDKs, unpatched, on a rehearsal's servers; one suite for all clouds."""

import datetime as dt
import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import dsn
from app.control import choice, kept, waiting
from app.control.aws import AwsControl
from app.control.interface import MARK, Control, server
from app.control.takeover import Takeover
from app.errors import CloudRefusedError, InvalidSettingError
from app.stack import Record
from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient

CLOUDS = ["aws", "gcp", "azure"]

FAILOVERS = {"aws": "RebootDBInstance", "gcp": "instances.failover", "azure": "servers.restart"}
RESTORES = {"aws": "RestoreDBInstanceToPointInTime", "gcp": "instances.clone", "azure": "servers.createOrUpdate"}
"""The requests."""

FAILURES = {
    "aws": r"the standby of sessions-aws to take over, but Amazon RDS tells: Recovered from partial failover",
    "gcp": r"its operation ends with INTERNAL_ERROR: An internal error has occurred",
    "azure": r"it answers InternalServerError: An unexpected error occurred",
}
"""How each cloud tells of an operation that failed."""

Deployed = Callable[[str], Record]


@pytest.fixture(scope="module", params=CLOUDS)
def record(request: pytest.FixtureRequest, deployed: Deployed) -> Record:
    """What the stack of each cloud exports."""
    return deployed(request.param)


@pytest.fixture(scope="module")
def control(record: Record) -> Iterator[Control]:
    """Its control plane."""
    with closing(choice.of(record)) as made:
        yield made


@pytest.fixture
def plane(rehearsal_folder: Path) -> ControlPlaneClient:
    """What plays the clouds, to have it fail."""
    return client.connect(rehearsal_folder)


def asked(record: Record, statement: str) -> Any:
    """The one value of a statement on the stack's server."""
    url = dsn.parse(record.text("session_db_uri")).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        ((value,),) = connection.execute(statement.encode()).fetchall()
        return value


def full_second(record: Record) -> dt.datetime:
    """The next one, once it is over: no cloud cuts it off, and it is after the server's first backup."""
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
    asked(record, f"SELECT pg_sleep_until('{moment.isoformat()}')")
    return moment


def test_a_server_is_described(record: Record, control: Control) -> None:
    """By the name that the record has."""
    found = server(control, record.text("instance"))

    assert found.instance == record.text("instance")
    assert found.host == dsn.parse(record.text("session_db_uri")).host
    assert (found.port, found.available, found.standby) == (5432, True, True)
    assert found.zone


def test_the_latest_moment_that_can_be_restored_is_told(record: Record, control: Control) -> None:
    """But for Azure, which tells none and takes any."""
    moment = dt.datetime.now(dt.UTC)

    found = waiting.restorable(control, record.text("instance"), moment, 60)

    if record.text("backend") == "azure":
        assert found.latest_restorable is None
    else:
        assert found.latest_restorable is not None
        assert found.latest_restorable >= moment


def test_what_is_not_there_is_none(record: Record, control: Control) -> None:
    """And an error for whoever needs it."""
    name = record.text("instance").replace("sessions", "nothing")

    assert control.find(name) is None
    with pytest.raises(CloudRefusedError, match=r"expected a server .*nothing.*, but its cloud knows none"):
        server(control, name)


def test_backups_are_listed(record: Record, control: Control) -> None:
    """The newest first; what is there is complete."""
    found = control.backups(record.text("instance"))

    ended = [each.ended for each in found]
    assert None not in ended
    assert ended == sorted(ended, key=str, reverse=True)


def test_a_standby_takes_over(record: Record, control: Control) -> None:
    """In its zone, by another process, at the same address; afterwards the server is available."""
    instance = record.text("instance")
    before, started = server(control, instance), asked(record, "SELECT pg_postmaster_start_time()")

    control.failover(instance)

    after = waiting.available(control, instance, 60)
    assert after.zone != before.zone
    assert (after.host, after.standby) == (before.host, True)
    assert asked(record, "SELECT pg_postmaster_start_time()") != started


def test_a_failover_that_the_cloud_does_not_bring_about_is_none(
    record: Record, control: Control, plane: ControlPlaneClient
) -> None:
    """The old primary is available again, and answers anew: by that alone it would be taken for done."""
    cloud, instance = record.text("backend"), record.text("instance")
    before, started = server(control, instance), asked(record, "SELECT pg_postmaster_start_time()")
    plane.call("faults.add", type="api", operation=FAILOVERS[cloud], fault="fail-half-way", cloud=cloud)

    with pytest.raises(CloudRefusedError, match=FAILURES[cloud]):
        control.failover(instance)

    after = waiting.available(control, instance, 60)
    assert after.zone == before.zone
    assert asked(record, "SELECT pg_postmaster_start_time()") != started
    control.failover(instance)
    assert server(control, instance).zone != before.zone, "what failed once does not fail for good"


@pytest.mark.parametrize("record", ["aws"], indirect=True)  # The other clouds tell of the operation itself.
def test_a_reboot_that_nobody_took_over_in_is_waited_for_in_vain(record: Record, control: Control) -> None:
    """RDS tells of no operation; its events and zones do, not that it is available."""
    assert isinstance(control, AwsControl)
    rds: Any = vars(control)["_rds"]
    awaited = Takeover.of(rds, server(control, record.text("instance")))

    rds.reboot_db_instance(DBInstanceIdentifier=record.text("instance"))

    word, over = awaited.seen(waiting.available(control, record.text("instance"), 60))
    assert over is None
    assert word.startswith("available")


@pytest.fixture
def collected() -> Iterator[None]:
    """The vendors' libraries leave the connection of a lost answer to the collector, which other tests would hear."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("fault", ["fail-half-way", "time-out"])
def test_a_restore_that_fails_leaves_nothing_that_costs(
    record: Record, control: Control, plane: ControlPlaneClient, fault: str
) -> None:
    """Whether the cloud gave up, or its answer was lost; the words are the cloud's."""
    cloud, instance = record.text("backend"), record.text("instance")
    moment = full_second(record)
    waiting.restorable(control, instance, moment, 60)
    plane.call("faults.add", type="api", operation=RESTORES[cloud], fault=fault, cloud=cloud)

    with pytest.raises(CloudRefusedError, match="expected "):
        waiting.available(control, control.restore(instance, moment).instance, 60)

    known = plane.call("servers.list", cloud=cloud)["servers"]
    left = {each["name"]: each["status"] for each in known if MARK in each["name"]}
    if (cloud, fault) == ("aws", "fail-half-way"):  # RDS says so later, to who waits for it, and who waits discards.
        control.discard(left.popitem()[0])
    assert set(left.values()) <= {"deleting"}


def test_a_moment_is_restored_beside_and_discarded(record: Record, control: Control) -> None:
    """Without standby and protection, so that it can go."""
    instance = record.text("instance")
    waiting.available(control, instance, 60)
    moment = full_second(record)
    waiting.restorable(control, instance, moment, 60)

    made = control.restore(instance, moment)

    assert MARK in made.instance
    assert made.instance.startswith(instance)
    there = waiting.available(control, made.instance, 60)
    assert there.host not in {"", server(control, instance).host}
    assert there.adopt.endswith(made.instance.rpartition(":")[2])
    control.discard(made.instance)
    waiting.gone(control, made.instance, 60)
    assert control.find(made.instance) is None
    assert server(control, instance).available


def test_a_server_that_a_drill_kept_is_discarded_by_its_name(record: Record, control: Control) -> None:
    """Not one that the stack has adopted meanwhile."""
    moment = full_second(record)
    waiting.restorable(control, record.text("instance"), moment, 60)
    made = control.restore(record.text("instance"), moment).instance
    name, told = made.rpartition(":")[2], list[str]()
    grown = dict(record.outputs) | {"servers": {"g1": {}, "g2": {"instance": made}}}

    with pytest.raises(CloudRefusedError, match="expected a server that stack prod does not know"):
        kept.require(Record("prod", grown), control, name)
    kept.discard(control, kept.require(record, control, name), told.append)

    assert told == [f"deletion of {made}"]
    with pytest.raises(CloudRefusedError, match="but its cloud knows none"):
        kept.require(record, control, made)


def test_only_what_a_drill_has_made_is_discarded(record: Record, control: Control) -> None:
    """Whatever the name is taken from."""
    with pytest.raises(CloudRefusedError, match="expected to delete a server of a drill, with -drill- in its name"):
        control.discard(record.text("instance"))

    assert control.find(record.text("instance")) is not None


def test_a_refusal_is_in_the_clouds_own_words(record: Record, control: Control) -> None:
    """One line of it, and its code."""
    with pytest.raises(CloudRefusedError) as caught:
        control.restore(record.text("instance"), dt.datetime(2020, 1, 1, tzinfo=dt.UTC))

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("expected ")
    assert control.find(record.text("instance")) is not None


def test_a_wait_has_a_bound(record: Record, control: Control) -> None:
    """And says what it waited for."""
    never = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    if record.text("backend") == "azure":
        with pytest.raises(CloudRefusedError, match="to be deleted within 0 s; the last word is: "):
            waiting.gone(control, record.text("instance"), 0)
    else:
        with pytest.raises(CloudRefusedError, match="to become restorable within 0 s; the last word is: "):
            waiting.restorable(control, record.text("instance"), never, 0)


def test_a_stack_on_no_cloud_has_no_control_plane() -> None:
    """The message names what works on any server."""
    with pytest.raises(InvalidSettingError, match="staging is on postgres"):
        choice.of(Record("staging", {"backend": "postgres"}))


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is for drills alone."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "app.control.aws", raising=False)

    with pytest.raises(
        InvalidSettingError, match=r"boto3 cannot be found\. To install it: make environment EXTRAS=dri"
    ):
        choice.of(Record("prod", {"backend": "aws", "region": "eu-west-1"}))


def test_azure_needs_a_subscription_but_for_a_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has none."""
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID", raising=False)

    with pytest.raises(InvalidSettingError, match="expected AZURE_SUBSCRIPTION_ID to name the subscription of s"):
        choice.of(Record("prod", {"backend": "azure", "instance": "sessions"}))
