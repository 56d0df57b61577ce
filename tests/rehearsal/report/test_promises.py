"""Each promise is held where everything is as it should be, broken where one thing is not, and unknown before."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.errors import ReportError
from rehearsal.report import promises
from rehearsal.report.drills import read
from rehearsal.report.findings import Findings, Kept, Remains, Scan, Served, Up
from rehearsal.report.record import Outcome

Break = Callable[[Findings], Any]


def load(drill: str, **fields: Any) -> Break:
    """Changes the load of a drill."""

    def change(findings: Findings) -> None:
        number = [each.drill for each in findings.drills].index(drill)
        old = findings.drills[number]
        findings.drills[number] = dataclasses.replace(old, load=dataclasses.replace(old.load, **fields))

    return change


def restore(**fields: Any) -> Break:
    """Changes what the drill `restore` found."""

    def change(findings: Findings) -> None:
        old = findings.drills[1]
        assert old.restore is not None
        findings.drills[1] = dataclasses.replace(old, restore=dataclasses.replace(old.restore, **fields))

    return change


def put(**fields: Any) -> Break:
    """Changes the findings."""
    return lambda findings: vars(findings).update(fields)


BREAKS: dict[str, tuple[str, Break]] = {
    "an event lost in the failover": ("Acknowledged events lost", load("failover", lost=1)),
    "an event doubled in the rotation": ("Acknowledged events lost", load("rotate", duplicated=1)),
    "an event missing in the restored server": ("Restore to a moment", restore(missing=1)),
    "an event from after the mark": ("Restore to a moment", restore(unexpected=1)),
    "nothing before the mark": ("Restore to a moment", restore(expected=0)),
    "a turn missing in g2": ("Restore to a moment", put(restored=Kept(6, 5))),
    "a turn from after the moment in g2": ("Restore to a moment", put(restored=Kept(6, 6, beyond=1))),
    "turns in another order in g2": ("Restore to a moment", put(restored=Kept(6, 6, moved=True))),
    "no turn to restore": ("Restore to a moment", put(restored=Kept(0, 0))),
    "a request failed in the rotation": ("Failed requests in a rotation", load("rotate", errors={"RoleError": 1})),
    "a change after the failover": ("Changes in a second up", put(unchanged=[Up("the failover", {"update": 1})])),
    "a turn lost by the restart": ("Sessions after a restart", put(served=[Served("a restart", Kept(5, 4))])),
    "a turn doubled by the restart": ("Sessions after a restart", put(served=[Served("it", Kept(5, 5, beyond=1))])),
    "turns moved by the restart": ("Sessions after a restart", put(served=[Served("it", Kept(5, 5, moved=True))])),
    "a destroy that was not refused": ("Deletions refused", put(refused={"retirement": True, "destroy": False})),
    "a certificate that nobody checks": ("Certificates checked", put(sslmodes={"g1": "require"})),
    "a password in a log": ("Secrets in clear", put(scan=Scan(6, {"logs": "80 KB"}, ("server.log",)))),
    "no password to look for": ("Secrets in clear", put(scan=Scan(0, {"logs": "80 KB"}, ()))),
    "a server left over": ("Left over after destroy", put(remains=Remains(("server g1",), (), ("a", "b"), 2))),
    "a final backup that was not taken": ("Left over after destroy", put(remains=Remains((), (), ("a",), 2))),
}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (["a", "b", "c"], "3 of 3"),
        (["a", "b"], "2 of 3"),
        (["a", "b", "c", "d"], "3 of 3, 1 too many"),
        (["a", "b", "b", "c"], "3 of 3, 1 too many"),
        (["a", "b", "C"], "2 of 3, 1 too many"),
        (["b", "a", "c"], "3 of 3, out of order"),
        ([], "0 of 3"),
    ],
)
def test_turns_are_kept_only_where_they_are_exactly_what_they_were(found: list[str], told: str) -> None:
    """None missing, too many, doubled, altered or elsewhere."""
    kept = Kept.of(["a", "b", "c"], found)

    assert kept.told == told
    assert kept.whole == (found == ["a", "b", "c"])


def test_all_is_held_where_all_is_as_it_should_be(findings: Findings) -> None:
    """Without a value left open."""
    judged = promises.judged(findings)

    assert [each.name for each in judged if each.outcome is not Outcome.HELD] == []
    assert len(judged) == 12


@pytest.mark.parametrize("what", list(BREAKS))
def test_one_thing_breaks_one_promise(what: str, findings: Findings) -> None:
    """And no other one."""
    name, change = BREAKS[what]
    change(findings)

    assert [each.name for each in promises.judged(findings) if each.outcome is Outcome.BROKEN] == [name]


def test_nothing_is_promised_of_what_was_not_reached() -> None:
    """Before the first step every verdict is open, and none is held."""
    judged = promises.judged(Findings())

    assert {each.outcome for each in judged} == {Outcome.UNKNOWN}


def test_events_are_called_kept_only_after_all_drills(findings: Findings) -> None:
    """Two of three prove nothing about the third."""
    findings.drills.pop()

    lost = next(each for each in promises.judged(findings) if each.name == "Acknowledged events lost")
    assert lost.outcome is Outcome.UNKNOWN


def test_what_is_no_drill_s_report_is_refused_by_the_place_that_differs(answers: dict[str, dict[str, Any]]) -> None:
    """In one line, without the content."""
    del answers["failover"]["load"]["acknowledged"]

    with pytest.raises(ReportError, match=r"^expected the report of a drill, .*: load\.acknowledged: Field required$"):
        read(answers["failover"])
