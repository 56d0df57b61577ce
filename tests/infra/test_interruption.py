"""What is said when the user stops an operation, and what is not."""

import signal
import traceback

import pytest

from infra import interruption
from infra.errors import InterruptedByUserError


@pytest.fixture(autouse=True)
def foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal tells the children itself: those of other tests are left alone."""
    monkeypatch.setattr(interruption, "_in_foreground", lambda: True)


def fail_as_grpc_does() -> None:
    """Print what could not be sent to an engine that is gone."""
    try:
        int("no answer")
    except ValueError:
        traceback.print_exc()


def stopped_and_failing() -> None:
    """Ctrl-C, and what comes of it in a thread of gRPC's."""
    signal.raise_signal(signal.SIGINT)
    fail_as_grpc_does()


def test_after_a_stop_what_grpc_could_not_send_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can mend it, and the line about the state would be lost below it."""
    said: list[str] = []
    before = traceback.print_exc

    with (
        pytest.raises(InterruptedByUserError, match="The state is consistent"),
        interruption.patient("prod", said.append),
    ):
        stopped_and_failing()

    assert capsys.readouterr().err == ""
    assert said == ["stopping: the step in hand is finished first"]
    assert traceback.print_exc is before, "elsewhere tracebacks are printed as ever"


def test_without_a_stop_a_traceback_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the only trace of a failure in a thread."""
    with interruption.patient("prod", print):
        fail_as_grpc_does()

    assert "ValueError" in capsys.readouterr().err
