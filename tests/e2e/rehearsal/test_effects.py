"""docs/effects.md tells of each edit what it does; the real engine says the same, for each cloud."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from infra import pulumi_cli, stack_file, stage, state
from infra.deploy import Driver
from infra.errors import InfraError
from infra.progress import Progress

ROOT = Path(__file__).resolve().parents[3]
CLOUDS = ("gcp", "aws", "azure")
PLUGINS = {"gcp": "gcp", "aws": "aws", "azure": "azure-native"}
RESTORE = {"from": "g1", "time": "2026-11-23T17:05:00Z"}
G2 = {"id": "g2", "restore": RESTORE}

MACHINES = {
    "gcp": {"tier": "db-custom-4-15360"},
    "aws": {"instance_class": "db.m7g.xlarge"},
    "azure": {"sku": "Standard_D4ds_v5"},
}
SIZES = {"gcp": 100, "aws": 150, "azure": 256}
READERS = {
    "gcp": "serviceAccount:api@example-project.iam.gserviceaccount.com",
    "aws": "arn:aws:iam::123456789012:role/adk-api",
    "azure": "11111111-1111-1111-1111-111111111111",
}
REGIONS = {"gcp": "europe-west4", "aws": "eu-west-2", "azure": "westeurope"}
KEYS = {
    "gcp": "projects/example-project/locations/europe-west1/keyRings/sessions/cryptoKeys/sessions",
    "aws": "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111",
    "azure": "https://example.vault.azure.net/keys/sessions",
}
HOMES = {
    "gcp": {"project": "example-project"},
    "aws": {"account": "123456789012"},
    "azure": {"subscription": "00000000-0000-0000-0000-000000000000"},
}
PRIVATE = {
    "gcp": {"mode": "psc", "consumer_projects": ["example-project"]},
    "aws": {"mode": "private_endpoint"},  # It has one way in, and the settings say so.
    "azure": {"mode": "private_endpoint"},
}
NETWORKS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/network/providers/Microsoft.Network"
GIVEN = {
    "gcp": {"id": "projects/example-project/global/networks/shared"},
    "aws": {
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
        "subnet_ids": ["subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"],
        "client_security_groups": ["sg-0a1b2c3d4e5f67890"],
    },
    "azure": {
        "subnet_id": f"{NETWORKS}/virtualNetworks/main/subnets/postgres",
        "dns_zone_id": f"{NETWORKS}/privateDnsZones/sessions.postgres.database.azure.com",
    },
}
ADOPTED = {
    "gcp": "projects/example-project/instances/other-sessions",
    "aws": "other-sessions",
    "azure": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other"
    "/providers/Microsoft.DBforPostgreSQL/flexibleServers/other-sessions",
}
PARAMETERS = {"log_min_duration_statement": "1000", "autovacuum_max_workers": "3"}

OTHERS = {"gcp": "aws", "aws": "azure", "azure": "gcp"}
WHOLE = {"backend", "profile", "waivers"}
"""Keys of the stack file that stand in no section."""

Edit = Callable[[str], dict[str, Any]]


def always(**keys: Any) -> Edit:
    """The same keys for every cloud."""
    return lambda _cloud: keys


EDITS: dict[tuple[str, str], Edit] = {
    ("tier, instance_class, sku", "a larger machine"): lambda cloud: MACHINES[cloud],
    ("storage.size_gib", "more"): lambda cloud: {"storage": {"size_gib": SIZES[cloud]}},
    ("storage.max_gib", "more"): always(storage={"max_gib": 600}),
    ("version", "the next major version"): always(version=18),
    ("servers[].version", "the next major version for one generation"): lambda cloud: {
        # Cloud SQL's database came with the restore, so that key stays there.
        "servers": [{"id": "g1"}, {**(G2 if cloud == "gcp" else {"id": "g2"}), "version": 18}]
    },
    ("servers", "a g2 that is restored from g1"): always(servers=[{"id": "g1"}, G2, {**G2, "id": "g3"}]),
    ("servers", "g1 taken out while it is protected"): always(servers=[G2], active="g2"),
    ("servers[].restore", "edited or taken out once the server is there"): always(
        servers=[{"id": "g1"}, {"id": "g2", "restore": {**RESTORE, "time": "2026-11-22T17:05:00Z"}}]
    ),
    ("servers[].deletion_protection", "false for the active generation"): always(
        servers=[{"id": "g1", "deletion_protection": False}, G2]
    ),
    ("servers[].deletion_protection", "false for another one"): always(
        servers=[{"id": "g1"}, {**G2, "deletion_protection": False}]
    ),
    ("active", "another generation"): always(active="g2"),
    ("high_availability", "false"): always(high_availability=False),
    ("high_availability", "false, with a waiver"): always(
        high_availability=False, waivers={"high-availability": "a pilot for two teams"}
    ),
    ("read_replicas", "one more"): always(read_replicas=1),
    ("replica_region", "a region, where there was none"): lambda cloud: {"replica_region": REGIONS[cloud]},
    ("maintenance.hour", "another hour"): always(maintenance={"hour": 5}),
    ("backup.retention_days", "more"): always(backup={"retention_days": 31}),
    ("backup.window", "another hour"): always(backup={"window": "01:00"}),
    ("backup.copy_region", "another region, or none"): always(backup={"copy_region": ""}),
    ("backup.final", "false"): always(backup={"final": False}),
    ("parameters", "one that a running server takes"): always(parameters={"log_min_duration_statement": "500"}),
    ("parameters", "one that needs a restart"): always(parameters={"autovacuum_max_workers": "4"}),
    ("query_insights", "false"): always(query_insights=False),
    ("log_retention_days", "more"): always(log_retention_days=60),
    ("alerts.emails", "another address"): always(alerts={"emails": ["night@example.com"]}),
    ("alerts.cpu_percent", "another threshold"): always(alerts={"cpu_percent": 70}),
    ("labels", "another value"): always(labels={"team": "platform"}),
    ("api_processes", "more, as far as the machine allows"): always(api_processes=9),
    ("rotation", "counted up by one"): always(rotation=2),
    ("rotation", "counted down"): always(rotation=0),
    ("manage_master_password", "true"): always(manage_master_password=True),
    ("secret_readers", "the first one"): lambda cloud: {"secret_readers": [READERS[cloud]]},
    ("app_user", "another name"): always(app_user="adk_app"),
    ("owner_user", "another name"): always(owner_user="adk_admin"),
    ("auth", "iam"): always(auth="iam"),
    ("profile", "another one"): always(profile="dev"),
    ("backend", "another one"): lambda cloud: {"backend": OTHERS[cloud]},
    ("servers[].adopt", "added to a generation that is there"): lambda cloud: {
        "servers": [{"id": "g1", "adopt": ADOPTED[cloud]}, G2]
    },
    ("deletion_protection", "false"): always(deletion_protection=False),
    ("database", "another name"): always(database="sessions"),
    ("server_prefix", "another prefix"): always(server_prefix="chat-sessions"),
    ("secret_prefix", "another prefix"): always(secret_prefix="chat-password"),
    ("region", "another region"): lambda cloud: {
        "region": REGIONS[cloud],
        **({"backup": {"copy_region": "northeurope"}} if cloud == "azure" else {}),
    },
    ("encryption_key", "a key, where there was none"): lambda cloud: {"encryption_key": KEYS[cloud]},
    ("project, account, subscription", "the one that the servers are in"): lambda cloud: HOMES[cloud],
    ("project, account, subscription", "another one"): lambda cloud: {
        key: home.translate(str.maketrans("e01", "x12")) for key, home in HOMES[cloud].items()
    },
    ("network.cidr", "another block"): always(network={"cidr": "10.90.0.0/20"}),
    ("network.zones", "fewer"): always(network={"zones": ["a", "b"]}),
    ("network.mode", "another one that is private"): lambda cloud: {"network": PRIVATE[cloud]},
    ("network.id, network.vpc_id, network.subnet_id", "a given network, where one was built"): lambda cloud: {
        "network": GIVEN[cloud]
    },
    ("network.mode", "public"): always(network={"mode": "public", "allowed_cidrs": ["8.8.8.0/28"]}),
}


def documented() -> Iterator[tuple[tuple[str, str], str, str]]:
    """Each cell of the table, as (setting and edit), cloud and word."""
    for line in (ROOT / "docs" / "effects.md").read_text().splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if len(cells) == 2 + len(CLOUDS) and cells[0] != "setting" and not cells[0].startswith("---"):
            for cloud, word in zip(CLOUDS, cells[2:], strict=True):
                yield (cells[0], cells[1]), cloud, word


@dataclass
class Running:
    """A production stack that is up, in this process; an edit is previewed and taken back."""

    root: Path
    cloud: str

    def preview(self, keys: dict[str, Any]) -> dict[str, int] | str:
        """What an edit would change: steps by operation, or the refusal."""
        file = self.root / "Pulumi.prod.yaml"
        before = file.read_text()
        content = yaml.safe_load(before)
        section = content["config"][f"session-database:{self.cloud}"]
        for key, value in keys.items():
            if key in WHOLE:
                content["config"][f"session-database:{key}"] = value
            else:
                section[key] = {**section.get(key, {}), **value} if isinstance(value, dict) else value
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        try:
            return self.run(Driver.preview)
        except InfraError as refusal:
            return str(refusal)
        finally:
            file.write_text(before)

    def run(self, operation: Callable[[Driver], Any]) -> dict[str, int]:
        """Run the driver itself; it shows nothing."""
        with Progress(Console(quiet=True)) as progress:
            changes: dict[str, int] = operation(Driver("prod", progress, rehearse=True)).changes
        return changes


@pytest.fixture(scope="class")
def patched() -> Iterator[pytest.MonkeyPatch]:
    """Patches of a class's life."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="class")
