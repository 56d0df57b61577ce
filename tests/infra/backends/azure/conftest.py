"""What Azure computes, for recordings of its backend."""

from typing import Any

import pytest

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

TENANT = "99999999-9999-9999-9999-999999999999"

OBJECT = "11111111-1111-1111-1111-111111111111"

_NAMES = {
    "azure-native:dbforpostgresql:Server": "serverName",
    "azure-native:dbforpostgresql:VirtualEndpoint": "virtualEndpointName",
    "azure-native:keyvault:Secret": "secretName",
    "azure-native:keyvault:Vault": "vaultName",
    "azure-native:managedidentity:UserAssignedIdentity": "resourceName",
    "azure-native:resources:ResourceGroup": "resourceGroupName",
}


def _computed(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    if kind.startswith("random:"):
        return {
            "result": f"change-me-{name}" if "Password" in kind else "22222222-2222-2222-2222-222222222222",
            "hex": "1f0c2abd",
        }
    if not kind.startswith("azure-native:"):
        return {}
    physical = inputs.get(_NAMES.get(kind, "name")) or f"{name}1f0c2abd"
    match kind.rpartition(":")[2]:
        case "Server":
            return {"name": physical, "fullyQualifiedDomainName": f"{physical}.postgres.database.azure.com"}
        case "UserAssignedIdentity":
            return {"name": physical, "principalId": f"object-of-{name}", "tenantId": TENANT}
        case _:
            return {"name": physical}


@pytest.fixture
def computed() -> Any:
    """Gives the outputs that Azure computes."""
    return _computed
