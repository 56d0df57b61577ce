"""The rules in the form of pulumi-policy, which only the policy pack's own environment has."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
import pulumi_policy as sdk  # type: ignore[import-not-found]  # Only in the pack's own environment.
from pulumi_policy import proxy

from infra.layout import PROJECT
from infra.policy import RULES, violations
from infra.policy.rule import UNKNOWN, Posture, Resource, Rule, server_names

_SEVERITY: Final = {"critical": sdk.Severity.CRITICAL, "high": sdk.Severity.HIGH, "medium": sdk.Severity.MEDIUM}

Report = Callable[..., None]


def pack() -> None:
    """Serve the pack to the engine, until it stops us."""
    sdk.PolicyPack(
        name=PROJECT,
        enforcement_level=sdk.EnforcementLevel.MANDATORY,
        policies=[policy for rule in RULES for policy in policies(rule)],
    )


def policies(rule: Rule) -> list[sdk.Policy]:
    """A rule as one policy for each resource, one for all of them, or both; read-only."""
    made: list[sdk.Policy] = []
    words: dict[str, Any] = {
        "description": f"Expected {rule.expected}.",
        "severity": _SEVERITY[rule.severity],
        "tags": [*rule.controls, "everywhere" if rule.everywhere else "floor of profile prod"],
    }
    if rule.each:
        made.append(sdk.ResourceValidationPolicy(name=rule.name, validate=_each(rule), **words))
    if rule.stack:
        name = f"{rule.name}-of-the-stack" if rule.each else rule.name
        made.append(sdk.StackValidationPolicy(name=name, validate=_stack(rule), **words))
    return made


def _each(rule: Rule) -> Callable[[sdk.ResourceValidationArgs, Report], None]:
    def validate(args: sdk.ResourceValidationArgs, report: Report) -> None:
        resource = Resource(args.resource_type, args.name, _plain(args.props), bool(args.opts.protect))
        for found in violations([resource], posture(), complete=False):
            if found.rule is rule:
                report(found.line(pulumi.get_project(), pulumi.get_stack()))

    return validate


def _stack(rule: Rule) -> Callable[[sdk.StackValidationArgs, Report], None]:
    def validate(args: sdk.StackValidationArgs, report: Report) -> None:
        resources = [
            Resource(each.resource_type, each.name, _plain(each.props), bool(each.opts.protect))
            for each in args.resources
        ]
        for found in violations(resources, posture()):
            if found.rule is rule and not found.where:
                report(found.line(pulumi.get_project(), pulumi.get_stack()))

    return validate


def posture() -> Posture:
    """What the stack's configuration says about its rules; read-only."""
    config = pulumi.runtime.get_config_env()
    own = {key.partition(":")[2]: value for key, value in config.items() if key.startswith(f"{PROJECT}:")}
    section = _decoded(own.get(own.get("backend", ""), "{}"))
    servers = section.get("servers") or []
    leaving = {
        each["id"]
        for each in servers
        if each.get("deletion_protection") is False and each["id"] != section.get("active", "g1")
    }
    prefixes = {"adk-sessions", section.get("server_prefix", "adk-sessions")}
    staying = {each["id"] for each in servers} - leaving
    names = (server_names(prefixes, ids) for ids in (leaving, staying))
    return Posture(own.get("profile", "prod"), _decoded(own.get("waivers", "{}")), *names)


def _decoded(text: str) -> dict[str, Any]:
    decoded = json.loads(text)
    return decoded if isinstance(decoded, dict) else {}


def _plain(value: Any) -> Any:
    """Inputs as rules take them: what a preview cannot know as `UNKNOWN` instead of an error on access."""
    value = _unwrapped(value)
    if isinstance(value, str) and proxy._is_unknown(value):  # noqa: SLF001  # The only way to ask.
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _unwrapped(value: Any) -> Any:
    """The value behind a proxy of pulumi-policy, which has a word for that."""
    return value["__target"] if isinstance(value, proxy._DictProxy | proxy._ListProxy) else value  # noqa: SLF001
