"""What has been found that breaks a promise, in sentences: a step that brings one home is shown as broken."""

from collections import Counter
from collections.abc import Iterator

from rehearsal.report.findings import Findings, Remains, Scan


def sentences(findings: Findings) -> Iterator[str]:
    """One for each; pure.

    Args:
        findings: What the steps have brought home so far.
    """
    yield from (sentence for drill in findings.drills for sentence in drill.broken)
    for up in findings.unchanged:
        if up.changes:
            changes = ", ".join(f"{count} to {name}" for name, count in up.changes.items())
            yield f"after {up.after} there was something to change: {changes}"
    for each in findings.served:
        if not each.kept.whole:
            yield f"after {each.after} the conversation is not the one before: {each.kept.told} turns found"
    if findings.restored and not findings.restored.whole:
        yield f"the restored server has not the conversation of its moment: {findings.restored.told} turns found"
    yield from (f"the {what} of a protected server was not refused" for what, so in findings.refused.items() if not so)
    for generation, mode in findings.sslmodes.items():
        if mode != "verify-full":
            yield f"the URI of {generation} has sslmode={mode}, not verify-full"
    yield from _in_clear(findings.scan)
    yield from _left(findings.remains)


def added(before: list[str], after: list[str]) -> list[str]:
    """The sentences that came between, in order; the same one may come twice.

    >>> added(["one"], ["one", "two", "one"])
    ['one', 'two']
    """
    return list((Counter(after) - Counter(before)).elements())


def _in_clear(scan: Scan | None) -> Iterator[str]:
    if scan and scan.found:
        yield f"passwords in clear in {', '.join(scan.found)}"
    elif scan and not scan.passwords:
        yield "there was no password to look for"


def _left(remains: Remains | None) -> Iterator[str]:
    if remains and remains.left:
        yield f"after destroy there is still {', '.join(remains.left)}"
    if remains and len(remains.backups) != remains.expected_backups:
        yield f"{remains.expected_backups} final backups were expected, and {len(remains.backups)} are there"
