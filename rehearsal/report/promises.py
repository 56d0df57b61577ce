"""From what was found to the verdict on each promise; pure."""

from collections.abc import Callable
from typing import Final

from rehearsal.report.drills import Load
from rehearsal.report.findings import Findings, Kept
from rehearsal.report.record import Outcome, Promise

Judge = Callable[[Findings, str], Promise | None]
"""Takes a promise's name besides; None where nothing was found that it could judge."""

_NOT_REACHED: Final = "the rehearsal did not come so far"

_SERVERS: Final = ("failover", "restore", "rotate")
"""The drills whose writers count; all of them have to have run before nothing is called lost."""


def judged(findings: Findings) -> tuple[Promise, ...]:
    """The verdicts, in the order in which a reader asks for them.

    Args:
        findings: What the steps brought home.
    """
    judges: dict[str, Judge] = {
        "Acknowledged events lost": _lost,
        "Gap in a failover, p50 / p100": _gap,
        "Restore to a moment": _exact,
        "RTO of a restore": _rto,
        "RPO of a restore": _rpo,
        "Failed requests in a rotation": _failed,
        "Changes in a second up": _changes,
        "Sessions after a restart": _kept,
        "Deletions refused": _refused,
        "Certificates checked": _verified,
        "Secrets in clear": _secrets,
        "Left over after destroy": _left,
    }
    return tuple(
        judge(findings, name) or Promise(name, "?", "", _NOT_REACHED, Outcome.UNKNOWN) for name, judge in judges.items()
    )


def _outcome(*, held: bool) -> Outcome:
    return Outcome.HELD if held else Outcome.BROKEN


def _lost(findings: Findings, name: str) -> Promise | None:
    if {each.drill for each in findings.drills} != set(_SERVERS):
        return None
    loads = list(findings.loads())
    lost, wrong = sum(each.lost for each in loads), sum(_wrong(each) for each in loads)
    acknowledged = sum(each.acknowledged for each in loads)
    told = f"of {acknowledged:,} through failover, restore and rotation; {wrong} doubled, altered or never sent"
    return Promise(name, f"{lost:,}", "0 allowed", told, _outcome(held=not lost and not wrong and acknowledged > 0))


def _wrong(load: Load) -> int:
    return load.duplicated + load.unexpected + load.altered + load.torn


def _gap(findings: Findings, name: str) -> Promise | None:
    drill = findings.drill("failover")
    if drill is None or drill.failover is None:
        return None
    found = drill.failover
    told = (
        f"the median writer's longest wait, and the worst one's; the cloud called it done after "
        f"{found.completed_at - found.requested_at:.1f} s"
    )
    value = f"{found.gap_seconds.p50:.2f} / {found.gap_seconds.p100:.2f} s"
    return Promise(name, value, "", told, _outcome(held=drill.held))


def _exact(findings: Findings, name: str) -> Promise | None:
    drill = findings.drill("restore")
    if drill is None or drill.restore is None or findings.restored is None:
        return None
    found, code = drill.restore, findings.restored
    missing = found.missing + code.turns - code.found
    beyond = found.unexpected + code.beyond
    told = f"of {found.expected:,} events of the drill, and of {code.turns} turns in the server of the stack file"
    value = "exact" if not missing and not beyond else f"{missing} missing, {beyond} too many"
    value = "out of order" if code.moved and value == "exact" else value
    held = not missing and not beyond and code.whole and found.altered == found.torn == 0 and found.expected > 0
    return Promise(name, value, "all before, none after", told, _outcome(held=held))


def _rto(findings: Findings, name: str) -> Promise | None:
    drill = findings.drill("restore")
    if drill is None or drill.restore is None:
        return None
    found = drill.restore
    told = (
        f"from the request until the data was read and compared; available after {found.available_after_seconds:.1f} s"
    )
    return Promise(name, f"{found.rto_seconds:.1f} s", "", told, _outcome(held=drill.held))


def _rpo(findings: Findings, name: str) -> Promise | None:
    drill = findings.drill("restore")
    if drill is None or drill.restore is None:
        return None
    found = drill.restore
    value = "not told" if found.rpo_seconds is None else f"{found.rpo_seconds:.1f} s"
    waited = found.restorable_after_seconds
    told = "the age of the latest moment that could be restored"
    told += "" if waited is None else f"; the mark could be after {waited:.1f} s"
    return Promise(name, value, "", told, _outcome(held=drill.held))


def _failed(findings: Findings, name: str) -> Promise | None:
    drill = findings.drill("rotate")
    if drill is None or drill.rotate is None:
        return None
    failed = sum(sum(each.errors.values()) + each.unanswered for each in drill.loads)
    roles, events = drill.rotate.role, sum(each.acknowledged for each in drill.loads)
    told = f"of {events:,} while the app went from {roles.before} to {roles.after}"
    return Promise(name, f"{failed:,}", "0 allowed", told, _outcome(held=not failed and events > 0))


def _changes(findings: Findings, name: str) -> Promise | None:
    if not findings.unchanged:
        return None
    changes = sum(sum(each.changes.values()) for each in findings.unchanged)
    after = ", ".join(dict.fromkeys(each.after for each in findings.unchanged))
    return Promise(
        name, f"{changes}", "0 allowed", f"{len(findings.unchanged)} runs, after {after}", _outcome(held=not changes)
    )


def _kept(findings: Findings, name: str) -> Promise | None:
    if not findings.served:
        return None
    kept = [each.kept for each in findings.served]
    whole = Kept(
        sum(each.turns for each in kept),
        sum(each.found for each in kept),
        sum(each.beyond for each in kept),
        any(each.moved for each in kept),
    )
    after = " and ".join(each.after for each in findings.served)
    held = all(each.whole for each in kept)
    return Promise(name, whole.told, "", f"turns over HTTP, after {after}", _outcome(held=held))


def _refused(findings: Findings, name: str) -> Promise | None:
    if not findings.refused:
        return None
    refused = [what for what, so in findings.refused.items() if so]
    told = f"of protected servers: {', '.join(findings.refused)}"
    held = len(refused) == len(findings.refused)
    return Promise(name, f"{len(refused)} of {len(findings.refused)}", "", told, _outcome(held=held))


def _verified(findings: Findings, name: str) -> Promise | None:
    if not findings.sslmodes:
        return None
    told = f"how the URI of {' and of '.join(findings.sslmodes)} checks its server's certificate and host name"
    modes = dict.fromkeys(findings.sslmodes.values())
    return Promise(name, ", ".join(modes), "", told, _outcome(held=list(modes) == ["verify-full"]))


def _secrets(findings: Findings, name: str) -> Promise | None:
    scan = findings.scan
    if scan is None:
        return None
    where = scan.found or tuple(f"{place} ({size})" for place, size in scan.places.items())
    held = not scan.found and scan.passwords > 0
    told = f"{scan.passwords} passwords looked for in {', '.join(where)}" if held else f"in {', '.join(where)}"
    return Promise(name, f"{len(scan.found)}", "0 allowed", told, _outcome(held=held))


def _left(findings: Findings, name: str) -> Promise | None:
    remains = findings.remains
    if remains is None:
        return None
    backups = f"{len(remains.backups)} final backups, {remains.expected_backups} expected"
    kept = f"; on purpose: {', '.join(remains.kept)}" if remains.kept else ""
    told = f"{', '.join(remains.left)}; {backups}" if remains.left else f"{backups}{kept}"
    held = not remains.left and len(remains.backups) == remains.expected_backups
    return Promise(name, f"{len(remains.left)}", "0 allowed", told, _outcome(held=held))
