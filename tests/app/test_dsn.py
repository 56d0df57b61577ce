"""Any database URI: who reads it, what is refused and where to change it, and that no password is ever shown."""

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, make_url

from app import dsn
from app.errors import InvalidUriError, SessionDatabaseError, UnsupportedBackendError

REFUSED = (
    "postgresql://user:s3cret-p@ss@host/db",
    "postgres://user:s3cret-p@ss@host/db",
    "postgresql+asyncpg://user:s3cret-p@ss@host:5432/db?ssl=require",
    "postgresql://user:p/s3cret-p@ss@host/db",
    "postgresql://user:p@ss/s3cret@host/db",
    "postgresql://user:p#s3cret-p@ss@host/db",
    "postgresql://user:p?s3cret-p@ss@host/db",
    "postgresql://user:p:s3cret-p@ss@host/db",
    "postgresql://user:p@ss:s3cret@host/db",
    "postgresql://user:p@ss,s3cret@host,other/db",
    "postgresql://user:p@ss/db?s3cret@host/db",
    "postgresql://user:p@ss/db?s3cret=@host/db",
    "postgresql://users3cret-p@ss@host/db",
    "postgresql://user@s3cret-p@ss/db",
    "postgresql//user:s3cret-p@ss@host/db",
    "postgresql:user:s3cret-p@ss@host/db",
    "postgresql:/user:s3cret-p@ss@host/db",
    "postgresql://host:s3cret/db",
    "postgresql://user:pw@host:s3cret-p@ss/db",
    "postgresql://user/s3cret-p@ss@host/db",
    "postgresql://user/s3cret-p@ss/db",
    "postgresql://user:s3cret-p%ss\x00@host/db",
    "postgresql://user:s3cret-p%00ss@host/db",
    "postgresql://user:s3cret-p%E4ss@host/db",
    "postgresql://user:s3cret-p@host:5432,other:x/db",
    "postgresql://user:s3cret-p@host",
    "postgresql://users3cret%40host/db",
    "postgresql://host:5432/db?password=p@s3cret/db",
    "postgresql://host/db?password=s3cret-p&password=s3cret-q",
    "postgresql://host/db?PASSWORD=s3cret-p",
    "postgresql://host/db?pass=s3cret-p",
    "postgresql://host/db?s3cret-p",
    "postgresql://host/db?sslmode=s3cret-p",
    "postgresql+oracle://user:s3cret-p@host/db",
    "user:s3cret-p@ss@host/db",
    "mysql://user:s3cret-p@ss@host/db",
    "jdbc:postgresql://host/db?user=user&password=s3cret-p",
    "sqlite://user:s3cret-p@ss@host/db",
    "sqlite://user:s3cret-p@ss",
    "sqlite://user/s3cret-p@ss",
    "sqlite:///sessions.db?password=s3cret-p@ss",
    "sqlite+pysqlcipher://:s3cret-p@ss@/sessions.db",
)
"""Wrong in some way, which often puts a part of the password elsewhere."""

ACCEPTED = (
    "postgresql://user:s3cret-p%40ss@host/db",
    "postgresql+asyncpg://user:s3cret-p%40ss@host/db?ssl=require",
    "postgres://user:s3cret-p@a:5432,b:5432/db",
    "postgresql://user:s3cret-p?q/r@host/db",
    "postgresql://host/db?password=s3cret-p@ss",
    "postgresql://user@host/db?password=s3cret-p%40ss",
    "postgresql:///db?host=/socket&user=u&password=s3cret-p@ss",
    "postgresql://user:pw@host/db?sslpassword=s3cret-p",
    "postgresql://user:pw@host/db?passfile=/s3cret",
    "postgresql://user:pw@host/db?options=-cs3cret%3D1",
    "postgresql://user:pw@host/db?service=s3cret",
)
"""Right, or readable in one way alone."""


def shown(error: BaseException) -> str:
    """What a traceback would print of an error and its causes, without the lines of this file."""
    return "".join(traceback.TracebackException.from_exception(error, limit=0).format())


@pytest.mark.parametrize(
    ("text", "drivername"),
    [
        ("sqlite:///sessions.db", "sqlite"),
        ("  sqlite:////srv/sessions.db\n", "sqlite"),
        ("postgresql://u:p@h/db", "postgresql+psycopg"),
        ("postgres://u:p@h/db", "postgresql+psycopg"),
        ("\tPostgreSQL+AsyncPG://u:p@h/db ", "postgresql+psycopg"),
    ],
)
def test_the_scheme_says_who_reads_the_rest(text: str, drivername: str) -> None:
    """Blanks around it, as a file or a shell leaves them, do not count."""
    assert dsn.parse(text).drivername == drivername


@pytest.mark.parametrize(
    "text",
    ["", "  ", "sessions.db", "/srv/sessions.db", "sqlite:/sessions.db", "postgresql:/u:p@h/db", "host=h dbname=db"],
)
def test_a_text_that_is_no_uri_is_refused(text: str) -> None:
    """The message has an example of each kind of database."""
    with pytest.raises(InvalidUriError) as caught:
        dsn.parse(text)

    assert str(caught.value).startswith("expected a database URI. For example sqlite:///data/sessions.db")
    assert " Or postgresql://adk_user:change-me@db.example.org:5432/adk_sessions?sslmode=" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mysql://u:p@h/db", "mysql://"),
        ("mysql+aiomysql://u:p@h/db", "mysql+aiomysql://"),
        ("postgresqlx://u:p@h/db", "postgresqlx://"),
        ("https://example.org/sessions.db", "https://"),
        ("memory://", "memory://"),
    ],
)
def test_another_database_is_refused_by_name(text: str, name: str) -> None:
    """Somebody who expected MySQL learns that this project has none."""
    with pytest.raises(UnsupportedBackendError) as caught:
        dsn.parse(text)

    assert str(caught.value).startswith(f"expected a URI of SQLite or PostgreSQL, not of {name}. For example sqlite://")


