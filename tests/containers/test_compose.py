"""docker-compose.yml is of its specification, hardened, on loopback, without a password, and as the stacks say."""

import importlib
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
TOOLS = Path(sys.executable).parent
SERVICES = ["postgres", "pgadmin", "bootstrap", "api"]
SECRETS = ["SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD", "PGADMIN_PASSWORD", "API_TOKEN"]


@cache
def compose() -> dict[str, Any]:
    """The file as YAML, its merges done and nothing interpolated."""
    return dict(yaml.safe_load(FILE.read_text()))


def service(name: str) -> dict[str, Any]:
    """One of its services."""
    return dict(compose()["services"][name])


def stack(name: str) -> dict[str, Any]:
    """The settings of a stack file, without their namespace."""
    config = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.partition(":")[2]: value for key, value in config.items()}


def variables(name: str) -> dict[str, str | None]:
    """What a service is given."""
    return dict(service(name).get("environment", {}))


def default(text: str) -> str:
    """A text with the defaults of its variables in their places."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_it_is_of_the_compose_specification() -> None:
    """Held to the specification's own schema."""
    command = [str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_its_linter_finds_images_that_nobody_can_pin_and_nothing_else() -> None:
    """The own image is made here, and pgAdmin's has no record of digests."""
    command = [str(TOOLS / "compose-lint"), "check", "--format", "json", str(FILE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    found = {(each["rule_id"], each["service"]) for each in json.loads(done.stdout)["findings"]}
    assert found == {("CL-0019", "pgadmin"), ("CL-0019", "bootstrap"), ("CL-0019", "api")}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_can_do_as_little_as_possible(name: str) -> None:
    """No capability, no way to another one, a root file system nobody writes to, and an end to what it may take."""
    each = service(name)

    assert each["cap_drop"] == ["ALL"]
    assert "cap_add" not in each
    assert "privileged" not in each
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert each["read_only"] is True
    assert "/tmp" in each["tmpfs"]  # noqa: S108  # In memory, of the container's own.
    assert each["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert each["healthcheck"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_of_this_machine_alone(name: str) -> None:
    """An engine opens its ports past the firewall, so the address has to say it."""
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port) for port in service(name).get("ports", []))


def test_the_ports_are_those_that_people_know() -> None:
    """PostgreSQL's, pgAdmin's on 5050 and the API's on 8000; a bootstrap listens to nobody."""
    ports = {name: [default(port).split(":")[1] for port in service(name).get("ports", [])] for name in SERVICES}

    assert ports == {"postgres": ["5432"], "pgadmin": ["5050"], "bootstrap": [], "api": ["8000"]}


def test_no_password_is_in_a_file_and_none_has_a_default() -> None:
    """Without one, docker compose ends and says what makes it."""
    text = FILE.read_text()
    used = re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN)\w*)([^}]*)\}", text)

    assert {name for name, _ in used} == set(SECRETS)
    assert {rest for _, rest in used} == {":?is missing. Run make staging"}
    servers = json.loads((ROOT / "containers" / "pgadmin" / "servers.json").read_text())["Servers"]
    assert [server.keys() & {"Password", "PassFile"} for server in servers.values()] == [set()]


def test_no_password_is_in_an_argument() -> None:
    """Everybody on a machine can read the arguments of its processes."""
    for name in SERVICES:
        each = service(name)
        said = json.dumps([each.get("command"), each.get("entrypoint"), each["healthcheck"], each.get("build")])
        assert not re.search("PASSWORD|TOKEN", said), name


def test_each_service_is_given_the_secrets_that_it_needs_and_no_more() -> None:
    """The API server never sees the administrator's password."""
    given = {name: {secret for secret in SECRETS if f"{{{secret}:" in json.dumps(variables(name))} for name in SERVICES}

    assert given == {
        "postgres": {"SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD"},
        "pgadmin": {"PGADMIN_PASSWORD"},
        "bootstrap": {"SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD"},
        "api": {"SESSION_DB_PASSWORD", "API_TOKEN"},
    }


def test_the_server_is_of_the_major_version_of_production() -> None:
    """By an exact version and by what it is made of."""
    production = {stack("prod")[cloud]["version"] for cloud in ("gcp", "aws", "azure")}
    found = re.fullmatch(r"postgres:(\d+)\.\d+-bookworm@sha256:[0-9a-f]{64}", default(service("postgres")["image"]))

    assert found
    assert production == {int(found[1])}


def test_the_stack_staging_is_of_this_very_server() -> None:
    """So `make staging` and `make up STACK=staging` are of one database, its roles and their passwords."""
    staging = stack("staging")["postgres"]
    given = variables("postgres")
    (server,) = json.loads((ROOT / "containers" / "pgadmin" / "servers.json").read_text())["Servers"].values()

    assert default(given["POSTGRES_DB"] or "") == staging["database"]
    assert default(given["APP_USER"] or "") == staging["user"]
    assert staging["admin_user"] == server["Username"] == "postgres"
    assert default(service("postgres")["ports"][0]).split(":")[1] == str(staging["port"])
    assert staging["host"] == "localhost"
    for name, role in (("SESSION_DB_URI", staging["user"]), ("ADMIN_DB_URI", "postgres")):
        uri = default(variables("bootstrap")[name] or "")
        # Without the word `session-db verify` would take the plain connection for a mistake.
        expected = rf"postgresql://{role}:\$\{{\w+:[^}}]+\}}@postgres:5432/{staging['database']}\?sslmode=disable"
        assert re.fullmatch(expected, uri), name


def test_the_api_starts_after_a_bootstrap_that_ended_well() -> None:
    """And the bootstrap after a database that takes connections."""
    ready = {"condition": "service_healthy"}

    assert service("bootstrap")["depends_on"] == {"postgres": ready}
    assert service("bootstrap")["restart"] == "no"
    assert service("api")["depends_on"] == {
        "postgres": ready,
        "bootstrap": {"condition": "service_completed_successfully"},
    }


OF_OTHER_PLACES = {"API_TOKEN_FILE", "SESSION_DB_IDENTITY", "SESSION_DB_PASSWORD_FILE", "SESSION_DB_PASSWORD_SECRET"}
"""Settings that have no use beside a token and a password in the environment."""


def test_the_api_is_given_every_setting_of_its_own() -> None:
    """A setting that somebody adds has to be one that .env can set here, too."""
    for file in sorted((ROOT / "app").rglob("*.py")):
        if "(Settings)" in file.read_text():
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    groups = [each for each in Settings.__subclasses__() if each.__module__.startswith("app.")]
    known = {name for group in groups for name, *_ in group.documented()}

    assert known
    assert known - OF_OTHER_PLACES <= variables("api").keys()
    page = (ROOT / "docs" / "containers.md").read_text()
    (line,) = (each for each in page.splitlines() if each.startswith("The API server is also given every"))
    assert set(re.findall(r"`((?:API|SESSION_DB)_[A-Z_]*[A-Z])`", line)) == OF_OTHER_PLACES


def test_data_is_in_volumes_with_names() -> None:
    """The script of `make staging` knows the database's by its name."""
    from_script = re.search(r'VOLUME: Final = "(\S+)"', (ROOT / "scripts" / "staging" / "engine.py").read_text())

    assert set(compose()["volumes"]) == {"postgres", "pgadmin"}
    assert from_script
    assert from_script[1] == f"{compose()['name']}_postgres"
