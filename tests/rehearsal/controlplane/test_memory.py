"""Memory: what stands on what, which names are taken, which faults are to come."""

from pathlib import Path

import pytest

from rehearsal.controlplane.faults import Faults
from rehearsal.controlplane.ledger import Ledger
from rehearsal.controlplane.names import Names
from rehearsal.controlplane.things import Need, Thing, Things
from rehearsal.errors import CloudRefusalError


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty one."""
    return Ledger(tmp_path)


def test_nothing_is_made_on_what_is_not_there(ledger: Ledger) -> None:
    """The words are whoever's asks, with what is missing in them."""
    things = Things(ledger)
    missing = {"code": "InvalidSubnetID.NotFound", "message": "The subnet ID '{need}' does not exist"}

    with pytest.raises(CloudRefusalError, match=r"InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist"):
        things.put(Thing("aws", "group", "g", [Need("subnet-1", missing=missing)]))

    assert things.get("aws", "g") is None


def test_what_is_in_use_stays(ledger: Ledger) -> None:
    """Until what uses it is gone; a thing of another cloud does not count."""
    things = Things(ledger)
    things.put(Thing("aws", "subnet", "s"))
    things.put(Thing("gcp", "subnet", "s"))
    things.put(Thing("aws", "group", "g", [Need("s", in_use="{id} has dependency {by}, a {by_type}")]))

    with pytest.raises(CloudRefusalError, match="s has dependency g, a group"):
        things.remove("aws", "s")
    things.remove("gcp", "s")
    things.remove("aws", "g")
    things.remove("aws", "s")
    things.remove("aws", "s")

    assert things.all() == []


def test_a_change_may_let_go_of_what_was_needed(ledger: Ledger) -> None:
    """Only the last word on a thing counts."""
    things = Things(ledger)
    things.put(Thing("azure", "zone", "z"))
    things.put(Thing("azure", "server", "s", [Need("z")]))
    things.put(Thing("azure", "server", "s"))

    things.remove("azure", "z")

    assert [each.id for each in things.all()] == ["s"]


def test_a_name_is_taken_once_and_may_stay_reserved(ledger: Ledger) -> None:
    """Each cloud and scope has its own."""
    names = Names(ledger)
    names.take("aws", "secret", "a")
    names.take("aws", "role", "a")
    names.take("gcp", "secret", "a")

    with pytest.raises(CloudRefusalError, match="a exists"):
        names.take("aws", "secret", "a", taken="{name} exists")
    names.release("aws", "secret", "a", reserved=True)
    with pytest.raises(CloudRefusalError, match="a is scheduled for deletion"):
        names.take("aws", "secret", "a", reserved="{name} is scheduled for deletion")
    names.release("aws", "secret", "a")

    names.take("aws", "secret", "a")


def test_a_fault_comes_as_often_as_it_was_asked_for(ledger: Ledger) -> None:
    """In order, and only to what it was meant for; a restart forgets none."""
    faults = Faults(ledger)
    faults.add("aws:rds/*", "create", "throttle", times=2)
    faults.add("*", "create", "kill", cloud="aws")

    assert faults.take("aws", "aws:ec2/vpc:Vpc", "delete") is None
    assert faults.take("gcp", "gcp:sql/user:User", "create") is None
    instance = ("aws", "aws:rds/instance:Instance", "create")
    assert [faults.take(*instance) for _ in range(4)] == ["throttle", "throttle", "kill", None]


def test_a_fault_that_does_not_exist_is_refused(ledger: Ledger) -> None:
    """With those that do."""
    with pytest.raises(CloudRefusalError, match="fail-half-way"):
        Faults(ledger).add("*", "create", "explode")


def test_half_a_transaction_is_none(ledger: Ledger) -> None:
    """What one write of it fails at, none of it has written."""

    def both() -> None:
        with ledger.transaction():
            ledger.put("shelf", "a", {"value": 1})
            ledger.put("shelf", "b", {"value": object()})

    with pytest.raises(TypeError):
        both()

    assert ledger.all("shelf") == {}
