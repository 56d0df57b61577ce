"""What the log leaves out, whoever logs it."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from app.api import logs


@pytest.fixture
def installed(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """The log as JSON, read back; the test's own handlers come back in the end."""
    kept = logging.root.handlers[:], logging.root.level

    def install(level: str) -> Any:
        logs.install(logs.Logs.read({"API_LOG_FORMAT": "json", "API_LOG_LEVEL": level}.get))
        return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield install
    logging.root.handlers[:], logging.root.level = kept
    for name in ("app", "app.pool", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).propagate = True
    assert sys.stdout is not None


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


def test_another_error_keeps_its_traceback(installed: Any) -> None:
    """Of an agent, for example."""
    read = installed("info")

    logging.getLogger("an.agent").error("it failed", exc_info=RuntimeError("the model's key is wrong"))

    (line,) = read()
    assert "the model's key is wrong" in line["exc_info"]


def test_libraries_say_nothing_below_warning(installed: Any) -> None:
    """ADK logs whole events at `debug`."""
    read = installed("debug")

    logging.getLogger("google_adk.anything").info("an event")
    logging.getLogger("app.anything").debug("ours")

    assert [line["message"] for line in read()] == ["ours"]
