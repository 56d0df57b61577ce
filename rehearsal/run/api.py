"""The ADK API server of a rehearsed stack, and a conversation with its agent over HTTP."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from rehearsal import guard
from rehearsal.errors import StepError
from rehearsal.run import layout
from rehearsal.run.command import Commands

_AGENT: Final = "echo"
_SESSIONS: Final = f"/apps/{_AGENT}/users/operator/sessions"
_START_SECONDS: Final = 120.0
_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


@dataclass
class Conversation:
    """What was said, and whether a server has it.

    Attributes:
        session: Its id.
        turns: What was said and answered, in order.
    """

    session: str = "rehearsal"
    turns: list[str] = field(default_factory=list)

    def begin(self, client: httpx.Client) -> None:
        """Make the session."""
        _checked(client.post(_SESSIONS, json={"sessionId": self.session}))

    def say(self, client: httpx.Client, text: str) -> None:
        """One turn; it counts when it is answered.

        Raises:
            StepError: It is not.
        """
        message = {"role": "user", "parts": [{"text": text}]}
        asked = {"appName": _AGENT, "userId": "operator", "sessionId": self.session, "newMessage": message}
        answer = _checked(client.post("/run", json=asked))
        if f"You said: {text}" not in answer.text:
            words = f"expected the agent to repeat {text!r}, got {answer.text[:200]}"
            raise StepError(words)
        self.turns.append(text)

    def found(self, client: httpx.Client) -> list[str]:
        """What a server has of it: what was said to the agent, in order."""
        session: dict[str, Any] = _checked(client.get(f"{_SESSIONS}/{self.session}")).json()
        said = [event for event in session["events"] if event["author"] == "user"]
        return [part["text"] for event in said for part in event["content"]["parts"]]


@contextlib.contextmanager
def serving(commands: Commands, log: Path) -> Iterator[httpx.Client]:
    """Run the server as the app role of the stack, for as long as the body and this process live.

    Args:
        commands: Of the stack.
        log: What the server says goes here.

    Returns:
        A client of it.

    Raises:
        StepError: It does not start; in its own words.
    """
    commands.typed.append(commands.line("session-db", ["serve"], ["--port", "0"]))
    command = commands.argv("session-db", ["serve"], ["--port", "0"])
    log.parent.mkdir(parents=True, exist_ok=True)
    start = log.stat().st_size if log.exists() else 0
    guarded = [sys.executable, guard.__file__, "--log", str(log), "--", *command]
    # The guard works in the root folder, so Python is told where the project is.
    where = {**commands.environment, "PYTHONPATH": str(layout.ROOT)}
    with commands.processes.started(guarded, stdin=subprocess.PIPE, env=where) as process:
        try:
            with httpx.Client(base_url=_announced(process, log, start), timeout=_SECONDS, trust_env=False) as client:
                yield client
        finally:
            process.communicate("fast")


def _announced(process: subprocess.Popen[str], log: Path, start: int) -> str:
    """Its address, which it tells once it really answers."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        said = log.read_text()[start:] if log.exists() else ""
        if found := re.search(r"ADK API server: (http://\S+)/docs", said):
            return found[1]
        time.sleep(_POLL_SECONDS)
    words = "\n".join(log.read_text()[start:].splitlines()[-8:])
    message = f"expected the API server to answer, but it said:\n{words}"
    raise StepError(message, f"less {log}")


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        asked, got = f"{answer.request.method} {answer.request.url.path}", f"{answer.status_code}: {answer.text[:300]}"
        message = f"expected {asked} to succeed, got {got}"
        raise StepError(message)
    return answer
