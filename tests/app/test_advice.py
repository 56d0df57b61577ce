"""A login that is refused is told with where it comes from, whoever of the two roles it is of."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from app import advice, dsn, environment, target
from app.backends.interface import Target
from app.backends.postgresql import failures

APP = "postgresql://adk_user:change-me@db.example.org/adk_sessions"
OWNER = "postgresql://postgres:change-me@db.example.org/adk_sessions"


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's `.env` has no say."""
    monkeypatch.setattr(environment, "_FILES", ())


def said(name: str | None, database: Target, url: URL) -> str:
    """What is told of a login that the server refuses."""
    with failures.advised(advice.of(name, database)):
        return str(failures.meaning(psycopg.OperationalError("password authentication failed"), url))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SESSION_DB_URI": APP}, "Look at both in SESSION_DB_URI"),
        ({"SESSION_DB_URI": APP.replace(":change-me", "")}, "SESSION_DB_URI has no password"),
        ({"SESSION_DB_URI": APP, "ADMIN_DB_URI": OWNER}, "with --set-password it gives"),
    ],
)
def test_the_app_roles_login_is_told_with_its_place(
    settings: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that is not there at all is the usual mistake, and the role may not be there either."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    database = target.find(None)

    assert words in said(None, database, database.app)


def test_a_password_of_a_file_is_told_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is percent-encoded there."""
    file = tmp_path / "password"
    file.write_text("change-me")
    monkeypatch.setenv("SESSION_DB_URI", APP.replace(":change-me", ""))
    monkeypatch.setenv("SESSION_DB_PASSWORD_FILE", str(file))
    database = target.find(None)

    told = said(None, database, database.app)

    assert f"{file}, which SESSION_DB_PASSWORD_FILE names" in told
    assert "percent-encoded" not in told


def test_the_owners_login_is_told_with_its_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two roles have two variables."""
    monkeypatch.setenv("SESSION_DB_URI", APP)
    monkeypatch.setenv("ADMIN_DB_URI", OWNER)
    database = target.find(None)

    assert "Look at both in ADMIN_DB_URI" in said(None, database, database.owner)
    monkeypatch.setenv("ADMIN_DB_URI", OWNER.replace(":change-me", ""))
    database = target.find(None)
    assert "ADMIN_DB_URI has no password" in said(None, database, database.owner)


def test_a_stacks_login_is_told_with_what_renews_its_record() -> None:
    """A password that was changed in .env is not in the record until then."""
    database = Target(dsn.parse(APP), dsn.parse(OWNER))

    for url in (database.app, database.owner):
        assert "make up STACK=staging" in said("staging", database, url)
