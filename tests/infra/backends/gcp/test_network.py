"""How clients reach Cloud SQL: built, given, Private Service Connect, public."""

from typing import Any

import pytest

BARE: dict[str, Any] = {"project": "example-project"}

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
NETWORK = "gcp:compute/network:Network"
SHARED = "projects/example-project/global/networks/shared"


def addresses(recorded: Any) -> dict[str, Any]:
    """The addresses' part of the only instance's settings."""
    found: dict[str, Any] = recorded.one(INSTANCE).inputs["settings"]["ipConfiguration"]
    return found


def test_a_server_is_private_in_a_network_of_its_own(provision: Any) -> None:
    """By default nothing has a public address."""
    recorded = provision(backend="gcp", gcp=BARE)

    assert recorded.one(NETWORK).inputs == {"autoCreateSubnetworks": False}
    assert addresses(recorded)["privateNetwork"] == "adk-sessions-id"
    assert addresses(recorded)["ipv4Enabled"] is False
    assert "authorizedNetworks" not in addresses(recorded)


def test_the_block_of_a_built_network_is_halved(provision: Any) -> None:
    """One half for Google's servers, one for clients; they may not overlap."""
    recorded = provision(backend="gcp", gcp={**BARE, "network": {"cidr": "10.80.0.0/20"}})

    google = recorded.one("gcp:compute/globalAddress:GlobalAddress").inputs
    assert (google["address"], google["prefixLength"], google["purpose"]) == ("10.80.0.0", 21, "VPC_PEERING")
    assert recorded.one("gcp:compute/subnetwork:Subnetwork").inputs["ipCidrRange"] == "10.80.8.0/21"
    assert addresses(recorded)["allocatedIpRange"] == "adk-sessions-google-1f0c2ab"


def test_a_restored_server_takes_its_address_of_the_same_range(provision: Any) -> None:
    """Another range may belong to another team."""
    servers = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    recorded = provision(backend="gcp", gcp={**BARE, "servers": servers})

    clone = recorded.named(INSTANCE, "adk-sessions-g2").inputs["clone"]
    assert clone["allocatedIpRange"] == "adk-sessions-google-1f0c2ab"


def test_a_given_network_is_left_as_it_is(provision: Any) -> None:
    """Peering and ranges of a shared network belong to whoever runs it."""
    keys = {**BARE, "network": {"id": SHARED, "allocated_range": "google-managed-services-shared"}}
    recorded = provision(backend="gcp", gcp=keys)

    assert not [each for each in recorded.resources if each.type.startswith(("gcp:compute", "gcp:servicenetworking"))]
    assert addresses(recorded)["privateNetwork"] == SHARED
    assert addresses(recorded)["allocatedIpRange"] == "google-managed-services-shared"


def test_private_service_connect_needs_no_network(provision: Any) -> None:
    """Projects that may make endpoints are named one by one."""
    recorded = provision(
        backend="gcp", gcp={**BARE, "network": {"mode": "psc", "consumer_projects": ["example-project"]}}
    )

    assert recorded.of(NETWORK) == []
    assert "privateNetwork" not in addresses(recorded)
    assert addresses(recorded)["ipv4Enabled"] is False
    assert addresses(recorded)["pscConfigs"] == [{"pscEnabled": True, "allowedConsumerProjects": ["example-project"]}]
    assert recorded.outputs["host"].startswith("private_service_connect.")


@pytest.mark.parametrize(
    ("host", "service"),
    [("example-project", {}), ("network-project", {"consumerServiceProjectId": "example-project"})],
)
def test_private_service_connect_makes_the_endpoint_of_a_given_network(
    provision: Any, host: str, service: dict[str, str]
) -> None:
    """Cloud SQL makes it there, and its name; a shared network's service project is said (sqladmin, `PscConfig`)."""
    network = f"projects/{host}/global/networks/shared"
    keys = {**BARE, "network": {"mode": "psc", "consumer_projects": ["example-project"], "id": network}}
    recorded = provision(backend="gcp", gcp=keys)

    (config,) = addresses(recorded)["pscConfigs"]
    assert config["pscAutoConnections"] == [{"consumerNetwork": network, **service}]
    assert config["pscAutoDnsEnabled"], "or nobody finds the name"
    assert recorded.named("gcp:projects/service:Service", "adk-sessions-dns")


def test_a_public_server_lets_in_whom_the_stack_file_names(provision: Any) -> None:
    """Nobody else, and nobody without TLS."""
    keys = {**BARE, "network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]}}
    recorded = provision(backend="gcp", gcp=keys)

    assert addresses(recorded)["ipv4Enabled"]
    assert [each["value"] for each in addresses(recorded)["authorizedNetworks"]] == [
        "203.0.113.0/24",
        "198.51.100.7/32",
    ]
    assert recorded.of(NETWORK) == []
    assert recorded.outputs["host"].startswith("public.")


def test_the_apis_that_are_needed_are_switched_on_and_stay_on(provision: Any) -> None:
    """Others may use them too; everything else waits for them."""
    recorded = provision(backend="gcp", gcp=BARE)

    services = recorded.of("gcp:projects/service:Service")
    assert {each.inputs["service"].partition(".")[0] for each in services} == {
        "compute",
        "logging",
        "monitoring",
        "secretmanager",
        "servicenetworking",
        "sqladmin",
    }
    assert not any(each.inputs["disableOnDestroy"] for each in services)
    assert any("Service::adk-sessions-compute" in urn for urn in recorded.one(NETWORK).dependencies)
    assert any("Service::adk-sessions-sqladmin" in urn for urn in recorded.one(INSTANCE).dependencies)


def test_apis_are_left_to_whoever_runs_the_project(provision: Any) -> None:
    """An identity with few rights may not switch anything on."""
    assert provision(backend="gcp", gcp={**BARE, "enable_apis": False}).of("gcp:projects/service:Service") == []
