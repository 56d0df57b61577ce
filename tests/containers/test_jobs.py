"""The job definitions of docs/jobs are what the vendors' own API models take, and hold no secret."""

import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi_azure_native import app as container_apps
from pulumi_azure_native.app import _inputs

import app.cli
from rehearsal.vendors.aws.api import refusals as aws_refusals
from rehearsal.vendors.gcp.api import refusals as gcp_refusals

JOBS = Path(__file__).resolve().parents[2] / "docs" / "jobs"


def cloud_run() -> dict[str, Any]:
    """The Cloud Run job."""
    return dict(yaml.safe_load((JOBS / "cloud-run-job.yaml").read_text()))


def ecs() -> dict[str, Any]:
    """The ECS task definition."""
    return dict(yaml.safe_load((JOBS / "ecs-task-definition.yaml").read_text()))


def container_apps_job() -> dict[str, Any]:
    """The Container Apps job."""
    return dict(yaml.safe_load((JOBS / "container-apps-job.yaml").read_text()))


def strangers(model: Any, value: Any, path: str) -> Iterator[str]:
    """What Pulumi's model of Azure's API has no place for, or misses."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from strangers(model, item, f"{path}[{index}]")
    elif isinstance(value, dict) and typing.is_typeddict(model):
        known = {camel(name): hint for name, hint in model.__annotations__.items()}
        required = {camel(name) for name in model.__required_keys__}
        yield from (f"{path}.{key}: there is no such key" for key in value.keys() - known.keys())
        yield from (f"{path}.{key}: is missing" for key in required - value.keys())
        for key in value.keys() & known.keys():
            yield from strangers(inner(known[key]), value[key], f"{path}.{key}")


def camel(name: str) -> str:
    """A name of Pulumi's Python in the API's spelling."""
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def inner(hint: Any) -> Any:
    """The dictionary that a hint of Pulumi's allows, however deep it stands; the hint itself where there is none."""
    if typing.is_typeddict(hint):
        return hint
    if isinstance(hint, typing.ForwardRef):
        return vars(_inputs).get(hint.__forward_arg__, hint)
    for each in typing.get_args(hint):
        if typing.is_typeddict(found := inner(each)):
            return found
    return hint


def test_cloud_run_takes_the_job() -> None:
    """Held to Google's discovery document of the API that `gcloud run jobs replace` speaks."""
    assert [str(each) for each in gcp_refusals("run.v1/Job", cloud_run(), {})] == []


def test_a_key_that_cloud_run_does_not_know_is_found() -> None:
    """The check can fail."""
    job = cloud_run()
    job["spec"]["template"]["spec"]["template"]["spec"]["maxRetry"] = 1

    assert len(list(gcp_refusals("run.v1/Job", job, {}))) == 1


def test_ecs_takes_the_task_definition() -> None:
    """Held to Amazon's own service model, enums included."""
    assert [str(each) for each in aws_refusals("ecs:RegisterTaskDefinition", ecs(), {})] == []


def test_a_value_that_ecs_does_not_know_is_found() -> None:
    """The check can fail."""
    task = ecs() | {"networkMode": "vpc"}

    assert len(list(aws_refusals("ecs:RegisterTaskDefinition", task, {}))) == 1


def azure_strangers(job: dict[str, Any]) -> list[str]:
    """The same for the three parts of a Container Apps job that have models of their own."""
    properties = job["properties"]
    parts = {
        "configuration": _inputs.JobConfigurationArgsDict,
        "template": _inputs.JobTemplateArgsDict,
    }
    found = [line for name, model in parts.items() for line in strangers(model, properties[name], name)]
    known = {"environmentId", "workloadProfileName", *parts}
    return (
        found + sorted(properties.keys() - known) + sorted(job.keys() - {"location", "identity", "properties", "tags"})
    )


def test_container_apps_takes_the_job() -> None:
    """Held to Microsoft's API model as Pulumi's package carries it."""
    job = container_apps_job()

    assert azure_strangers(job) == []
    assert job["properties"]["configuration"]["triggerType"] == container_apps.TriggerType.MANUAL.value
    assert job["identity"]["type"] == container_apps.ManagedServiceIdentityType.USER_ASSIGNED.value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("configuration", "secrets", 0, "keyVaultUri"), "https://example"),
        (("configuration", "manualTriggerConfig", "completions"), 1),
        (("template", "containers", 0, "argument"), []),
    ],
)
def test_a_key_that_container_apps_does_not_know_is_found(path: tuple[Any, ...], value: Any) -> None:
    """The check can fail, at every depth."""
    job = container_apps_job()
    place: Any = job["properties"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    assert len(azure_strangers(job)) == 1


def environments() -> dict[str, tuple[list[str], dict[str, Any]]]:
    """The arguments and the variables of each job's container; None stands for what comes from a secret store."""
    run = cloud_run()["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]
    (task,) = ecs()["containerDefinitions"]
    job = container_apps_job()["properties"]["template"]["containers"][0]
    return {
        "gcp": (run["args"], {each["name"]: each.get("value") for each in run["env"]}),
        "aws": (
            task["command"],
            {each["name"]: each.get("value") for each in [*task["environment"], *task["secrets"]]},
        ),
        "azure": (job["args"], {each["name"]: each.get("value") for each in job["env"]}),
    }


_FILLED = re.compile(
    r"example|123456789012|00000000-0000|0a1b2c|eu-west-1|northeurope|amd64|X86_64|(?<=: )adk-sessions"
)
"""What is of an example's project, account, region or name, and of nobody's own."""


@pytest.mark.parametrize("name", sorted(file.name for file in JOBS.iterdir()))
def test_every_line_that_is_to_be_filled_has_a_comment(name: str) -> None:
    """As the head of each file says; a comment is at most as far above as its entry is long."""
    lines = (JOBS / name).read_text().splitlines()
    (told,) = (at for at, line in enumerate(lines) if "Every line with a comment is yours to fill" in line)
    filled = [number for number, line in enumerate(lines) if _FILLED.search(line.partition("# ")[0])]

    assert len(filled) > 4
    assert [
        lines[number]
        for number in filled
        if not any("# " in each for each in lines[max(told + 1, number - 3) : number])
    ] == []


@pytest.mark.parametrize("cloud", ["gcp", "aws", "azure"])
def test_every_job_bootstraps_as_the_owner_without_a_password_in_its_file(cloud: str) -> None:
    """Both passwords come from the secret store, and the server's certificate is checked."""
    arguments, variables = environments()[cloud]
    secret = {name for name, value in variables.items() if value is None}
    verb, *options = arguments

    assert secret == {"SESSION_DB_URI", "PGPASSWORD"}
    assert re.fullmatch(
        r"postgresql://adk_owner@[\w.-]+:5432/adk_sessions\?sslmode=verify-full.*", variables["ADMIN_DB_URI"]
    )
    assert set(options) <= {option for param in app.cli.cli.commands[verb].params for option in param.opts}
    assert "PGSSLROOTCERT" in variables or "sslrootcert=system" in variables["ADMIN_DB_URI"]
