"""A step knows by what it brought home whether a promise is broken."""

import dataclasses

import pytest

from rehearsal.report import broken
from rehearsal.report.findings import Findings, Kept, Remains, Scan, Served, Up

BREAKS = [
    ({"unchanged": [Up("the failover", {"update": 1})]}, "after the failover there was something to change: 1 to upd"),
    ({"served": [Served("a restart", Kept(5, 4))]}, "after a restart the conversation is not the one before: 4 of 5 t"),
    ({"restored": Kept(6, 6, moved=True)}, "the restored server has not the conversation of its moment: 6 of 6, out"),
    ({"restored": Kept(0, 0)}, "the restored server has not the conversation of its moment: 0 of 0"),
    ({"refused": {"retirement": False}}, "the retirement of a protected server was not refused"),
    ({"sslmodes": {"g1": "require"}}, "the URI of g1 has sslmode=require, not verify-full"),
    ({"scan": Scan(6, {"logs": "80 KB"}, ("server.log",))}, "passwords in clear in server.log"),
    ({"scan": Scan(0, {"logs": "80 KB"}, ())}, "there was no password to look for"),
    ({"remains": Remains(("server g1",), (), ("a",), 1)}, "after destroy there is still server g1"),
    ({"remains": Remains((), (), ("a",), 2)}, "2 final backups were expected, and 1 are there"),
]


@pytest.mark.parametrize(("fields", "told"), BREAKS)
def test_each_finding_that_breaks_a_promise_is_a_sentence(
    findings: Findings, fields: dict[str, object], told: str
) -> None:
    """And only that one."""
    assert list(broken.sentences(findings)) == []

    vars(findings).update(fields)

    (found,) = broken.sentences(findings)
    assert found.startswith(told)


def test_what_a_drill_says_is_broken_is_passed_on(findings: Findings) -> None:
    """The same sentence twice is two."""
    findings.drills[:] = [dataclasses.replace(each, broken=("2 events were lost",)) for each in findings.drills[:2]]

    assert broken.added(["2 events were lost"], list(broken.sentences(findings))) == ["2 events were lost"]
