"""Programs on the real engine, with stand-in plugins on PATH and a state of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

Engine = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def folder() -> Path | None:
    """The folder of a rehearsal with servers; none here, so that stand-ins answer alone."""
    return None


@pytest.fixture
def engine(tmp_path: Path, folder: Path | None) -> Engine:
    """Runs a program of programs.py through an operation, on one fresh stack and without anybody's credentials."""
    tools = ROOT / ".tools/pulumi/bin"
    if not (tools / "pulumi").exists():
        pytest.skip("no Pulumi CLI: run `make preview` once")
    state = tmp_path / "state"
    state.mkdir()
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join([str(ROOT / "tools/plugins/rehearsal"), str(tools), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "change-me",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "SESSION_DB_REHEARSAL": str(folder or ""),
        "SESSION_DB_STAND_INS": "yes",
    }

    def run(program: str, operation: str) -> dict[str, Any]:
        command = [sys.executable, str(Path(__file__).with_name("programs.py")), program, operation]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    return run
