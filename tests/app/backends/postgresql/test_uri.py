"""PostgreSQL URIs: every spelling that users paste becomes what psycopg and ADK read; the rest is refused in words."""

import contextlib
from typing import Any

import pytest
from google.adk.cli.utils.service_factory import create_session_service_from_options
from google.adk.sessions.database_session_service import DatabaseSessionService
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import conninfo
from sqlalchemy import URL, create_engine, make_url

from app import dsn
from app.backends import choice
from app.backends.postgresql import uri
from app.errors import InvalidUriError

PLAIN = {"host": "h", "user": "u", "password": "p", "dbname": "db"}
TEXT = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1)
"""What `str.isprintable` lets pass."""


def given_to_psycopg(url: URL) -> dict[str, Any]:
    """What SQLAlchemy would have psycopg connect with."""
    arguments, options = create_engine(url).dialect.create_connect_args(url)
    assert arguments == []
    return {name: value for name, value in options.items() if name != "context"}


def read(text: str) -> dict[str, Any]:
    """The same of a text, which has to lose nothing on its way to ADK and back; libpq has to take it as well."""
    url = dsn.parse(text)
    again = make_url(choice.of(url).adk_uri(url))
    found = given_to_psycopg(url)
    assert (url.drivername, again, given_to_psycopg(again)) == (uri.DRIVER, url, found)
    assert dsn.parse(choice.of(url).adk_uri(url)) == url
    conninfo.make_conninfo("", **found)
    return found


@pytest.mark.parametrize(
    "scheme",
    [
        "postgres",
        "postgresql",
        "postgresql+psycopg",
        "postgresql+psycopg_async",
        "postgresql+psycopg2",
        "postgresql+asyncpg",
        "postgresql+pg8000",
        "postgres+asyncpg",
        "POSTGRESQL",
        "Postgres+AsyncPG",
    ],
)
def test_every_scheme_means_psycopg(scheme: str) -> None:
    """The one driver that serves the synchronous bootstrapper and ADK alike."""
    assert read(f"{scheme}://u:p@h/db") == PLAIN


@pytest.mark.parametrize(
    ("query", "sslmode"),
    [
        ("ssl=require", "require"),
        ("ssl=verify-full", "verify-full"),
        ("ssl=disable", "disable"),
        ("ssl=true", "require"),
        ("ssl=True", "require"),
        ("ssl=1", "require"),
        ("ssl=on", "require"),
        ("ssl=false", "disable"),
        ("ssl=0", "disable"),
        ("sslmode=disable", "disable"),
        ("sslmode=allow", "allow"),
        ("sslmode=prefer", "prefer"),
        ("sslmode=require", "require"),
        ("sslmode=verify-ca", "verify-ca"),
        ("sslmode=verify-full", "verify-full"),
        ("ssl=require&sslmode=verify-full", "verify-full"),
    ],
)
def test_tls_is_said_in_libpqs_words(query: str, sslmode: str) -> None:
    """Whatever the driver that the URI was written for; where both are given, libpq's own wins."""
    assert read(f"postgresql+asyncpg://u:p@h/db?{query}") == PLAIN | {"sslmode": sslmode}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:p@/db?host=/cloudsql/p:r:i", {"host": "/cloudsql/p:r:i"}),
        ("postgresql://u:p@/db?host=%2Fcloudsql%2Fp%3Ar%3Ai", {"host": "/cloudsql/p:r:i"}),
        ("postgresql://u:p@/db?host=/cloudsql/p:r:i/.s.PGSQL.5432", {"host": "/cloudsql/p:r:i", "port": "5432"}),
        ("postgresql+asyncpg://u:p@/db?host=/srv/.s.PGSQL.6000", {"host": "/srv", "port": "6000"}),
        ("postgresql+pg8000://u:p@/db?unix_sock=/srv/.s.PGSQL.6000", {"host": "/srv", "port": "6000"}),
        (
            "postgresql+pg8000://u:p@/db?unix_sock=/cloudsql/p:r:i/.s.PGSQL.5432",
            {"host": "/cloudsql/p:r:i", "port": "5432"},
        ),
        ("postgresql://u:p@%2Fcloudsql%2Fp%3Ar%3Ai/db", {"host": "/cloudsql/p:r:i"}),
        ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql:5433/db", {"host": "/var/run/postgresql", "port": 5433}),
        ("postgresql://u:p@/db?host=/srv&port=6000", {"host": "/srv", "port": "6000"}),
        ("postgresql://u:p@ignored/db?host=/srv", {"host": "/srv"}),
    ],
)
def test_a_socket_is_its_folder(text: str, expected: dict[str, Any]) -> None:
    """As libpq takes it, its number as the port, whichever driver's spelling it was."""
    assert read(text) == PLAIN | expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:p@a,b/db", {"host": "a,b", "port": ","}),
        ("postgresql://u:p@a:1,b:2/db", {"host": "a,b", "port": "1,2"}),
        ("postgresql://u:p@a:1,b/db", {"host": "a,b", "port": "1,"}),
        ("postgresql://u:p@10.0.0.1,10.0.0.2,c/db", {"host": "10.0.0.1,10.0.0.2,c", "port": ",,"}),
        ("postgresql://u:p@/db?host=a:1&host=b:2", {"host": "a,b", "port": "1,2"}),
        ("postgresql://u:p@/db?host=a,b&port=1,2", {"host": "a,b", "port": "1,2"}),
        ("postgres://u:p@a:1,b:2/db?sslmode=require", {"host": "a,b", "port": "1,2", "sslmode": "require"}),
        ("postgres://u:p@a:1,b:2?dbname=db", {"host": "a,b", "port": "1,2"}),
        ("postgresql://u:p?q@a,b/db", {"host": "a,b", "port": ",", "password": "p?q"}),
        ("postgresql://u:p,q@a,b/db", {"host": "a,b", "port": ",", "password": "p,q"}),
    ],
)
def test_of_several_hosts_the_primary_is_found(text: str, expected: dict[str, Any]) -> None:
    """After a failover it is another one; a standby takes no writes."""
    assert read(text) == PLAIN | {"target_session_attrs": "read-write"} | expected