@pytest.mark.parametrize(
    "text", ["no uri", "mysql://h/db", "sqlite://two.db", "postgresql://h", "postgresql://h/d?x=1"]
)
def test_a_refusal_names_the_place_to_change(text: str) -> None:
    """Whoever refuses it: the settings, unless the caller knows better."""
    with pytest.raises(SessionDatabaseError) as usual:
        dsn.parse(text)
    with pytest.raises(SessionDatabaseError) as named:
        dsn.parse(text, "It is exported by stack dev.")

    assert str(usual.value).endswith(f" {dsn.WHERE}")
    assert str(named.value) == str(usual.value).replace(dsn.WHERE, "It is exported by stack dev.")


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_shows_no_password(text: str) -> None:
    """Neither in the message nor in what a traceback would print around it."""
    with pytest.raises(SessionDatabaseError) as caught:
        dsn.parse(text)

    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in shown(caught.value)


@pytest.mark.parametrize("text", [*REFUSED, *ACCEPTED])
def test_the_masked_form_of_a_text_shows_no_password(text: str) -> None:
    """However the URI is misspelt."""
    assert "s3cret" not in dsn.masked(text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_the_masked_form_of_what_was_read_shows_no_password(text: str) -> None:
    """Nor does the URL itself where somebody prints it, but for what is no password."""
    assert "s3cret" not in dsn.masked(dsn.parse(text))


PASSWORDS = st.text(st.characters(categories=["L", "M", "N", "P", "S"], include_characters=" "), min_size=1).map(
    lambda text: f"s3cret{text}s3cret"
)


@settings(deadline=None)
@given(password=PASSWORDS)
def test_no_password_is_shown_wherever_it_lands(password: str) -> None:
    """Written as it is, which nobody should, it may become host, port, path or query."""
    text = f"postgresql://user:{password}@host/db"
    try:
        url = dsn.parse(text)
    except SessionDatabaseError as error:
        assert "s3cret" not in shown(error)  # noqa: PT017  # Most are read, and some are refused.
    else:
        assert "s3cret" not in dsn.masked(url)
    assert "s3cret" not in dsn.masked(text)


def test_the_masked_form_keeps_what_helps() -> None:
    """Where a URI is well-formed, everything but the password and the query is there."""
    assert dsn.masked("postgresql://user:s3cret@host:5432/db?ssl=require") == "postgresql://user:***@host:5432/db"
    assert dsn.masked("sqlite:////srv/my sessions.db") == "sqlite:////srv/my sessions.db"
    assert dsn.masked("sqlite:///data/sessions.db?mode=ro") == "sqlite:///data/sessions.db"
    assert dsn.masked(make_url("sqlite:///sessions.db")) == "sqlite:///sessions.db"
    assert dsn.masked("no uri") == "[not a URI]"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://user:pw@host/db?sslmode=require", "postgresql+psycopg://user:***@host/db"),
        ("postgresql://user:pw@[::1]:5433/db", "postgresql+psycopg://user:***@[::1]:5433/db"),
        ("postgresql://user:pw@a:1,b:2/db", "postgresql+psycopg://user:***@/db?host=a%3A1&host=b%3A2"),
        (
            "postgresql://user:pw@/db?host=/cloudsql/p:r:i",
            "postgresql+psycopg://user:***@/db?host=%2Fcloudsql%2Fp%3Ar%3Ai",
        ),
        ("postgresql://app%40project.iam:pw@host/db", "postgresql+psycopg://app%40project.iam:***@host/db"),
        ("postgresql://user@host/db", "postgresql+psycopg://user@host/db"),
        ("postgresql://app%40project.iam@host/db", "postgresql+psycopg://app%40project.iam@host/db"),
        ("postgresql:///db", "postgresql+psycopg:///db"),
    ],
    ids=["plain", "IPv6", "several hosts", "socket", "at sign", "lone user", "identity", "no host"],
)
def test_the_masked_form_says_which_server(text: str, masked: str) -> None:
    """By all its hosts or its socket, and as whom: the password may be in a file or a secret, or none at all."""
    assert dsn.masked(dsn.parse(text)) == masked


def test_a_lone_user_of_a_text_that_nobody_has_read_is_not_shown() -> None:
    """It may be the password, its colon forgotten."""
    assert dsn.masked("postgresql://s3cret@host/db") == "postgresql://:***@host/db"
    assert dsn.masked("postgresql://host/db?user=s3cret") == "postgresql://host/db"


def test_a_host_in_the_query_that_holds_an_at_sign_is_not_shown() -> None:
    """It may be a piece of a password."""
    for host in ("s3cret@host", ("a", "s3cret@host")):
        url = URL.create("postgresql+psycopg", "user", "pw", database="db", query={"host": host})
        assert dsn.masked(url) == "postgresql+psycopg://user:***@/db"
