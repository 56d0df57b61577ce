"""What the log leaves out, whoever logs it."""

import asyncio
import json
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from google.adk.errors._stale_session_error import StaleSessionError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError

from app.api.kinds import UnforeseenError
from app.api.telemetry import logs, unheard
from app.environment import ROOT
from app.errors import DiskFullError

WISH = "a wish that nobody else may read"


@pytest.fixture
def installed(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """The log as JSON, read back; the test's own handlers come back in the end."""
    kept = logging.root.handlers[:], logging.root.level

    def install(level: str, **variables: str) -> Any:
        logs.install(
            logs.Logs.read({"API_LOG_FORMAT": "json", "API_LOG_LEVEL": level, **variables}.get), ROOT / "agents"
        )
        return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield install
    logging.root.handlers[:], logging.root.level = kept
    logging.captureWarnings(capture=False)
    for name in ("app", "app.pool", "echo", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).propagate = True


class Words(BaseModel):
    """What pydantic holds against an input."""

    said: int


def test_a_databases_error_is_logged_without_its_words(installed: Any) -> None:
    """By a library too, with a traceback or as an argument: rows, statements and addresses stand in them."""
    read = installed("info")
    quoting = psycopg.OperationalError("Key (user_id)=(ada) at 192.0.2.1")
    wrapped = OperationalError("INSERT INTO events", {"id": "ada"}, quoting)

    around = RuntimeError("while it worked")
    around.__cause__ = quoting
    for error in (quoting, wrapped, around):
        logging.getLogger("a.library").error("it failed: %s", error, exc_info=error)
    logging.getLogger("a.library").error("it failed: %s", wrapped)
    lines = read()

    assert len(lines) == 4
    assert not [line for line in lines if "ada" in str(line) or "192.0.2.1" in str(line) or "INSERT" in str(line)]
    assert all("Error" in line["message"] for line in lines), "but which kind it was"


def fails_as_a_tool() -> None:
    """As an agent's tool, with what a user said."""
    try:
        Words.model_validate({"said": WISH})
    except ValidationError as error:
        message = f"cannot book {WISH}"
        raise KeyError(message) from error


def group() -> Exception:
    """As of tasks that run side by side."""
    return ExceptionGroup("two of them", [ValueError(WISH), ExceptionGroup("more", [RuntimeError(f"no {WISH}")])])


@pytest.mark.parametrize("logger", ["google_adk.anything", "app.api.storage.failures", "uvicorn.error", "my_agent"])
def test_an_exception_is_logged_by_its_place_and_kind(installed: Any, logger: str) -> None:
    """Whoever logs it and however: whoever is on call sees where, and nobody sees what a user said."""
    read = installed("info")
    log = logging.getLogger(logger)

    try:
        fails_as_a_tool()
    except KeyError as error:
        log.warning("it failed: %s", error)
        log.warning("it failed: %(error)s", {"error": error})
        log.exception("it failed")
    log.error("they failed", exc_info=group())
    lines = read()

    assert len(lines) == 4
    assert WISH not in str(lines)
    assert [line["message"] for line in lines[:2]] == ["it failed: KeyError"] * 2
    assert "in fails_as_a_tool" in lines[2]["exc_info"]
    assert lines[2]["exc_info"].endswith("KeyError")
    assert "pydantic_core._pydantic_core.ValidationError" in lines[2]["exc_info"], "what led to it"
    assert "RuntimeError" in lines[3]["exc_info"], "what is in the group"


def test_a_line_that_is_put_together_by_hand_is_found_out(installed: Any) -> None:
    """As those of libraries that format before they log, and of asyncio and uvicorn, which write whole exceptions."""
    read = installed("info")
    log = logging.getLogger("a.library")

    try:
        fails_as_a_tool()
    except KeyError as error:
        log.warning(f"it failed: {error}")  # noqa: G004  # What is tried.
        log.warning(traceback.format_exc())
        log.warning("Task exception was never retrieved\nfuture: %r", error, exc_info=error)
    log.error("Task exception was never retrieved\nfuture: %s", repr(group()), exc_info=group())
    lines = read()

    assert WISH not in str(lines)
    assert lines[0]["message"] == "it failed: KeyError"
    assert "in fails_as_a_tool" in lines[1]["message"]


def test_an_exception_that_was_kept_is_found_in_what_holds_it(installed: Any) -> None:
    """A list of failures, logged when all is done."""
    read, error = installed("info"), ValueError(WISH)

    logging.getLogger("a.library").error("%s", [error])
    logging.getLogger("a.library").error("%s and %s", {"e": error}, (1, error))
    logging.getLogger("a.library").error("it failed", extra={"cause": error})
    lines = read()

    assert len(lines) == 3
    assert WISH not in str(lines)
    assert str(lines).count("ValueError") == 4


def test_what_asyncio_says_of_a_call_has_not_what_it_was_called_with(installed: Any) -> None:
    """It writes handles and tasks by their representation."""
    read = installed("info")

    async def work() -> None:
        asyncio.get_running_loop().call_soon(int, WISH)
        asyncio.create_task(asyncio.sleep(0, WISH), name=WISH).add_done_callback(lambda _: int(WISH))
        await asyncio.sleep(0.01)

    asyncio.run(work())
    lines = read()

    assert len(lines) == 2
    assert WISH not in str(lines)
    assert all("Exception in callback" in line["message"] and "ValueError" in line["exc_info"] for line in lines)


def test_what_ends_a_thread_is_in_the_log_as_well(installed: Any) -> None:
    """Python itself would print it, in words."""
    read, hooks = installed("info"), (threading.excepthook, sys.unraisablehook)
    unheard.install()
    try:
        thread = threading.Thread(target=int, args=[WISH])
        thread.start()
        thread.join()
        sys.unraisablehook(SimpleNamespace(exc_type=ValueError, exc_value=ValueError(WISH), exc_traceback=None))
    finally:
        threading.excepthook, sys.unraisablehook = hooks
    lines = read()

    assert [line["logger"] for line in lines] == ["app.api.telemetry.unheard"] * 2
    assert WISH not in str(lines)
    assert all("ValueError" in line["exc_info"] for line in lines)


def test_a_line_that_does_not_fit_its_arguments_is_logged_without_them(
    installed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python would print them on standard error."""
    read = installed("info")

    logging.getLogger("a.library").error("%d failed", WISH)
    said = capsys.readouterr()

    assert '"message": "%d failed"' in said.out
    assert WISH not in said.out + said.err
    assert not read()


def test_what_cannot_be_told_is_no_reason_to_fail(installed: Any) -> None:
    """Whoever logs has other things to do."""
    read = installed("info")

    class MuteError(Exception):
        def __str__(self) -> str:
            raise NotImplementedError

    logging.getLogger("a.library").error("it failed: %s", MuteError(), exc_info=MuteError())

    assert [line["message"] for line in read()] == ["a line that cannot be told: NotImplementedError"]


def test_what_a_client_is_told_to_do_needs_no_traceback(installed: Any) -> None:
    """Two turns on one session, or an outage, are many of them, and there is nothing to look for in our own code."""
    read = installed("info")
    log = logging.getLogger("google_adk.anything")

    for error in (StaleSessionError("read it again"), DiskFullError("the database has no room left")):
        log.error("Error in event_generator: %s", error, exc_info=error)
    log.error("Error in event_generator", exc_info=UnforeseenError("of no kind"))
    *foreseen, unforeseen = read()

    assert [line["level"] for line in foreseen] == ["WARNING", "WARNING"]
    assert not [line for line in foreseen if "exc_info" in line]
    assert "the database has no room left" in foreseen[1]["message"]
    assert (unforeseen["level"], "UnforeseenError" in unforeseen["exc_info"]) == ("ERROR", True)


def test_what_is_a_number_is_kept(installed: Any) -> None:
    """The answer of a model's client is told by its status."""
    read = installed("info")

    class ClientError(Exception):
        code = 429

    logging.getLogger("my_agent").error("it failed: %s", ClientError(WISH), exc_info=OSError(28, WISH))

    (line,) = read()
    assert line["message"].endswith("ClientError (code 429)")
    assert line["exc_info"].endswith("OSError (errno 28)")


def test_words_are_kept_where_somebody_wants_them(installed: Any) -> None:
    """On the machine of whoever writes the agent; what a database's error quotes is left out there, too."""
    read = installed("info", API_LOG_EXCEPTIONS="words")

    logging.getLogger("an.agent").error("it failed", exc_info=RuntimeError("the model's key is wrong"))
    logging.getLogger("an.agent").error("it failed: %s", psycopg.OperationalError("Key (user_id)=(ada)"))

    agents, databases = read()
    assert "the model's key is wrong" in agents["exc_info"]
    assert databases["message"] == "it failed: psycopg.OperationalError"


def test_a_warning_is_a_line_without_what_it_warns_of(installed: Any) -> None:
    """google-genai quotes words that it does not know."""
    read = installed("info")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"{WISH} is not a valid Modality", UserWarning, stacklevel=1)

    (line,) = read()
    assert line["logger"] == "py.warnings"
    assert line["message"].endswith(": UserWarning")
    assert WISH not in str(line)


def test_agents_say_as_much_as_the_server(installed: Any) -> None:
    """By loggers that are named as their modules are."""
    read = installed("info")

    logging.getLogger("echo").info("of the agent")
    logging.getLogger("echo.tools.search").info("of a part of it")
    logging.getLogger("echo").debug("too little")

    assert [line["message"] for line in read()] == ["of the agent", "of a part of it"]


def test_libraries_say_nothing_below_warning(installed: Any) -> None:
    """ADK logs whole events at `debug`."""
    read = installed("debug")

    logging.getLogger("google_adk.anything").info("an event")
    logging.getLogger("app.anything").debug("ours")

    assert [line["message"] for line in read()] == ["ours"]
