"""What the steps of a rehearsal share: the stack, its commands, its API server, and what was found so far."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.errors import StepError
from rehearsal.report import drills
from rehearsal.report.drills import Drill
from rehearsal.report.findings import Findings, Kept, Served
from rehearsal.run import api, passwords
from rehearsal.run.api import Conversation
from rehearsal.run.command import Commands
from rehearsal.run.passwords import Passwords
from rehearsal.run.stack_file import StackFile
from rehearsal.run.watch import Watch


@dataclass
class Life:
    """One cloud's.

    Attributes:
        file: The stack file.
        commands: The project's commands on its stack.
        watch: The command lines of the machine's processes.
        writers: Sessions at once in a drill.
        seconds: How long a drill writes before and after what it does.
        findings: What the steps brought home.
        passwords: What must be in clear nowhere.
        conversation: With the agent of the API server.
        hosts: Host names by generation.
        servers: API servers that run; left at the end.
    """

    file: StackFile
    commands: Commands
    watch: Watch
    writers: int
    seconds: float
    findings: Findings = field(default_factory=Findings)
    passwords: Passwords = field(default_factory=Passwords)
    conversation: Conversation = field(default_factory=Conversation)
    hosts: dict[str, str] = field(default_factory=dict)
    servers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _client: httpx.Client | None = None

    @property
    def cloud(self) -> str:
        """Which."""
        return self.file.cloud

    @property
    def log(self) -> Path:
        """What the API server says."""
        return self.commands.folder / "api-server.log"

    @property
    def http(self) -> httpx.Client:
        """A client of the API server that runs."""
        if self._client is None:
            message = "expected an API server that runs"
            raise StepError(message)
        return self._client

    @property
    def plane(self) -> ControlPlaneClient:
        """What plays the cloud."""
        return client.connect(self.commands.ground)

    def serve(self) -> None:
        """Start the API server, anew where it runs."""
        self.close()
        self._client = self.servers.enter_context(api.serving(self.commands, self.log))

    def close(self) -> None:
        """Stop the API server, where it runs."""
        self._client = None
        self.servers.close()

    def served(self, after: str) -> Kept:
        """Hold the conversation against what the API server has of it.

        Args:
            after: What happened in between.
        """
        kept = Kept.of(self.conversation.turns, self.conversation.found(self.http))
        self.findings.served.append(Served(after, kept))
        return kept

    def look(self, generation: str) -> None:
        """Read the record with its secrets, which stay in memory.

        Args:
            generation: The one in use.
        """
        outputs: Mapping[str, Any] = self.commands.infra("outputs", "--show-secrets")["outputs"]
        self.passwords.learn(outputs)
        self.hosts[generation] = str(outputs["host"])
        self.findings.sslmodes[generation] = passwords.sslmode(outputs)

    def protects(self, verb: str) -> bool:
        """Whether a command that would delete a server is refused by its protection, not by anything else.

        Args:
            verb: For example `destroy`.
        """
        return "deletion_protection" in (self.commands.refused(verb) or "")

    def drill(self, name: str) -> Drill:
        """Run a drill; a promise that it breaks is found, and ends nothing.

        Args:
            name: For example `failover`.
        """
        options = ("--writers", str(self.writers), "--seconds", f"{self.seconds:g}")
        found = drills.read(self.commands.session_db("drill", name, options=options, held=(0, 1)))
        self.findings.drills.append(found)
        return found


def counted(changes: Mapping[str, int]) -> str:
    """Changes in words.

    >>> counted({"create": 3, "update": 1}), counted({})
    ('3 to create, 1 to update', 'nothing to change')
    """
    return ", ".join(f"{count} to {name}" for name, count in changes.items()) or "nothing to change"


def expect(held: bool, message: str) -> None:  # noqa: FBT001
    """Fail the step where something is not as it has to be for the next one.

    Args:
        held: Whether it is.
        message: What was expected, and what there is.

    Raises:
        StepError: It is not.
    """
    if not held:
        raise StepError(message)