def test_what_several_hosts_are_asked_for_stays() -> None:
    """Whoever says something has a reason."""
    assert read("postgresql://u:p@a,b/db?target_session_attrs=any")["target_session_attrs"] == "any"


@pytest.mark.parametrize(
    "text", ["postgresql://u:a,b@h/db", "postgresql://u:p@h/a,b", "postgresql://u:p@h/db?options=a,b"]
)
def test_a_comma_elsewhere_makes_no_second_host(text: str) -> None:
    """In the password, the database's name or the query."""
    found = read(text)

    assert found["host"] == "h"
    assert "target_session_attrs" not in found


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("[::1]", {"host": "::1"}),
        ("[::1]:5433", {"host": "::1", "port": 5433}),
        ("[2001:db8::7]:5433", {"host": "2001:db8::7", "port": 5433}),
        ("[fe80::1%25eth0]:5433", {"host": "fe80::1%eth0", "port": 5433}),
        ("10.0.0.3:5432", {"host": "10.0.0.3", "port": 5432}),
        ("db-1.example.org", {"host": "db-1.example.org"}),
    ],
)
def test_every_form_of_address_is_read(host: str, expected: dict[str, Any]) -> None:
    """IPv6 in brackets, its zone percent-encoded as RFC 6874 has it."""
    assert read(f"postgresql://u:p@{host}/db") == PLAIN | expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://h/db?user=u&password=p", PLAIN),
        ("postgresql://h?user=u&password=p&dbname=db", PLAIN),
        ("postgresql://u@h/db?password=p%40%2F%26", PLAIN | {"password": "p@/&"}),
        ("postgresql://h/db?user=u&password=p@q", PLAIN | {"password": "p@q"}),
        ("postgresql:///db?host=h&user=u&password=p", PLAIN),
    ],
)
def test_credentials_in_the_query_move_to_their_places(text: str, expected: dict[str, Any]) -> None:
    """There SQLAlchemy masks them, whoever prints the URL."""
    url = dsn.parse(text)

    assert read(text) == expected
    assert dict(url.query).keys() <= {"host"}
    assert str(url).startswith("postgresql+psycopg://u:***@")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:p%40%2F%3A%3F%23%25%5B%5D@h/db", {"password": "p@/:?#%[]"}),
        ("postgresql://u:p+q@h/db", {"password": "p+q"}),
        ("postgresql://u:p%2Bq%20r@h/db", {"password": "p+q r"}),
        ("postgresql://u:p%C3%A4@h/db", {"password": "pä"}),
        ("postgresql://u:pä@h/db", {"password": "pä"}),
        ("postgresql://u:100%@h/db", {"password": "100%"}),
        ("postgresql://u:p/q?r#s:t@h/db", {"password": "p/q?r#s:t"}),
        ("postgresql://app%40project.iam:p@h/db", {"user": "app@project.iam"}),
        ("postgresql://ada%40example.onmicrosoft.com:p@h/db", {"user": "ada@example.onmicrosoft.com"}),
        ("postgresql://u:p@h/a%20b%2Fc", {"dbname": "a b/c"}),
        ("postgresql://u:p@h/db%40x", {"dbname": "db@x"}),
        ("postgresql://u:p@h/db?application_name=my%20agent", {"application_name": "my agent"}),
        ("postgresql://u:p@h/db?options=-csearch_path%3Dadk", {"options": "-csearch_path=adk"}),
        (
            "postgresql://u:p@h/db?sslrootcert=/etc/ca.pem&connect_timeout=3",
            {"sslrootcert": "/etc/ca.pem", "connect_timeout": "3"},
        ),
        (
            "postgresql://u:p@h/db?sslmode=require&channel_binding=require",
            {"sslmode": "require", "channel_binding": "require"},
        ),
    ],
)
def test_everything_arrives_as_it_was_meant(text: str, expected: dict[str, Any]) -> None:
    """Percent-encoded where it has to be, and libpq's own parameters as they are."""
    assert read(text) == PLAIN | expected


