"""What stands on what: a cloud with a memory refuses, in its vendor's words, what would pull the ground away."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rehearsal.controlplane import client
from rehearsal.errors import CloudRefusalError
from rehearsal.ground import ground
from rehearsal.plugin.behaviour import Behaviour, Call
from rehearsal.values import Secret

Make = Callable[..., tuple[str, dict[str, Any]]]
Find = Callable[[str], Behaviour]
Ask = Callable[[str], Call]

AZURE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers"
VNET = f"{AZURE}/Microsoft.Network/virtualNetworks/main"
ZONE = f"{AZURE}/Microsoft.Network/privateDnsZones/x.postgres.database.azure.com"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A rehearsal, of which nothing runs at the end."""
    with ground() as made:
        yield made
        client.stop(made)


@pytest.fixture
def make(
    folder: Path, monkeypatch: pytest.MonkeyPatch, behaviour: Callable[[str], Behaviour], call: Callable[[str], Call]
) -> Make:
    """Makes a resource in the cloud; gives its id and outputs."""
    monkeypatch.setenv(client.FOLDER_VARIABLE, str(folder))
    return lambda token, **inputs: behaviour(token).create(call(token), inputs, preview=False)


@pytest.fixture
def drop(behaviour: Callable[[str], Behaviour], call: Callable[[str], Call]) -> Callable[..., None]:
    """Takes one away."""
    return lambda token, made: behaviour(token).delete(call(token), made[0], made[1])


