"""Postures: the defaults of a section are those of production, and these are the places where others differ."""

from collections.abc import Mapping
from typing import Any, Final, Literal

Profile = Literal["dev", "staging", "prod"]

CLOUDS: Final = ("gcp", "aws", "azure")

_CHEAP: Final[Mapping[str, Any]] = {
    "high_availability": False,
    "deletion_protection": False,
    "backup": {"retention_days": 7},
    "alerts": {"enabled": False},
    "api_processes": 1,
    "log_retention_days": 7,
}

_LIKE_PROD: Final[Mapping[str, Any]] = {"high_availability": False, "backup": {"retention_days": 7}}

_GCP_DEV: Final[Mapping[str, Any]] = {"tier": "db-g1-small", "storage": {"size_gib": 10, "max_gib": 50}}

_GCP_STAGING: Final[Mapping[str, Any]] = {"tier": "db-custom-1-3840", "storage": {"size_gib": 10, "max_gib": 100}}

_AWS_DEV: Final[Mapping[str, Any]] = {
    "instance_class": "db.t4g.micro",
    "storage": {"size_gib": 20, "max_gib": 50},
    "monitoring_interval": 0,
    "secret_recovery_days": 0,
}

_AWS_STAGING: Final[Mapping[str, Any]] = {
    "instance_class": "db.t4g.medium",
    "storage": {"size_gib": 20, "max_gib": 100},
    "secret_recovery_days": 7,
}

_AZURE_DEV: Final[Mapping[str, Any]] = {
    "sku": "Standard_B1ms",
    "storage": {"size_gib": 32, "max_gib": 64},
    "query_insights": False,
}

_AZURE_STAGING: Final[Mapping[str, Any]] = {"sku": "Standard_B2s", "storage": {"size_gib": 32, "max_gib": 128}}

DEFAULTS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "dev": {"gcp": {**_CHEAP, **_GCP_DEV}, "aws": {**_CHEAP, **_AWS_DEV}, "azure": {**_CHEAP, **_AZURE_DEV}},
    "staging": {
        "gcp": {**_LIKE_PROD, **_GCP_STAGING},
        "aws": {**_LIKE_PROD, **_AWS_STAGING},
        "azure": {**_LIKE_PROD, **_AZURE_STAGING},
    },
    "prod": {},
}
"""What a profile says where the stack file says nothing: profile, cloud, then keys as in the stack file."""


def filled(own: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a stack file, with what its profile says where they say nothing; read-only.

    Args:
        own: The decoded keys; anything may be wrong with them, which the model tells afterwards.
    """
    defaults = DEFAULTS.get(str(own.get("profile", "prod")), {})
    return {**own, **{cloud: _merged(extra, own.get(cloud, {})) for cloud, extra in defaults.items()}}


def _merged(under: Mapping[str, Any], over: Any) -> Any:
    """`over`, with what only `under` has; lists are not merged, and what is no mapping wins as it is."""
    if not isinstance(over, dict):
        return over
    both = {**under, **over}
    for key in under.keys() & over.keys():
        if isinstance(under[key], Mapping):
            both[key] = _merged(under[key], over[key])
    return both
