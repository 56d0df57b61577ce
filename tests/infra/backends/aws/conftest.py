"""What AWS computes, for the recorder."""

from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT = "123456789012"
REGION = "eu-west-1"


@pytest.fixture
def computed() -> Callable[[str, str, dict[str, Any]], dict[str, Any]]:
    """Identifiers, ARNs and endpoints in the form that AWS gives them."""
    return outputs


def outputs(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What AWS adds to the inputs of a resource."""
    short = kind.rpartition(":")[2]
    service = {"Secret": "secretsmanager", "Topic": "sns", "Key": "kms", "Role": "iam", "Policy": "iam"}.get(short, "x")
    arn = {"arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"}
    match short:
        case "RandomId":
            return {"hex": f"{inputs['prefix']}0a1b2c3d"}
        case "RandomPassword":
            return {"result": f"change-me-{name}"}
        case "Instance":
            return _instance(name, inputs)
        case "ParameterGroup" | "SubnetGroup" | "Role" | "Topic":
            return {**arn, "name": f"{name}-1a2b3c4"}
        case _:
            return arn


def _instance(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    identifier = inputs["identifier"]
    secret = {"secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-1"}
    return {
        "arn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{identifier}",
        "address": f"{identifier}.abc.{REGION}.rds.amazonaws.com",
        "resourceId": f"db-{name.upper()}",
        "engineVersionActual": f"{inputs.get('engineVersion', '17')}.6",
        "masterUserSecrets": [secret] if inputs.get("manageMasterUserPassword") else [],
    }
