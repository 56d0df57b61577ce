"""The project's own commands, run as an operator runs them: arguments without secrets in, one JSON object out."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from rehearsal.controlplane.client import FOLDER_VARIABLE
from rehearsal.errors import StepError
from rehearsal.run import layout
from rehearsal.run.processes import Processes

_MODULES: Final = {"session-db": "app.cli", "infra": "infra"}

_WORDS: Final = 12
"""Lines of a command's own words that a report has room for."""


@dataclass
class Commands:
    """Runs commands on one stack's rehearsal.

    Attributes:
        stack: The stack.
        ground: The folder of its control plane and servers.
        processes: Where it is written down what runs.
        folder: Where the logs go.
        tell: Takes each line that a command says meanwhile.
        typed: The command lines so far.
        printed: What they printed, but for secrets that were asked for.
    """

    stack: str
    ground: Path
    processes: Processes
    folder: Path
    tell: Callable[[str], None]
    typed: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list, repr=False)

    def infra(self, verb: str, *options: str) -> dict[str, Any]:
        """Run `python -m infra`; it has to succeed.

        Args:
            verb: For example `up`.
            options: Besides `--stack`, `--rehearse` and `--json`.

        Raises:
            StepError: It failed; in its own words.
        """
        return self._answer("infra", [verb], options, {0})

    def session_db(self, *verbs: str, options: Collection[str] = (), held: Collection[int] = (0,)) -> dict[str, Any]:
        """Run `session-db`.

        Args:
            verbs: For example `drill`, `failover`.
            options: Besides `--stack`, `--rehearse` and `--json`.
            held: The exit codes with which there is an answer.

        Raises:
            StepError: It failed; in its own words.
        """
        return self._answer("session-db", verbs, options, held)

    def refused(self, verb: str) -> str | None:
        """Run `python -m infra` where it ought to refuse; returns its words, or None where it did as it was told."""
        answer = self._answer("infra", [verb], (), {0, 1, 2})
        return str(answer["error"]["message"]) if "error" in answer else None

    def line(self, name: str, verbs: Collection[str], options: Collection[str] = ()) -> str:
        """A command as one types it.

        Args:
            name: `infra` or `session-db`.
            verbs: What it is to do.
            options: Besides those that every command here has.
        """
        program = ".venv/bin/python -m infra" if name == "infra" else ".venv/bin/session-db"
        return f"{program} {shlex.join([*verbs, *self._stack(), *options])}"

    def argv(self, name: str, verbs: Collection[str], options: Collection[str] = ()) -> list[str]:
        """The same for the operating system, by this very interpreter."""
        return [sys.executable, "-m", _MODULES[name], *verbs, *self._stack(), *options]

    @property
    def environment(self) -> dict[str, str]:
        """What every command sees: this process's, and where the rehearsal plays."""
        return {**os.environ, FOLDER_VARIABLE: str(self.ground)}

    def _stack(self) -> list[str]:
        return ["--stack", self.stack, "--rehearse"]

    def _answer(
        self, name: str, verbs: Collection[str], options: Collection[str], held: Collection[int]
    ) -> dict[str, Any]:
        line = self.line(name, verbs, options)
        self.typed.append(line)
        argv = self.argv(name, verbs, [*options, "--json"])
        with tempfile.TemporaryFile("w+") as out:
            with self.processes.started(argv, **self._how(out)) as process:
                said = self._heard(process)
                code = process.wait()
            out.seek(0)
            answer = out.read()
        shown = "" if "--show-secrets" in options else answer
        self.printed += [said, shown]
        log = self._logged(verbs, f"$ {line}\n{said}{shown}")
        if code not in held:
            raise StepError(_words(said, code), f"less {log}")
        return _parsed(answer, line, log)

    def _how(self, out: IO[str]) -> dict[str, Any]:
        return {"cwd": layout.ROOT, "env": self.environment, "stdout": out, "stderr": subprocess.PIPE}

    def _heard(self, process: subprocess.Popen[str]) -> str:
        """What it says, line by line while it says it."""
        said = []
        for line in process.stderr or ():
            said.append(line)
            self.tell(line.strip())
        return "".join(said)

    def _logged(self, verbs: Collection[str], text: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{len(self.typed):02}-{'-'.join(verbs)}.log"
        log.write_text(text)
        return layout.shown(log)


def _words(said: str, code: int) -> str:
    """A command's errors, or else the last that it said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [re.sub(r"^(error|broken): ", "", line) for line in lines if re.match(r"(error|broken): ", line)]
    return "\n".join((errors or lines)[-_WORDS:]) or f"it ended with {code}, without a word"


def _parsed(answer: str, line: str, log: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        message = f"expected one JSON object of `{line} --json`"
        raise StepError(message, f"less {log}") from None
    return found
