"""Which database is meant, and as whom: two URIs of one database, from a stack or from the environment."""

import types
from pathlib import Path

import pytest

from app import dsn, environment, stack, target
from app.backends.interface import Roles, Target, Waits
from app.credentials import vendors
from app.credentials.interface import Login
from app.credentials.renewed import Lease
from app.errors import InvalidSettingError, InvalidUriError, StackUnavailableError, UnsupportedBackendError

APP = "postgresql://app:pw@h/db"
OWNER = "postgresql://owner:pw@h/db"


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's `.env` has no say."""
    monkeypatch.setattr(environment, "_FILES", ())


def exported(monkeypatch: pytest.MonkeyPatch, app: str, owner: str) -> None:
    """A stack `dev` with these URIs, and no other stack."""

    def record_of(name: str, *, rehearse: bool = False) -> stack.Record:
        if (name, rehearse) not in {("dev", False), ("rehearsed", True)}:
            raise StackUnavailableError(name)
        return stack.Record(name, {stack.APP: app, stack.OWNER: owner})

    monkeypatch.setattr(stack, "record_of", record_of)


def test_one_uri_serves_both_roles(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite, which has no roles, and where PostgreSQL has but one."""
    for uri in (f"sqlite:///{path}", APP):
        monkeypatch.setenv("SESSION_DB_URI", uri)

        assert (
            target.find(None) == Target.of(dsn.parse(uri)) == Target(dsn.parse(uri), dsn.parse(uri), Roles(), Waits())
        )


def test_the_owner_has_a_variable_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in any spelling, also on another port: a pooler may stand before the app alone."""
    monkeypatch.setenv("SESSION_DB_URI", "postgres://app:pw@h:6432/db?ssl=require")
    monkeypatch.setenv("ADMIN_DB_URI", "postgresql+asyncpg://owner:pw@h:5432/db")

    found = target.find(None)

    assert found.app == dsn.parse("postgresql://app:pw@h:6432/db?sslmode=require")
    assert found.owner == dsn.parse("postgresql://owner:pw@h:5432/db")


def test_the_owner_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every setting may."""
    (tmp_path / ".env").write_text(f"SESSION_DB_URI={APP}\nADMIN_DB_URI={OWNER}\n")
    monkeypatch.setattr(environment, "_FILES", (str(tmp_path / ".env"),))

    found = target.find(None)

    assert (found.app, found.owner) == (dsn.parse(APP), dsn.parse(OWNER))


def test_sqlite_has_no_owner(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that was left over from another database does not count."""
    monkeypatch.setenv("SESSION_DB_URI", f"sqlite:///{path}")
    monkeypatch.setenv("ADMIN_DB_URI", OWNER)

    assert target.find(None) == Target.of(dsn.parse(f"sqlite:///{path}"))


@pytest.mark.parametrize("admin", ["postgresql://owner:s3cret@h/other", "sqlite:////srv/sessions.db"])
def test_two_databases_are_refused(admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The roles would be made in one, and the tables in the other; the message shows both and no password."""
    monkeypatch.setenv("SESSION_DB_URI", "postgresql://app:s3cret@h/db")
    monkeypatch.setenv("ADMIN_DB_URI", admin)

    with pytest.raises(InvalidSettingError) as caught:
        target.find(None)

    assert str(caught.value) == (
        "expected SESSION_DB_URI and ADMIN_DB_URI to name one database, but they name "
        f"postgresql+psycopg://app:***@h/db and {dsn.masked(dsn.parse(admin))}. "
        "Change one of them; ADMIN_DB_URI may also be unset"
    )


def test_without_any_uri_the_ways_to_give_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's alone is not enough: ADK works as the app."""
    monkeypatch.setenv("ADMIN_DB_URI", OWNER)

    with pytest.raises(InvalidUriError, match=r"set SESSION_DB_URI in the env.*, or in a clone give --stack dev"):
        target.find(None)


def test_a_refusal_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is to be changed."""
    monkeypatch.setenv("SESSION_DB_URI", APP)
    monkeypatch.setenv("ADMIN_DB_URI", "mysql://owner:pw@h/db")
    with pytest.raises(UnsupportedBackendError, match="It is set by ADMIN_DB_URI in the environment"):
        target.find(None)

    monkeypatch.setenv("SESSION_DB_URI", "mysql://app:pw@h/db")
    with pytest.raises(UnsupportedBackendError, match="It is set by SESSION_DB_URI in the environment"):
        target.find(None)


def test_a_stack_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one means it."""
    monkeypatch.setenv("SESSION_DB_URI", "sqlite:////srv/other.db")
    monkeypatch.setenv("ADMIN_DB_URI", "postgresql://other:pw@h/other")
    exported(monkeypatch, APP, OWNER)

    found = target.find("dev")

    assert (found.app, found.owner) == (dsn.parse(APP), dsn.parse(OWNER))


@pytest.mark.parametrize("name", ["prod", ""])
def test_a_stack_that_is_not_there_is_not_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--stack "$STACK"` with an unset variable must not touch another database."""
    monkeypatch.setenv("SESSION_DB_URI", APP)
    exported(monkeypatch, APP, OWNER)

    with pytest.raises(StackUnavailableError):
        target.find(name)


def test_what_a_stack_exports_is_read_as_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the message says where it comes from."""
    exported(monkeypatch, APP, "postgresql://owner:s3cret-p@ss@h/db")
    with pytest.raises(InvalidUriError) as caught:
        target.find("dev")
    assert str(caught.value).endswith("It is exported by stack dev.")
    assert "s3cret" not in str(caught.value)

    exported(monkeypatch, APP, "postgresql://owner:pw@h/other")
    with pytest.raises(InvalidSettingError, match="to name one database"):
        target.find("dev")


@pytest.mark.parametrize("name", [None, "dev"])
def test_a_file_among_the_agents_is_refused(name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is named."""
    uri = f"sqlite:///{tmp_path}/echo/sessions.db"
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path))
    monkeypatch.setenv("SESSION_DB_URI", uri)
    exported(monkeypatch, uri, uri)

    with pytest.raises(InvalidSettingError, match="expected a database outside the agents folder"):
        target.find(name)


def test_roles_and_waits_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they were asked for; and a bootstrap by hand may convert, unlike a server that starts."""
    monkeypatch.setenv("SESSION_DB_URI", APP)
    roles, waits = Roles("rds_iam", "owner", "reader", "adk"), Waits(1, 2, 3)

    found = target.find(None, roles, waits)

    assert (found.roles, found.waits, found.convert) == (roles, waits, True)


def test_a_rehearsal_is_asked_for_by_its_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never the environment's database, and never the stack itself."""
    monkeypatch.setenv("SESSION_DB_URI", "postgresql://other:pw@h/other")
    exported(monkeypatch, APP, OWNER)

    assert target.find("rehearsed", rehearse=True).app == dsn.parse(APP)
    with pytest.raises(StackUnavailableError):
        target.find("dev", rehearse=True)
    with pytest.raises(InvalidSettingError, match="for example: --stack prod --rehearse"):
        target.find(None, rehearse=True)


def test_the_app_role_logs_in_as_a_server_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that gets its password as a mounted file needs it in no variable; the administrator's is its own."""
    (tmp_path / "password").write_text("postgresql://app_2:from-the-file@h/db\n")
    monkeypatch.setenv("SESSION_DB_URI", "postgresql://app@h/db")
    monkeypatch.setenv("SESSION_DB_PASSWORD_FILE", str(tmp_path / "password"))
    mounted = dsn.parse("postgresql://app_2:from-the-file@h/db")

    alone = target.find(None)
    monkeypatch.setenv("ADMIN_DB_URI", OWNER)
    both = target.find(None)

    assert (alone.app, alone.owner) == (mounted, mounted)
    assert (both.app, both.owner) == (mounted, dsn.parse(OWNER))


def test_the_app_role_logs_in_with_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked for under the same setting as a server's, and the role that is made is one of tokens."""
    asked: list[str] = []

    def imported(cloud: str) -> types.SimpleNamespace:
        asked.append(cloud)
        return types.SimpleNamespace(token=lambda url: lambda now: Lease.until(Login(url.username, "token"), now, now))

    monkeypatch.setattr(vendors, "imported", imported)
    monkeypatch.setenv("SESSION_DB_URI", "postgresql://app@h/db?sslmode=verify-full")
    monkeypatch.setenv("SESSION_DB_IDENTITY", "rds_iam")

    found = target.find(None)

    assert (asked, found.app.password, found.roles.identity) == (["aws"], "token", "rds_iam")
    with pytest.raises(InvalidSettingError, match="expected --app-identity rds_iam with SESSION_DB_IDENTITY=rds_iam"):
        target.find(None, Roles("password"))


def test_a_login_for_a_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has none, so another database was meant."""
    monkeypatch.setenv("SESSION_DB_URI", f"sqlite:///{path}")
    monkeypatch.setenv("SESSION_DB_PASSWORD_FILE", "/run/secrets/password")

    with pytest.raises(InvalidSettingError, match="expected SESSION_DB_URI to name the PostgreSQL database"):
        target.find(None)
