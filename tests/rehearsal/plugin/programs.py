"""Programs for the real engine, each run in a process of its own: a refused one leaves Pulumi's event loop behind.

    python programs.py <program> <operation>

prints what happened as JSON: `changes` by kind, `outputs`, `said` by the engine, and the `state` as it is kept.
"""

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_azure_native as azure
import pulumi_gcp as gcp
import pulumi_random as random
from pulumi import automation

_SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"
_GENERAL: Final[Any] = {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"}


def servers(size: int = 100) -> None:
    """A server of each cloud, with one generated password."""
    password = random.RandomPassword("owner", length=24, special=False, min_upper=1, min_lower=1, min_numeric=1)
    google = pulumi.ResourceOptions(provider=gcp.Provider("gcp", project="example-project", region="europe-west1"))
    amazon = pulumi.ResourceOptions(provider=aws.Provider("aws", region="eu-central-1"))
    microsoft = pulumi.ResourceOptions(
        provider=azure.Provider("azure", subscription_id=_SUBSCRIPTION),
        additional_secret_outputs=["administratorLoginPassword"],
    )
    gcp.sql.DatabaseInstance(
        "sessions",
        database_version="POSTGRES_17",
        settings={"tier": "db-custom-2-7680", "edition": "ENTERPRISE"},
        root_password=password.result,
        deletion_protection=False,
        opts=google,
    )
    rds = aws.rds.Instance(
        "sessions",
        engine="postgres",
        instance_class="db.m7g.large",
        allocated_storage=size,
        username="adk_owner",
        password=password.result,
        skip_final_snapshot=True,
        opts=amazon,
    )
    azure.dbforpostgresql.Server(
        "sessions",
        resource_group_name="adk-sessions",
        location="westeurope",
        administrator_login="adk_owner",
        administrator_login_password=password.result,
        sku=_GENERAL,
        storage={"storage_size_gb": 128},
        opts=microsoft,
    )
    pulumi.export("password", password.result)
    pulumi.export("address", rds.address)


def bigger() -> None:
    """The same, one of them with a bigger disk."""
    servers(size=200)


def wrong() -> None:
    """A password in clear and a misspelt key."""
    misspelt: Any = {"storage_size_gb": 128, "auto_growth": True}
    azure.dbforpostgresql.Server(
        "sessions",
        resource_group_name="adk-sessions",
        location="westeurope",
        administrator_login="adk_owner",
        administrator_login_password="Change-me-1",
        sku=_GENERAL,
        storage=misspelt,
    )


def bucket() -> None:
    """A type that no stand-in knows."""
    aws.s3.Bucket("backups")


def lookup() -> None:
    """A function that needs an account."""
    pulumi.export("zones", aws.get_availability_zones_output().names)


def adopted() -> None:
    """A server that somebody else made."""
    provider = gcp.Provider("gcp", project="example-project", region="europe-west1")
    gcp.sql.DatabaseInstance(
        "sessions",
        database_version="POSTGRES_17",
        settings={"tier": "db-custom-2-7680", "edition": "ENTERPRISE"},
        deletion_protection=False,
        opts=pulumi.ResourceOptions(provider=provider, import_="projects/example-project/instances/older"),
    )


def run(program: Callable[[], None], operation: str, folder: str) -> dict[str, Any]:
    """Carry an operation out in a folder and say what happened."""
    options = automation.LocalWorkspaceOptions(work_dir=folder)
    stack = automation.create_or_select_stack("test", "rehearsed", program, opts=options)
    try:
        done: Any = getattr(stack, operation)(color="never")
    except automation.CommandError as error:
        return {"refused": str(error)}
    kept = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi/stacks/rehearsed/test.json"
    changes = done.change_summary if operation == "preview" else done.summary.resource_changes
    return {
        "changes": {str(getattr(kind, "value", kind)): count for kind, count in changes.items()},
        "outputs": {name: output.value for name, output in getattr(done, "outputs", {}).items()},
        "said": done.stdout + done.stderr,
        "state": json.loads(kept.read_text())["checkpoint"]["latest"],
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    # Left to itself, the Automation API makes a folder that it never removes.
    with tempfile.TemporaryDirectory() as made:
        answer = run(globals()[sys.argv[1]], sys.argv[2], made)
    sys.stdout.write(json.dumps(answer) + "\n")
