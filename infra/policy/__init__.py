"""What every database here keeps to: rules as plain functions of a type and its inputs, and where they are asked.

The same rules are asked in the program (`enforcement`), in the Pulumi policy pack (`pack/`) and in the tests. They
import neither Pulumi nor a cloud's package.

rule        what a rule, a resource and a violation are
servers     standby, backups, protection, encryption
network     who can reach a server, and how
access      who may read a secret
alerts      who hears of trouble
"""

from collections.abc import Iterator, Sequence
from typing import Final

from infra.policy import access, alerts, network, servers
from infra.policy.rule import Posture, Resource, Rule, Violation

__all__ = ["FLOORS", "RULES", "Posture", "Resource", "Rule", "Violation", "idle_waivers", "violations"]

RULES: Final = (*servers.RULES, *network.RULES, *access.RULES, *alerts.RULES)

FLOORS: Final = tuple(rule.name for rule in RULES if not rule.everywhere)
"""The rules that hold in production alone, and that a waiver can lift there."""


def violations(resources: Sequence[Resource], posture: Posture, *, complete: bool = True) -> Iterator[Violation]:
    """What is wrong with these resources under a posture; read-only.

    Args:
        resources: What the program registers.
        posture: What the stack file says.
        complete: Whether these are all resources, so that what is missing is missing.
    """
    for rule in RULES:
        if posture.asks(rule):
            yield from _violations(rule, resources, posture, complete=complete)


def idle_waivers(resources: Sequence[Resource], posture: Posture) -> list[str]:
    """Names of waivers that nothing needs; read-only.

    Args:
        resources: All that the program registers.
        posture: What the stack file says.
    """
    unwaived = Posture(posture.profile, {}, posture.retiring)
    needed = {violation.rule.name for violation in violations(resources, unwaived)}
    return [name for name in posture.waivers if name not in needed]


def _violations(rule: Rule, resources: Sequence[Resource], posture: Posture, *, complete: bool) -> Iterator[Violation]:
    for resource in resources:
        excused = rule.name == "deletion-protection" and posture.retires(resource)
        if not excused and not rule.holds(resource):
            yield Violation(rule, resource.cloud, resource.name)
    if rule.stack is None or not complete:
        return
    for cloud in sorted({resource.cloud for resource in resources} - {""}):
        if not rule.stack([resource for resource in resources if resource.cloud == cloud]):
            yield Violation(rule, cloud)