def running(
    request: pytest.FixtureRequest,
    clone: Callable[[], Path],
    pulumi: str,
    patched: pytest.MonkeyPatch,
    closing: None,  # noqa: ARG001  # Closed in the end.
) -> Iterator[Running]:
    """The production stack of a cloud with two generations, on stand-ins that stay up from preview to preview."""
    root, cloud = clone(), str(request.cls.cloud)
    for module in (stack_file, state):
        patched.setattr(module, "ROOT", root)
    patched.setattr(stage, "STATE", root / ".state")
    patched.setenv("PATH", os.pathsep.join([str(Path(pulumi).parent), os.environ["PATH"]]))
    command = pulumi_cli.ensure(print)  # It asks the CLI for its version, each time.
    patched.setattr(pulumi_cli, "ensure", lambda _report: command)
    patched.setenv("SESSION_DB_REHEARSAL", "")  # What an edit does needs no servers, and takes no longer than a diff.
    file = root / "Pulumi.prod.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["session-database:backend"] = cloud
    section = content["config"][f"session-database:{cloud}"]
    section |= {"servers": [{"id": "g1"}, G2], "parameters": PARAMETERS, "rotation": 1}
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    plugins = {name: started(name) for name in ("random", PLUGINS[cloud])}
    attached = ",".join(f"{name}:{port}" for name, (_process, port) in plugins.items())
    variables = stage.Stage.variables
    patched.setattr(
        stage.Stage, "variables", lambda self, cli: variables(self, cli) | {"PULUMI_DEBUG_PROVIDERS": attached}
    )
    made = Running(root, cloud)
    try:
        made.run(Driver.up)
        # RDS restores g2 without insights and window, which only a second run adds.
        made.run(Driver.up)
        yield made
    finally:
        for process, _port in plugins.values():
            process.terminate()
            process.communicate()


