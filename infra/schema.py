"""The bootstrapper, run on what a deployment exported: by environment, never by argument, which others can read."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from infra.deploy import Result
from infra.errors import SchemaError
from infra.layout import ROOT, STATE
from infra.settings.profiles import CLOUDS

_REACH_SECONDS: Final = 5.0


def bootstrap(result: Result, report: Callable[[str], None], *, asked: bool | None, as_json: bool) -> dict[str, Any]:
    """Create and verify the session schema on the database of a stack.

    Args:
        result: What `up` exported.
        report: Called with a line where the schema is left for later.
        asked: True where the user insists; None leaves a cloud's server alone that cannot be reached from here.
        as_json: Whether the bootstrapper is to answer in JSON instead of words.

    Returns:
        The answers by verb, where `as_json`; empty where nothing was done.

    Raises:
        SchemaError: The bootstrapper failed; its own words say why.
    """
    outputs = {name: output.value for name, output in result.outputs.items()}
    if asked is None and (reason := _obstacle(outputs)):
        report(f"the schema is not created yet: {reason}. Where it is: session-db bootstrap --stack {result.stack}")
        return {}
    environment = os.environ | _environment(outputs, result.stack)
    owned = outputs["backend"] in CLOUDS and outputs["auth"] == "password"
    answers = {}
    for verb, options in {"bootstrap": ["--set-password"] if owned else [], "verify": []}.items():
        answers[verb] = _run([verb, *options, *(["--json"] if as_json else [])], environment, as_json=as_json)
    return answers


def _obstacle(outputs: dict[str, Any]) -> str | None:
    """Why a cloud's server cannot be bootstrapped from here, or None; it may be in a network of its own."""
    if outputs["backend"] not in CLOUDS:
        return None
    if outputs["auth"] == "iam":
        return "roles log in with tokens of the cloud, which this machine has none of"
    # A name that no DNS knows comes with its address.
    uri = urlsplit(outputs["session_db_uri"])
    address = parse_qs(uri.query).get("hostaddr", [outputs["host"]])[0]
    try:
        socket.create_connection((address, uri.port or int(outputs["port"])), _REACH_SECONDS).close()
    except OSError:
        return f"{outputs['host']} cannot be reached from here, only from inside its network"
    if urlsplit(outputs["admin_db_uri"]).password is None:
        return "the cloud keeps the owner's password: put it into PGPASSWORD, from the secret in the runbook"
    return None


def _environment(outputs: dict[str, Any], stack: str) -> dict[str, str]:
    """The two URIs, and the file with the server's CA where the record carries one."""
    variables = {"SESSION_DB_URI": outputs["session_db_uri"], "ADMIN_DB_URI": outputs["admin_db_uri"]}
    certificate = str(outputs["ca_certificate"])
    if certificate.startswith("-----BEGIN "):
        variables["PGSSLROOTCERT"] = str(_kept(certificate, STATE / "ca" / f"{stack}.pem"))
    return variables


def _kept(certificate: str, file: Path) -> Path:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(certificate)
    return file


def _run(arguments: list[str], environment: dict[str, str], *, as_json: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "app.cli", *arguments]
    stdout = subprocess.PIPE if as_json else None
    run = subprocess.run(command, cwd=ROOT, env=environment, check=False, text=True, stdout=stdout)
    if run.returncode:
        raise SchemaError(run.stdout or "", run.returncode)
    answer: dict[str, Any] = json.loads(run.stdout) if as_json else {}
    return answer
