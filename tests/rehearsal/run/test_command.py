"""Commands are real processes: what they say, how they fail, and what of it is kept."""

import sys
from collections.abc import Callable

import pytest

from rehearsal.errors import StepError
from rehearsal.run.command import Commands

Script = Callable[[str], Commands]


def test_a_command_gets_its_stack_and_where_the_rehearsal_plays(script: Script) -> None:
    """And its one JSON object is the answer."""
    commands = script("""
        import json, os, sys
        print(json.dumps({"argv": sys.argv[1:], "ground": os.environ["SESSION_DB_REHEARSAL"]}))
    """)

    answer = commands.infra("up", "--no-bootstrap")

    assert answer["argv"] == ["up", "--stack", "rehearse-gcp", "--rehearse", "--no-bootstrap", "--json"]
    assert answer["ground"] == str(commands.ground)
    assert commands.typed == [".venv/bin/python -m infra up --stack rehearse-gcp --rehearse --no-bootstrap"]


def test_a_failure_is_told_in_the_command_s_own_words_and_kept_in_a_log(script: Script) -> None:
    """Its errors alone, though it says more."""
    commands = script("""
        import sys
        sys.exit("opening the state\\nerror: the disk is full\\nerror: free some of it")
    """)

    with pytest.raises(StepError) as failed:
        commands.infra("up")

    assert str(failed.value) == "the disk is full\nfree some of it"
    assert failed.value.look == "less logs/01-up.log"
    assert "opening the state" in (commands.folder / "01-up.log").read_text()


def test_a_command_that_says_nothing_is_told_by_its_exit_code(script: Script) -> None:
    """It is a failure all the same."""
    with pytest.raises(StepError, match="it ended with 7, without a word"):
        script("import sys; sys.exit(7)").infra("up")


def test_an_answer_that_is_no_json_is_a_failure(script: Script) -> None:
    """Whatever the exit code says."""
    with pytest.raises(StepError, match="expected one JSON object"):
        script("print('done')").infra("up")


def test_secrets_that_were_asked_for_are_neither_logged_nor_counted_as_printed(script: Script) -> None:
    """Those that nobody asked for are."""
    commands = script("""print('{"password": "change-me"}')""")

    assert commands.infra("outputs", "--show-secrets") == {"password": "change-me"}
    assert "change-me" not in "".join(commands.printed)
    assert not any("change-me" in log.read_text() for log in commands.folder.iterdir())

    commands.infra("outputs")
    assert "change-me" in "".join(commands.printed)


def test_a_refusal_is_an_answer_where_it_is_asked_for(script: Script) -> None:
    """And None is, where there was none."""
    refusing = """
        import json, sys
        print(json.dumps({"error": {"message": "g1 is protected"}}))
        sys.exit(1)
    """

    assert script(refusing).refused("destroy") == "g1 is protected"
    assert script("""print('{"changes": {}}')""").refused("destroy") is None


def test_lines_are_told_while_the_command_runs(script: Script) -> None:
    """One after the other."""
    commands, told = script("import sys; print('one\\ntwo', file=sys.stderr); print('{}')"), list[str]()
    commands.tell = told.append

    commands.infra("up")

    assert told == ["one", "two"]
    assert commands.argv("session-db", ["verify"])[:3] == [sys.executable, "-m", "app.cli"]
