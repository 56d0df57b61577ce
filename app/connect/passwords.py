"""The password to log in with: the URI's, else what the cloud's own command line gives out."""

import json
import os
import shlex
import subprocess
from typing import Final

from sqlalchemy import URL

from app.connect import inherited, programs
from app.errors import CloudRefusedError
from app.stack import Record

_SECONDS: Final = 60.0

Command = tuple[str, ...]


def commands(url: URL, record: Record | None) -> tuple[Command, ...]:
    """What has to be asked, each answer the last argument of the next question; empty where nothing has to be.

    Args:
        url: The database's, in the role that logs in.
        record: What its stack exports.
    """
    if url.password is not None or record is None or record.rehearsal:
        return ()
    if record.text("auth") == "iam":
        return _token(url, record)
    return _kept_by_rds(record) if record.text("backend") == "aws" else ()


def asked(questions: tuple[Command, ...]) -> str:
    """The answer, which is a secret.

    Args:
        questions: From `commands`.

    Raises:
        InvalidSettingError: The cloud's command line is not there.
        CloudRefusedError: It fails, for example because nobody is logged in.
    """
    programs.require({command[0] for command in questions})
    answer: tuple[str, ...] = ()
    for command in questions:
        answer = (_answer((*command, *answer)),)
    (text,) = answer
    return str(json.loads(text)["password"]) if text.startswith("{") else text


def nested(questions: tuple[Command, ...]) -> str:
    """The questions as one command for a shell, whose output is the password.

    Args:
        questions: From `commands`.
    """
    text = ""
    for command in questions:
        text = shlex.join(command) + (f' "$({text})" | jq -r .password' if text else "")
    return text


def _token(url: URL, record: Record) -> tuple[Command, ...]:
    """As in each stack's runbook; a token of RDS is for the server's own name, whatever the way to it."""
    if record.text("backend") == "gcp":
        return (("gcloud", "sql", "generate-login-token"),)
    if record.text("backend") == "azure":
        resource = ("--resource-type", "oss-rdbms", "--query", "accessToken", "--output", "tsv")
        return (("az", "account", "get-access-token", *resource),)
    place = ("--hostname", str(url.host), "--port", str(url.port or 5432), "--username", str(url.username))
    return (("aws", "rds", "generate-db-auth-token", "--region", record.text("region"), *place),)


def _kept_by_rds(record: Record) -> tuple[Command, ...]:
    """The owner's, which RDS keeps and rotates in a secret of its own (Amazon RDS, "Password management")."""
    region = ("--region", record.text("region"), "--output", "text")
    secret = ("--query", "DBInstances[0].MasterUserSecret.SecretArn")
    return (
        ("aws", "rds", "describe-db-instances", *region, *secret, "--db-instance-identifier", record.text("instance")),
        ("aws", "secretsmanager", "get-secret-value", *region, "--query", "SecretString", "--secret-id"),
    )


def _answer(command: Command) -> str:
    done = None
    try:
        done = subprocess.run(
            command,
            env=inherited.by_cloud(os.environ),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        reason = f"no answer within {_SECONDS:.0f} s"
    else:
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
        reason = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
    message = f"expected a password from `{' '.join(command[:3])}`, but: {reason}. Log in to the cloud first"
    raise CloudRefusedError(message)
