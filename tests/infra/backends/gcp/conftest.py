"""What Cloud SQL and its neighbours compute, for recordings of the gcp backend."""

from typing import Any

import pytest

PROJECT = "example-project"

CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def _instance(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    physical = inputs.get("name") or f"{name}-1f0c2ab"
    addresses = inputs["settings"]["ipConfiguration"]
    kinds = {
        "PUBLIC": addresses.get("ipv4Enabled"),
        "PRIVATE_SERVICES_ACCESS": addresses.get("privateNetwork"),
        "PRIVATE_SERVICE_CONNECT": addresses.get("pscConfigs"),
    }
    return {
        "name": physical,
        "connectionName": f"{PROJECT}:{inputs['region']}:{physical}",
        "dnsName": "",
        "dnsNames": [
            {"name": f"{kind.lower()}.{physical}.sql.goog.", "connectionType": kind, "dnsScope": "INSTANCE"}
            for kind, there in kinds.items()
            if there
        ],
        "privateIpAddress": "10.64.0.3",
        "publicIpAddress": "198.51.100.7",
        "serverCaCerts": [{"cert": CA}],
    }


@pytest.fixture
def computed() -> Any:
    """Gives the outputs that Google Cloud computes."""

    def compute(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        match kind:
            case "gcp:sql/databaseInstance:DatabaseInstance":
                return _instance(name, inputs)
            case "gcp:secretmanager/secret:Secret":
                return {"name": f"projects/{PROJECT}/secrets/{name}-1f0c2ab", "secretId": f"{name}-1f0c2ab"}
            case "gcp:compute/globalAddress:GlobalAddress" | "gcp:logging/metric:Metric":
                return {"name": f"{name}-1f0c2ab"}
            case "gcp:projects/serviceIdentity:ServiceIdentity":
                return {"member": f"serviceAccount:{inputs['service']}"}
            case "random:index/randomPassword:RandomPassword":
                return {"result": f"change-me-{name}"}
            case _:
                return {}

    return compute