def flexible(make: Make, name: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
    """A server of Azure's."""
    login = {"administratorLogin": "adk_owner", "administratorLoginPassword": Secret("Change-me-1")}
    place = {"resourceGroupName": "g", "serverName": name, "location": "westeurope"}
    return make("azure-native:dbforpostgresql:Server", **place, **login, **inputs)


def test_what_an_rds_instance_stands_on_stays_under_it(make: Make, drop: Callable[..., None]) -> None:
    """Its groups and its subnets; and the VPC under those."""
    vpc = make("aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16")
    subnet = make("aws:ec2/subnet:Subnet", vpcId=vpc[0], cidrBlock="10.0.0.0/24")
    group = make("aws:rds/subnetGroup:SubnetGroup", name="subnets", subnetIds=[subnet[0], "subnet-0given"])
    parameters = make("aws:rds/parameterGroup:ParameterGroup", name="parameters", family="postgres17")
    login = {"username": "adk_owner", "password": Secret("change-me")}
    groups = {"dbSubnetGroupName": "subnets", "parameterGroupName": "parameters"}
    server = make("aws:rds/instance:Instance", identifier="x", skipFinalSnapshot=True, **login, **groups)

    for token, made, words in (
        ("aws:ec2/vpc:Vpc", vpc, "DependencyViolation: The vpc 'vpc-"),
        ("aws:ec2/subnet:Subnet", subnet, "DependencyViolation: The subnet 'subnet-"),
        ("aws:rds/subnetGroup:SubnetGroup", group, "InvalidDBSubnetGroupStateFault: .* database instance: x is still"),
        ("aws:rds/parameterGroup:ParameterGroup", parameters, "InvalidDBParameterGroupState: .*group parameters"),
    ):
        with pytest.raises(CloudRefusalError, match=words):
            drop(token, made)
    drop("aws:rds/instance:Instance", server)
    drop("aws:rds/subnetGroup:SubnetGroup", group)
    drop("aws:ec2/subnet:Subnet", subnet)
    drop("aws:ec2/vpc:Vpc", vpc)


def test_a_private_cloud_sql_instance_needs_the_peering_before_it_and_holds_it(
    make: Make, drop: Callable[..., None]
) -> None:
    """And its name is not to be had again."""
    network = make("gcp:compute/network:Network", name="private")
    settings = {"ipConfiguration": {"ipv4Enabled": False, "privateNetwork": network[0]}}

    def instance() -> tuple[str, dict[str, Any]]:
        token = "gcp:sql/databaseInstance:DatabaseInstance"
        return make(token, name="x", databaseVersion="POSTGRES_17", settings=settings)

    with pytest.raises(CloudRefusalError, match="doesn't have at least 1 private services connection"):
        instance()
    service = {"service": "servicenetworking.googleapis.com", "deletionPolicy": "REMOVE_PEERING"}
    token = "gcp:servicenetworking/connection:Connection"
    peering = make(token, network=network[0], reservedPeeringRanges=["r"], **service)
    server = instance()
    with pytest.raises(CloudRefusalError, match=r"Producer services .* are still using this connection"):
        drop(token, peering)
    with pytest.raises(CloudRefusalError, match="already being used by"):
        drop("gcp:compute/network:Network", network)

    drop("gcp:sql/databaseInstance:DatabaseInstance", server)
    drop(token, peering)
    drop("gcp:compute/network:Network", network)
    with pytest.raises(CloudRefusalError, match="until one week from the deletion date"):
        instance()


def test_a_subnet_of_azure_stays_while_a_server_or_a_link_uses_it(make: Make, drop: Callable[..., None]) -> None:
    """And a server waits for the link between its zone and its network."""
    place = {"resourceGroupName": "g"}
    make("azure-native:network:VirtualNetwork", **place, virtualNetworkName="main")
    subnet = make("azure-native:network:Subnet", **place, virtualNetworkName="main", subnetName="s")
    zone_name = ZONE.rpartition("/")[2]
    zone = make("azure-native:privatedns:PrivateZone", **place, privateZoneName=zone_name)
    network = {"delegatedSubnetResourceId": subnet[0], "privateDnsZoneArmResourceId": zone[0]}
    with pytest.raises(CloudRefusalError, match="is not linked to the virtual network"):
        flexible(make, "early", network=network)
    token = "azure-native:privatedns:VirtualNetworkLink"
    names = {"privateZoneName": zone_name, "virtualNetworkLinkName": "l"}
    link = make(token, **place, **names, virtualNetwork={"id": VNET})
    server = flexible(make, "linked", network=network)

    used = "InUseSubnetCannotBeDeleted: Subnet s is in use by"
    with pytest.raises(CloudRefusalError, match=f"{used} .*/(virtualNetworkLinks/l|flexibleServers/linked)"):
        drop("azure-native:network:Subnet", subnet)
    drop("azure-native:dbforpostgresql:Server", server)
    with pytest.raises(CloudRefusalError, match=f"{used} .*/virtualNetworkLinks/l"):
        drop("azure-native:network:Subnet", subnet)
    with pytest.raises(CloudRefusalError, match="CannotDeleteResource"):
        drop("azure-native:privatedns:PrivateZone", zone)
    drop(token, link)
    drop("azure-native:network:Subnet", subnet)


def test_azure_does_one_thing_at_a_time_on_a_server(make: Make) -> None:
    """Parameters that are not chained run into each other, which is why the program chains them."""
    flexible(make, "busy")

    def parameter(name: str) -> str:
        token = "azure-native:dbforpostgresql:Configuration"
        names = {"resourceGroupName": "g", "serverName": "busy", "configurationName": name}
        try:
            return make(token, **names, value="1000", source="user-override")[0]
        except CloudRefusalError as error:
            return error.code

    wanted = ["statement_timeout", "lock_timeout", "deadlock_timeout", "idle_session_timeout"]
    with ThreadPoolExecutor(len(wanted)) as pool:
        at_once = list(pool.map(parameter, wanted))

    assert "ServerIsBusy" in at_once
    assert "ServerIsBusy" not in [parameter(name) for name in wanted]


def test_nothing_on_a_locked_server_of_azure_goes(make: Make, drop: Callable[..., None]) -> None:
    """Nor the server."""
    server = flexible(make, "locked")
    rule = make(
        "azure-native:dbforpostgresql:FirewallRule",
        resourceGroupName="g",
        serverName="locked",
        firewallRuleName="r",
    )
    token = "azure-native:authorization:ManagementLockByScope"
    lock = make(token, scope=server[0], lockName="l", level="CanNotDelete")

    for kind, made in (("FirewallRule", rule), ("Server", server)):
        with pytest.raises(CloudRefusalError, match="ScopeLocked"):
            drop(f"azure-native:dbforpostgresql:{kind}", made)
    drop(token, lock)
    drop("azure-native:dbforpostgresql:Server", server)


IMPORTED = {
    "aws:rds/instance:Instance": ({"username": "adk_owner"}, "{}", "identifier"),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        {"databaseVersion": "POSTGRES_17"},
        "projects/example-project/instances/{}",
        "name",
    ),
}
"""Inputs of a server, what an import goes by, and which input is its name."""


@pytest.mark.parametrize("token", IMPORTED)
def test_a_server_that_a_drill_restored_is_taken_in_under_its_own_name(
    make: Make, folder: Path, behaviour: Find, call: Ask, token: str
) -> None:
    """A refresh finds no other; one that is not there is not taken in."""
    source, identity, named = IMPORTED[token]
    cloud = token.partition(":")[0]
    make(token, **{named: "drilled"}, **source)
    client.connect(folder).call("servers.create", cloud=cloud, name="restored", kind="restore", source="drilled")

    taken = behaviour(token).read(call(token), identity.format("restored"), {}, {})

    assert taken is not None
    assert taken[0][named] == "restored"
    assert source.items() <= taken[0].items()
    again = behaviour(token).read(call(token), identity.format("restored"), *taken)
    assert again is not None
    assert again[0] == taken[0]
    assert behaviour(token).read(call(token), identity.format("nowhere"), {}, {}) is None