def test_a_server_of_the_machine_needs_no_host() -> None:
    """As `psql` finds it."""
    assert read("postgresql:///db") == {"dbname": "db"}
    assert read("postgresql://u@/db") == {"dbname": "db", "user": "u"}


@settings(deadline=None)
@given(user=TEXT, password=TEXT, database=TEXT.map(str.strip).filter(bool))
def test_every_password_survives_the_way_of_a_uri(user: str, password: str, database: str) -> None:
    """Rendered by SQLAlchemy, read here, rendered for ADK and read by SQLAlchemy again."""
    meant = URL.create("postgresql", user, password, "h", 5432, database)

    url = dsn.parse(meant.render_as_string(hide_password=False))

    found = make_url(choice.of(url).adk_uri(url))
    assert (url.username, url.password, url.database) == (user, password, database)
    assert (found.username, found.password, found.database) == (user, password, database)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgresql://u:p@x@h/db", "an @ in the user or the password to be written as %40"),
        ("postgresql://u@x:p@h/db", "an @ in the user or the password to be written as %40"),
        ("postgresql://h:5432/db?password=p@q/db", "an @ in the user or the password to be written as %40"),
        ("postgresql://u/p@h/db", "an @ in the user or the password to be written as %40"),
        ("postgresql://u:p@h/db?user=a@b", "an @ in the user or the password to be written as %40"),
        ("postgresql://u%40h/db", "the @ between the password and the host as it is, not as %40"),
        ("postgresql://u:p@h", "the name of a database after the host"),
        ("postgresql://u:p@h/", "the name of a database after the host"),
        ("postgresql://u:p@a,b", "the name of a database after the host"),
        ("postgresql://u:p@[::1],[::2]/db", "several hosts by name or IPv4 address"),
        (
            "postgresql+psycopg2cffi://u:p@h/db",
            "one of the drivers psycopg, psycopg_async, psycopg2, asyncpg, pg8000, or",
        ),
        (
            "postgresql://u:p@h/db?sslmode=Require",
            "sslmode to be one of disable, allow, prefer, require, verify-ca, ver",
        ),
        (
            "postgresql+asyncpg://u:p@h/db?ssl=yes",
            "sslmode to be one of disable, allow, prefer, require, verify-ca, ver",
        ),
        ("postgresql://u:p@h/db?pgbouncer=true", "only parameters that libpq knows, not pgbouncer"),
        ("postgresql://u:p@h/db?schema=a&pool_size=5", "only parameters that libpq knows, not pool_size, schema"),
        ("postgresql://u:p@h/db?Secret%20Word=1", "only parameters that libpq knows, not one that is no word"),
        ("postgresql://u:p@h/db?sslmode=", "a value for every parameter, as in ?sslmode=require"),
        ("postgresql://u:p@h/db?sslmode", "a value for every parameter, as in ?sslmode=require"),
        ("postgresql://u:p@h/db?ssl=1&ssl=0", "every parameter once, but for host, not ssl twice"),
        (
            "postgresql://u:p@h/db?sslmode=require&sslmode=disable",
            "every parameter once, but for host, not sslmode twice",
        ),
        ("postgresql://h/db?password=p@q&ssl=1&ssl=0", "every parameter once, but for host, not ssl twice"),
        ("postgresql://u:p%00q@h/db", "no control characters"),
        ("postgresql://u:p\tq@h/db", "no control characters"),
        ("postgresql://u:p\udce4@h/db", "no control characters"),
        ("postgresql://u:p%E4@h/db", "a PostgreSQL URI"),
        ("postgresql://u:p@h:port/db", "a PostgreSQL URI"),
        ("postgresql://u:p@h:/db", "a PostgreSQL URI"),
        ("postgresql://u:p@a:1,b:x/db", "a PostgreSQL URI"),
        ("postgresql://u:p@/db?host=a:1&host=b:2&port=3", "a PostgreSQL URI"),
        ("postgresql://u:p@/db?host=a,b&port=1,2,3", "a PostgreSQL URI"),
        ("postgresql://u:p@h/db?port=x", "a PostgreSQL URI"),
        ("postgresql://u:p@[::1/db", "a PostgreSQL URI"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(text: str, words: str) -> None:
    """What was expected, an example and the place to change."""
    with pytest.raises(InvalidUriError) as caught:
        dsn.parse(text)

    assert str(caught.value).startswith(f"expected {words}")
    assert str(caught.value).endswith(f". For example {uri.EXAMPLE}. {dsn.WHERE}")
    assert caught.value.__cause__ is None


def test_the_example_is_one() -> None:
    """What every refusal offers is accepted."""
    assert read(uri.EXAMPLE)["sslmode"] == "verify-full"


@settings(deadline=None)
@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing ends in another error, whatever was pasted."""
    for spelt in (text, f"postgresql://{text}", f"postgresql://u:p@h/db?{text}", f"postgresql://u:p@{text}/db"):
        with contextlib.suppress(InvalidUriError):
            dsn.parse(spelt, "Here.")


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("postgresql://u:p@h/db", "h:5432"),
        ("postgresql://u:p@h:5433/db", "h:5433"),
        ("postgresql://u:p@h/db?port=5433", "h:5433"),
        ("postgresql:///db", "localhost:5432"),
        ("postgresql://u:p@a:1,b:2/db", "a:1,b:2"),
        ("postgresql://u:p@/db?host=/cloudsql/p:r:i", "/cloudsql/p:r:i"),
    ],
)
def test_a_message_says_where_a_database_is(text: str, hosts: str) -> None:
    """All the hosts that were tried, or the socket's folder."""
    assert uri.hosts(dsn.parse(text)) == hosts


@pytest.mark.parametrize(
    "text",
    [
        "postgres://u:p%40%5B@h/db?sslmode=require",
        "postgresql://u:p@a:1,b:2/db",
        "postgresql://u:p@/db?host=/cloudsql/p:r:i",
        "postgresql://u:p@[fe80::1%25eth0]:5433/db",
    ],
)
def test_adk_opens_the_same_server(text: str) -> None:
    """As its server does from a URI, with an engine that connects only when it is used."""
    url = dsn.parse(text)

    service = create_session_service_from_options(base_dir=".", session_service_uri=choice.of(url).adk_uri(url))

    assert isinstance(service, DatabaseSessionService)
    assert given_to_psycopg(service.db_engine.url) == given_to_psycopg(url)
