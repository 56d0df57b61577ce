"""Rules about who can reach a server, and how."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.policy.rule import UNKNOWN, Resource, Rule, same, texts
from infra.policy.servers import AWS, AZURE, GCP

_PARAMETERS: Final = "aws:rds/parameterGroup:ParameterGroup"
_CONFIGURATION: Final = "azure-native:dbforpostgresql:Configuration"
_FIREWALL: Final = "azure-native:dbforpostgresql:FirewallRule"

_LABELS: Final = frozenset({"labels", "tags", "userLabels"})
"""Words of the user's own, by the names that the three clouds have for them."""

_WIDEST: Final = 65_536
"""As many addresses as a /16 has; more are no list of clients any more."""


def _private_on_azure(server: Resource) -> bool:
    return server.says("network.publicNetworkAccess", "Disabled") or (
        server.at("network.delegatedSubnetResourceId") is not None
        and server.at("network.publicNetworkAccess") != "Enabled"
    )


def _closed(resource: Resource) -> bool:
    return not any(_whole_internet(text) for text in texts(_unlabelled(resource.inputs)))


def _unlabelled(value: Any) -> Any:
    """Inputs without labels, which let nobody in, whatever they say."""
    if isinstance(value, Mapping):
        return {key: _unlabelled(each) for key, each in value.items() if key not in _LABELS}
    return [_unlabelled(each) for each in value] if isinstance(value, list | tuple) else value


def _whole_internet(text: str) -> bool:
    return text.strip() in {"0.0.0.0/0", "::/0"}


def _narrow(rule: Resource) -> bool:
    """Azure has ranges instead of blocks, and a range of 0.0.0.0 alone lets in every tenant of Azure."""
    first, last = rule.at("startIpAddress"), rule.at("endIpAddress")
    if first is UNKNOWN or last is UNKNOWN:
        return True
    low, high = int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last))
    return low > 0 and high - low < _WIDEST


def _named(entries: Any) -> Iterator[tuple[Any, Any]]:
    """Names and values of a list of parameters."""
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping):
            yield entry.get("name"), entry.get("value")


def _forced_ssl(group: Resource) -> bool:
    values = dict(_named(group.at("parameters")))
    return values.get("rds.force_ssl") in ("1", 1, UNKNOWN) or group.at("parameters") is UNKNOWN


def _secure_transport(configuration: Resource) -> bool:
    if configuration.at("configurationName") != "require_secure_transport":
        return True
    value = configuration.at("value")
    return value is UNKNOWN or str(value).lower() == "on"


RULES: Final = (
    Rule(
        name="private-network",
        expected="a server without a public address",
        severity="critical",
        controls=("CIS Google Cloud 6.6", "AWS Security Hub RDS.2", "MCSB NS-2"),
        fixes=same("network.mode", "{network: {mode: private}}"),
        each={
            GCP: lambda server: server.off("settings.ipConfiguration.ipv4Enabled"),
            AWS: lambda server: server.off("publiclyAccessible"),
            AZURE: _private_on_azure,
        },
    ),
    Rule(
        name="open-access",
        expected="blocks of addresses that you know, never the whole internet",
        severity="critical",
        everywhere=True,
        controls=("CIS Google Cloud 6.5", "CIS AWS 5.2", "MCSB NS-2"),
        fixes=same("network.allowed_cidrs", "{network: {mode: public, allowed_cidrs: [203.0.113.0/24]}}"),
        each={"*": _closed, _FIREWALL: _narrow},
    ),
    Rule(
        name="tls",
        expected="a server that takes no connection without TLS",
        severity="critical",
        everywhere=True,
        controls=("CIS Google Cloud 6.4", "MCSB DP-3"),
        fixes=same("parameters", "{parameters: {}}"),
        each={
            GCP: lambda server: server.says(
                "settings.ipConfiguration.sslMode", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
            ),
            _PARAMETERS: _forced_ssl,
            _CONFIGURATION: _secure_transport,
        },
    ),
)
