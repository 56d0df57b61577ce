"""What a server advises is for whoever runs it: no option of a command, and where its login comes from."""

import asyncio
import logging
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from app import dsn
from app.api.storage import sessions
from app.api.storage.reads import Reads
from app.api.storage.sizes import SqliteSizes
from app.errors import SessionDatabaseError

URI = "postgresql://adk_user:change-me@db.example.org/adk_sessions"


class Broken:
    """A session service whose every method meets one error."""

    def __init__(self, error: Exception) -> None:
        """Keep it."""
        for name in (*sessions._READS, *sessions._WRITES):  # noqa: SLF001  # What is told apart there.
            setattr(self, name, self._raise)
        self._error = error

    async def _raise(self, *_: Any, **__: Any) -> None:
        raise self._error


def logged(error: Exception, url: URL, caplog: pytest.LogCaptureFixture) -> str:
    """The line of a request that meets an error."""
    nobody_asks = Reads(SqliteSizes(url, 1), 1, 1)
    service: Any = sessions.telling(Broken(error), url, lambda _: None, nobody_asks)  # type: ignore[arg-type]  # Only what is told apart is there.
    with caplog.at_level(logging.WARNING), pytest.raises(SessionDatabaseError):
        asyncio.run(service.get_session())
    (record,) = caplog.records
    return record.getMessage()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.errors.InsufficientPrivilege("permission denied for table events"), "run session-db bootstrap"),
        (psycopg.errors.LockNotAvailable("lock timeout"), "pg_locks"),
        (psycopg.errors.AdminShutdown("terminating connection"), "What was not finished was undone"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_advice_is_one_that_a_server_can_follow(
    error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It has neither an administrator's URI nor the options of a bootstrap."""
    said = logged(error, dsn.parse(URI), caplog)

    assert words in said
    assert not any(word in said for word in ("Name a role", "--lock-wait", "--statement-wait", "run it again"))


@pytest.mark.parametrize(
    ("settings", "uri", "words"),
    [
        ({}, URI, "in SESSION_DB_URI"),
        ({}, "postgresql://adk_user@db.example.org/adk_sessions", "SESSION_DB_URI has no password"),
        ({"SESSION_DB_PASSWORD_FILE": "/run/secrets/p"}, URI, "/run/secrets/p, which SESSION_DB_PASSWORD_FILE names"),
        (
            {"SESSION_DB_PASSWORD_SECRET": "projects/p/secrets/s"},
            URI,
            "projects/p/secrets/s, which SESSION_DB_PASSWORD_SECRET names",
        ),
        ({"SESSION_DB_IDENTITY": "rds_iam"}, URI, "SESSION_DB_IDENTITY=rds_iam"),
    ],
)
def test_a_login_that_is_refused_is_told_with_where_it_comes_from(
    settings: dict[str, str],
    uri: str,
    words: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever looks at the URI while the password is in a file looks in vain."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    said = logged(psycopg.errors.InvalidPassword("password authentication failed"), dsn.parse(uri), caplog)

    assert "it does not accept user and password. " in said
    assert words in said
    assert ("percent-encoded" in said) == (words == "in SESSION_DB_URI")
    assert "change-me" not in said
