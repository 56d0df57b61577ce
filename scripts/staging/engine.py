"""The PostgreSQL server of docker-compose.yml, started where a container engine is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from scripts.staging.env_file import named, read

VOLUME: Final = "session-db_postgres"
"""Of docker-compose.yml's `name` and its volume `postgres`."""

PORT: Final = "5432"
"""docker-compose.yml's, where POSTGRES_PORT names no other one."""

_STACK_PORT: Final = re.compile(r"^ +port: *[\"']?(\d+)", re.MULTILINE)

_ENGINE_SECONDS: Final = 30


def start(root: Path, *, fresh: bool) -> int:
    """Start the database where a container engine answers.

    Args:
        root: The folder of docker-compose.yml.
        fresh: Whether the passwords are new.
    """
    compose = ["docker", "compose", "up", "--detach", "--wait", "postgres"]
    if not answers("docker", "info"):
        print("no container engine answers to: docker info. Start one, and then the database: " + " ".join(compose))
        print("or name a server that you have in Pulumi.staging.yaml, and its passwords in place of those in .env")
        print("next, either way: make up STACK=staging")
        return 0
    if fresh and answers("docker", "volume", "inspect", VOLUME):
        print(f"the volume {VOLUME} is older than these passwords: docs/containers.md#passwords", file=sys.stderr)
    port = named(root, "POSTGRES_PORT") or PORT
    if code := subprocess.run(compose, cwd=root, check=False).returncode:
        why = f"where port {port} is taken, write another one into .env, for example POSTGRES_PORT=15432, and into"
        print(f"it did not start: {why} Pulumi.staging.yaml, port: 15432", file=sys.stderr)
        return code
    tell_of_port(root, port)
    print("next: make up STACK=staging, or all of it in containers: docker compose up --detach --wait")
    return 0


def tell_of_port(root: Path, port: str) -> None:
    """Say where `make up STACK=staging` would go to another port than this server's; read-only.

    Raises:
        UnusableError: The stack file cannot be read.
    """
    found = _STACK_PORT.search(read(root / "Pulumi.staging.yaml"))
    if found and found[1] != port:
        why = f"this server is at port {port}, but Pulumi.staging.yaml leads to {found[1]}"
        print(f"{why}: write port: {port} there before make up STACK=staging", file=sys.stderr)


def answers(*command: str) -> bool:
    """Whether a command ends well; read-only."""
    if shutil.which(command[0]) is None:
        return False
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