def started(name: str) -> tuple[subprocess.Popen[str], str]:
    """A stand-in that the engine attaches to instead of starting its own; and its port."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "rehearsal.plugin", name],
        cwd=ROOT,
        env=os.environ | {stage.PLAYING: "yes"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


def word(found: dict[str, int] | str) -> set[str]:
    """The words of the page that fit what the engine said."""
    if isinstance(found, str):
        assert re.search(r"expected .*For example: ", found), found
        return {"none"} if "unknown key" in found else {"refused"}
    if not found:
        return {"no change"}
    if "create" in found:
        return {"new resource"}
    # New passwords and what hands them on are shown as replacements.
    return {"in place", "restart", "new resource"} if "replace" in found else {"in place", "restart"}


def test_every_row_of_the_page_is_tried() -> None:
    """And no other."""
    assert {edit for edit, _cloud, _word in documented()} == {*EDITS, ("backup.copy_region", COPY)}


COPY = "a region, where there was none"


class Effects:
    """Every edit, on one cloud: a class each, so that the clouds are tried side by side."""

    cloud: str

    @pytest.mark.parametrize("edit", [pytest.param(edit, id=f"{edit[0]}: {edit[1]}") for edit in EDITS])
    def test_an_edit_does_what_the_page_says(self, running: Running, edit: tuple[str, str]) -> None:
        """Whether it restarts a server is the vendor's to say; the rest is the engine's."""
        (expected,) = (word for each, cloud, word in documented() if (each, cloud) == (edit, running.cloud))

        found = running.preview(EDITS[edit](running.cloud))

        assert expected in word(found), found


class TestGcp(Effects):
    """Cloud SQL."""

    cloud = "gcp"


class TestAws(Effects):
    """RDS."""

    cloud = "aws"


class TestAzure(Effects):
    """Azure Database for PostgreSQL."""

    cloud = "azure"
