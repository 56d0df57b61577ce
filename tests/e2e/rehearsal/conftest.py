"""The production stack of each cloud, rehearsed in a clone: the real engine, stand-in plugins, no account."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.ground import ground

CLOUDS = ("gcp", "aws", "azure")


@dataclass
class Rehearsal:
    """A clone whose prod stack is rehearsed, and everything that was said meanwhile."""

    project: Any
    cloud: str
    said: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The stack file."""
        return Path(self.project.root / "Pulumi.prod.yaml")

    def run(self, verb: str, *args: str) -> Any:
        """Run the driver on the prod stack; whatever it prints is kept."""
        done = self.project.run(verb, "--stack", "prod", "--rehearse", *args)
        if "--show-secrets" not in args:
            self.said += [done.stdout, done.stderr]
        return done

    def json(self, verb: str, *args: str) -> dict[str, Any]:
        """Run the driver with --json; it must succeed."""
        done = self.run(verb, "--json", *args)
        assert done.returncode == 0, done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def configure(self, **keys: Any) -> None:
        """Set keys of the cloud's section; the other keys stay."""
        self._edit(lambda config: config.setdefault(f"session-database:{self.cloud}", {}).update(keys))

    def waive(self, **reasons: str) -> None:
        """Waive floors of production, each with its reason."""
        waivers = {name.replace("_", "-"): reason for name, reason in reasons.items()}
        self._edit(lambda config: config.update({"session-database:waivers": waivers}))

    @property
    def plane(self) -> ControlPlaneClient:
        """What plays the cloud."""
        return client.connect(Path(self.project.environ[client.FOLDER_VARIABLE]))

    def ask(self, verb: str, **asked: Any) -> dict[str, Any]:
        """Do something behind the stack's back, as somebody at the cloud's console would."""
        return self.plane.call(verb, cloud=self.cloud, **asked)

    def server(self) -> dict[str, Any]:
        """The one server that there is, as its cloud knows it."""
        (only,) = self.ask("servers.list")["servers"]
        return self.ask("servers.describe", name=only["name"])

    def switch(self) -> None:
        """Choose the cloud, by its one key."""
        self._edit(lambda config: config.update({"session-database:backend": self.cloud}))

    def _edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        content = yaml.safe_load(self.file.read_text())
        change(content["config"])
        self.file.write_text(yaml.safe_dump(content, sort_keys=False))

    def state(self) -> str:
        """The state as it lies on disk, every version of it."""
        folder = Path(self.project.root / ".state" / "rehearsal" / ".pulumi")
        texts = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            texts.append((gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode())
        return "\n".join(texts)

    def passwords(self) -> set[str]:
        """The generated passwords, out of the two URIs in clear."""
        outputs = json.loads(self.run("outputs", "--json", "--show-secrets").stdout)["outputs"]
        uris = (outputs["session_db_uri"], outputs["admin_db_uri"])
        return {unquote(found[1]) for uri in uris if (found := re.search(r"//[^/:@]+:([^@]+)@", uri))}


@pytest.fixture(scope="session")
def rehearse(clone: Callable[[], Path], project_of: Callable[[Path], Any]) -> Callable[[str], Rehearsal]:
    """Gives a clone whose prod stack is on a cloud, by one key of its stack file; nothing is up yet.

    Without servers behind the stand-ins, so that a test of what the engine says takes no longer than that.
    """

    def make(cloud: str) -> Rehearsal:
        project = project_of(clone())
        made = Rehearsal(replace(project, environ=project.environ | {"SESSION_DB_REHEARSAL": ""}), cloud)
        made.switch()
        return made

    return make


@pytest.fixture(scope="session")
def on_servers(clone: Callable[[], Path], project_of: Callable[[Path], Any]) -> Iterator[Callable[[str], Rehearsal]]:
    """Gives the same with PostgreSQL servers behind the stand-ins; at the end nothing of them runs."""
    with ExitStack() as stack:

        def make(cloud: str) -> Rehearsal:
            folder = stack.enter_context(ground())
            stack.callback(client.stop, folder)
            project = project_of(clone())
            made = Rehearsal(replace(project, environ=project.environ | {client.FOLDER_VARIABLE: str(folder)}), cloud)
            made.switch()
            return made

        yield make


@pytest.fixture(scope="module", params=CLOUDS)
def production(request: pytest.FixtureRequest, rehearse: Callable[[str], Rehearsal]) -> Rehearsal:
    """The production stack of one cloud, up; tests leave it as it was."""
    made = rehearse(request.param)
    made.json("up")
    return made
