"""What the command line says when something is refused."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from infra import command_line, ctrl_c
from infra.errors import SettingsError
from infra.layout import ROOT


def test_each_distinct_line_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal of twenty resources is one to mend."""
    refusal = SettingsError("expected a\nexpected b\nexpected a")

    with pytest.raises(SystemExit) as ended, command_line._answering(as_json=False):  # noqa: SLF001  # Around each verb.
        raise refusal

    assert ended.value.code == SettingsError.exit_code
    assert capsys.readouterr().err.splitlines() == ["error: expected a", "error: expected b"]


def test_what_a_terminal_would_hide_is_shown_as_an_escape(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever's words they are, since the engine's quote values, too; its tabs are blanks."""
    refusal = SettingsError("not\tStandard\x00\x1b[2J")

    with pytest.raises(SystemExit), command_line._answering(as_json=False):  # noqa: SLF001  # Around each verb.
        raise refusal

    assert capsys.readouterr().err == "error: not     Standard\\x00\\x1b[2J\n"


STOPPED_AT = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == os.environ["MOMENT"]:
            os.killpg(0, signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv[1:] = os.environ["WORDS"].split()
runpy.run_module("infra", run_name="__main__", alter_sys=True)
"""
"""Runs `python -m infra`, and sends its whole group Ctrl-C when a module is about to be imported."""


def stopped(moment: str, words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line, stopped in the middle of its imports."""
    environment = os.environ | {"MOMENT": moment, "WORDS": words}
    command = [sys.executable, "-c", STOPPED_AT]
    return subprocess.run(
        command,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        **options,
    )


@pytest.mark.parametrize("moment", ["infra.command_line", "click", "pulumi", "grpc", "infra.stage"])
def test_ctrl_c_while_it_starts_is_one_line(moment: str) -> None:
    """The first second goes into imports, and that is when a slip is noticed."""
    done = stopped(moment, "up --stack dev")

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: stopped as asked\n")


def test_ctrl_c_while_it_starts_is_one_object_for_a_script() -> None:
    """As it is later."""
    done = stopped("pulumi", "up --stack dev --json")

    assert done.returncode == 130
    assert json.loads(done.stdout) == {"error": {"kind": "InterruptedByUserError", "message": "stopped as asked"}}


def test_ctrl_c_is_left_ignored_where_it_was() -> None:
    """A script's `&` and `nohup` ask for that."""
    done = stopped("pulumi", "--help", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))

    assert done.returncode == 0, done.stderr
    assert "Drive the Pulumi program" in done.stdout


def test_within_an_operation_ctrl_c_is_raised_and_answered_once_more_afterwards() -> None:
    """What was begun is ended in order; a second one while that is said ends the rest."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        ctrl_c.answered_at_once()
        outside = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), ctrl_c.raised():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is outside is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
