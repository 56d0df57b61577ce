"""On the real engine a database is kept, whatever the program says."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi as sdk
import pulumi_aws as aws
import pytest
from pulumi import automation

from infra import guard
from infra.errors import DeploymentError
from infra.layout import PLUGINS, ROOT

Program = Callable[[], None]

QUIET: dict[str, Any] = {"on_event": lambda _: None, "color": "never"}


@pytest.fixture
def stack(
    pulumi: str,
    tmp_path: Path,
    closing: None,  # noqa: ARG001  # Closed in the end.
) -> Callable[[Program], automation.Stack]:
    """Gives a stack of the real engine that runs a program against the stand-in for AWS."""
    (tmp_path / "state").mkdir()
    path = [str(tmp_path / "bin"), str(PLUGINS / "rehearsal"), str(Path(pulumi).parent), os.environ["PATH"]]
    variables = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "change-me",
        "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join(path),
        "SESSION_DB_STAND_INS": "yes",
    }
    command = automation.PulumiCommand(root=str(Path(pulumi).parent.parent))

    def make(program: Program) -> automation.Stack:
        # Left to itself, the Automation API makes a folder that it never removes.
        folder = tempfile.mkdtemp(dir=tmp_path)
        options = automation.LocalWorkspaceOptions(work_dir=folder, env_vars=variables, pulumi_command=command)
        return automation.create_or_select_stack("prod", "session-database", program, opts=options)

    return make


def database(*, protect: bool, **changes: Any) -> Program:
    """A program with one RDS instance."""

    def main() -> None:
        inputs: dict[str, Any] = {"instance_class": "db.t4g.large", "engine": "postgres", "engine_version": "17"}
        aws.rds.Instance(
            "adk-sessions-g1",
            **inputs
            | {"allocated_storage": 20, "username": "adk_owner", "manage_master_user_password": True}
            | {"skip_final_snapshot": True, "db_name": "adk_sessions", **changes},
            opts=sdk.ResourceOptions(protect=protect, replace_on_changes=["dbName"]),
        )

    return main


def nothing() -> None:
    """A program without the server."""


def known(stack: automation.Stack) -> list[dict[str, Any]]:
    """The resources of a stack's state."""
    return list((stack.export_stack().deployment or {}).get("resources") or [])


def refused(stack: automation.Stack) -> str:
    """What the guard says of a stack's preview."""
    with pytest.raises(DeploymentError) as caught:
        guard.preview(stack, QUIET, name="prod", known=known(stack))
    return str(caught.value)


def test_on_the_real_engine_a_database_is_kept(stack: Callable[[Program], automation.Stack]) -> None:
    """A replacement, a deletion and the end of the stack are refused; lifting the protection lets the stack go."""
    deleted = "expected the server adk-sessions-g1 (aws:rds/instance:Instance) to stay, but it is deleted"
    assert not guard.concerns(known(stack(nothing)))
    stack(database(protect=True)).up()

    assert guard.concerns(known(stack(nothing))), "whatever the stack file says now"
    assert "a change of dbName replaces it" in refused(stack(database(protect=True, db_name="other")))
    assert deleted in refused(stack(nothing))
    with pytest.raises(DeploymentError, match="it is deleted: lift its protection"):
        guard.require_unprotected(known(stack(nothing)), name="prod")

    stack(database(protect=False)).up()

    assert "a change of dbName replaces it" in refused(stack(database(protect=False, db_name="other")))
    assert deleted in refused(stack(nothing)), "the last one goes by `destroy`"
    guard.require_unprotected(known(stack(nothing)), name="prod")


FORGETFUL = """#!/bin/sh
exec "$PULUMI_RUNTIME_VIRTUALENV/bin/python" -u -c '
from pulumi.runtime.proto import provider_pb2
from rehearsal.plugin import server, service
service.Service.Read = lambda self, request, context: provider_pb2.ReadResponse()
server.serve("aws")'
"""
"""The stand-in for AWS in an account that has nothing."""


def test_on_the_real_engine_a_refresh_forgets_no_database(
    stack: Callable[[Program], automation.Stack], tmp_path: Path
) -> None:
    """As with the credentials of another account, in which no server is; what is not protected may go."""
    stack(database(protect=True)).up()
    guard.refresh(stack(nothing), QUIET, name="prod")

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi-resource-aws").write_text(FORGETFUL)
    (tmp_path / "bin" / "pulumi-resource-aws").chmod(0o700)

    with pytest.raises(DeploymentError) as caught:
        guard.refresh(stack(nothing), QUIET, name="prod")
    (line,) = str(caught.value).splitlines()
    assert "aws.account: expected Instance adk-sessions-g1 to be there" in line
    assert "For example: session-database:aws: {account: '123456789012'}" in line
