"""Previews with the providers' real plugins: they need the open internet and an account, so `make test` leaves them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

CREDENTIALS = {
    "gcp": ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_CREDENTIALS"),
    "aws": ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    "azure": ("ARM_CLIENT_ID", "ARM_OIDC_TOKEN", "ARM_USE_CLI"),
}
"""Any of which gives a provider's plugin an account."""


@pytest.mark.parametrize("cloud", list(CREDENTIALS))
def test_the_real_plugin_accepts_the_production_stack(
    cloud: str, clone: Callable[[], Path], environ: dict[str, str]
) -> None:
    """It checks every input against its own schema; nothing is created."""
    if "SESSION_DB_ONLINE" not in os.environ:
        pytest.skip("real provider plugins come from the open internet: make test-online")
    if not any(name in os.environ for name in CREDENTIALS[cloud]):
        pytest.skip(f"the real plugin needs an account: one of {', '.join(CREDENTIALS[cloud])}")
    root = clone()
    file = root / "Pulumi.prod.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["session-database:backend"] = cloud
    file.write_text(yaml.safe_dump(content))

    command = [sys.executable, "-m", "infra", "preview", "--stack", "prod", "--json"]
    done = subprocess.run(command, cwd=root, env=environ, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["changes"]) == {"create"}
