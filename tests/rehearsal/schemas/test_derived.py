"""The schema derived from the installed SDKs, on a few types of resources whose schema was looked up by hand."""

import pytest

from rehearsal.errors import SchemaError
from rehearsal.schemas.judge import Judge
from rehearsal.schemas.kinds import Choice, ListOf, MapOf, Object, OneOf, Scalar
from rehearsal.schemas.sdk import resource_schema
from rehearsal.values import UNKNOWN, Secret

_SERVER = ("pulumi_azure_native", "azure-native:dbforpostgresql:Server")


@pytest.mark.parametrize(
    ("package", "token", "count", "required"),
    [
        ("pulumi_aws", "aws:rds/instance:Instance", 73, {"instanceClass"}),
        ("pulumi_gcp", "gcp:sql/databaseInstance:DatabaseInstance", 28, {"databaseVersion"}),
        ("pulumi_azure_native", "azure-native:dbforpostgresql:Server", 23, {"resourceGroupName"}),
        ("pulumi_random", "random:index/randomPassword:RandomPassword", 12, {"length"}),
    ],
)
def test_the_servers_have_the_inputs_that_their_schemas_list(
    package: str, token: str, count: int, required: set[str]
) -> None:
    """Numbers and required keys as in the vendors' published schemas of these versions."""
    inputs = resource_schema(package, token).inputs

    assert (len(inputs.fields), set(inputs.required)) == (count, required)


def test_an_open_enum_counts_as_closed() -> None:
    """`Union[str, Enum]` lets any text pass in the SDK; a rehearsal takes the enum at its word."""
    kind = resource_schema(*_SERVER).inputs.fields["version"]

    assert kind == Choice(("18", "17", "16", "15", "14", "13", "12", "11"))


def test_nested_lists_maps_and_objects_are_followed() -> None:
    """A nested class is an object with fields of its own."""
    instance = resource_schema("pulumi_gcp", "gcp:sql/databaseInstance:DatabaseInstance").inputs
    settings = instance.fields["settings"]

    assert isinstance(settings, Object)
    flags = settings.fields["databaseFlags"]
    assert isinstance(flags, ListOf)
    assert isinstance(flags.item, Object)
    assert flags.item.required == {"name", "value"}
    assert settings.fields["userLabels"] == MapOf(Scalar("string"))


def test_a_union_of_objects_keeps_its_kinds_and_their_constants() -> None:
    """An alarm's criteria say by a constant what they are."""
    criteria = resource_schema("pulumi_azure_native", "azure-native:monitor:MetricAlert").inputs.fields["criteria"]

    assert isinstance(criteria, OneOf)
    constants = {kind.constants["odataType"] for kind in criteria.kinds if isinstance(kind, Object)}
    assert "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria" in constants


def test_what_the_sdk_marks_secret_is_known() -> None:
    """Inputs that the SDK wraps, and outputs that it has the engine mark."""
    instance = resource_schema("pulumi_aws", "aws:rds/instance:Instance")
    password = resource_schema("pulumi_random", "random:index/randomPassword:RandomPassword")

    assert instance.secret_inputs == {"password", "passwordWo"}
    assert password.secret_outputs == {"result", "bcryptHash"}


def test_a_type_that_the_sdk_does_not_have_is_refused_by_name() -> None:
    """Nothing is derived for a misspelt token."""
    with pytest.raises(SchemaError, match="aws:rds/instance:Instanz is no type of pulumi_aws"):
        resource_schema("pulumi_aws", "aws:rds/instance:Instanz")


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"resourceGroupName": "rg", "storag": {}}, "storag", 'did you mean "storage"?'),
        ({}, "resourceGroupName", "requires it"),
        ({"resourceGroupName": 7}, "resourceGroupName", "a value of type string, got 7"),
        ({"resourceGroupName": "rg", "storage": []}, "storage", "expected an object (Storage)"),
        ({"resourceGroupName": "rg", "storage": {"storageSizeGB": 1.5}}, "storage.storageSizeGB", "type integer"),
        ({"resourceGroupName": "rg", "storage": {"storageSizeGB": True}}, "storage.storageSizeGB", "type integer"),
        ({"resourceGroupName": "rg", "tags": {"team": 1}}, "tags.team", "type string"),
        ({"resourceGroupName": "rg", "sku": {"name": "B1", "tier": "Big"}}, "sku.tier", "one of 'Burstable'"),
    ],
)
def test_what_the_schema_does_not_allow_is_refused_where_it_stands(
    inputs: dict[str, object], path: str, reason: str
) -> None:
    """Unknown and missing keys, types and enums, each with its path and what was expected."""
    refusals = list(Judge().refusals(inputs, resource_schema(*_SERVER).inputs))

    assert [refusal.path for refusal in refusals] == [path]
    assert reason in refusals[0].reason


def test_what_is_not_known_yet_fits_everywhere() -> None:
    """Of a preview's unknown values nothing can be said."""
    inputs = {"resourceGroupName": UNKNOWN, "sku": UNKNOWN, "tags": {"team": UNKNOWN}}

    assert list(Judge().refusals(inputs, resource_schema(*_SERVER).inputs)) == []


def test_a_refusal_of_a_secret_does_not_tell_it() -> None:
    """The value under a mark of secrecy is in no message."""
    inputs = {"resourceGroupName": "rg", "administratorLoginPassword": Secret(["change-me"])}
    (refusal,) = Judge().refusals(inputs, resource_schema(*_SERVER).inputs)

    assert refusal.path == "administratorLoginPassword"
    assert "change-me" not in str(refusal)
