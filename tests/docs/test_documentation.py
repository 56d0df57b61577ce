"""What the documentation says is what the code does."""

import functools
import inspect
import re
import sqlite3
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from dotenv import dotenv_values
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.sessions.schemas import v1
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

import app.cli
import app.dsn
import infra.command_line
from app import serve
from app.api import kinds
from app.backends.interface import Target
from app.errors import DatabaseUnavailableError, InvalidUriError, SessionDatabaseError
from app.schema.sqlite import METADATA
from app.settings import Settings
from app.verbs import bootstrap
from infra import contract, policy, settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "session-database"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIG = (ROOT / "docs" / "SESSION_DATABASE_CONFIG.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
SCHEMA = (ROOT / "docs" / "SESSION_DATABASE_SCHEMA.md").read_text()


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    lines = page.partition(f"{heading}\n")[2].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    table = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def bare(cell: str) -> str:
    """A cell without code marks."""
    return cell.replace("`", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Within the repository."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


CLOUDS = ("gcp", "aws", "azure")


def documented_settings() -> dict[str, list[str]]:
    """Meaning, default and the defaults of `staging` and `dev`, by key; a key of all clouds once for each of them."""
    section = CONFIG.partition("## Stack files\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### (?:Every stack|The sections? .*)$", section, re.MULTILINE)
    assert len(headings) == 7
    found: dict[str, list[str]] = {}
    for key, *cells in (row for heading in headings for row in rows(section, heading)):
        for cloud in CLOUDS if "<cloud>" in key else ("",):
            name = bare(key).replace("<cloud>", cloud)
            assert name not in found, name
            found[name] = [cells[0], *map(bare, cells[1:])]
    return found


def test_every_setting_is_documented_with_its_default() -> None:
    """And none that does not exist; what the clouds have alike stands once."""
    documented = documented_settings()
    known = {key: [meaning, default] for key, default, meaning in settings.documented()}

    assert {key: cells[:2] for key, cells in documented.items()} == known
    alike = set.intersection(*({key.partition(".")[2] for key in known if key.startswith(f"{c}.")} for c in CLOUDS))
    for key in alike:
        same = len({tuple(known[f"{cloud}.{key}"]) for cloud in CLOUDS}) == 1
        assert (f"| `<cloud>.{key}` |" in CONFIG) == same, key


@pytest.mark.parametrize("profile", ["staging", "dev"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_defaults_of_each_profile_are_as_documented(cloud: str, profile: str) -> None:
    """Looked at in the loaded settings: where a cell is empty the default is production's."""
    loaded: list[Any] = [
        settings.load({f"{PROJECT}:backend": cloud, f"{PROJECT}:profile": each}, project=PROJECT, stack="x")
        for each in ("prod", profile)
    ]
    different = {}
    for key, (_meaning, _default, *cells) in documented_settings().items():
        if not key.startswith(f"{cloud}.") or "[]" in key or "deny_maintenance." in key:
            continue
        prod, other = (functools.reduce(getattr, key.split("."), each) for each in loaded)
        if prod != other:
            different[key] = str(other).lower() if isinstance(other, bool) else str(other)
        cell = cells[["staging", "dev"].index(profile)]
        told = {name: value for value, name in re.findall(r"(\S+) \((\w+)\)", cell)}
        assert (told.get(cloud, "") if told else cell) == different.get(key, ""), key
    assert different


def test_every_floor_of_production_is_documented() -> None:
    """In its own words, with the settings that keep a stack on it; a waiver uses the name."""
    documented = rows((ROOT / "docs" / "clouds.md").read_text(), "## Profiles and waivers")
    known = []
    for rule in (rule for rule in policy.RULES if not rule.everywhere):
        where = "" if len(rule.fixes) == len(CLOUDS) else f" ({', '.join(rule.fixes)})"
        keys = dict.fromkeys(fix.key for fix in rule.fixes.values())
        known.append([rule.name, f"{rule.expected}{where}", ", ".join(keys)])

    assert [[bare(cell) for cell in row] for row in documented] == known


def test_every_effect_is_of_a_setting_and_in_the_words_of_its_page() -> None:
    """Each cloud has one word of the legend for each edit, and each edit stands once."""
    page = (ROOT / "docs" / "effects.md").read_text()
    words = {bare(word) for word, _meaning in rows(page, "# What an edit does")}
    table = rows(page, "## Edit by edit")
    known = {key.partition(".")[2] or key for key, _default, _meaning in settings.documented()}

    assert len({(setting, edit) for setting, edit, *_effects in table}) == len(table) > 30
    for setting, _edit, *effects in table:
        assert set(bare(setting).split(", ")) <= known, setting
        assert len(effects) == len(CLOUDS)
        assert {bare(effect) for effect in effects} <= words, setting


def test_every_setting_of_the_api_server_is_documented() -> None:
    """In the words of the settings themselves, and none that does not exist."""
    known = [list(setting) for group in serve.GROUPS for setting in group.documented()]
    table = rows(API, "## Settings")
    documented = [[bare(name), meaning, bare(default), bounds] for name, meaning, default, bounds in table]

    assert set(serve.GROUPS) == {each for each in Settings.__subclasses__() if each.__module__.startswith("app.")}
    assert documented == known
    assert "docs/api.md" in (app.cli.serve.epilog or ""), "the help leads there"


def test_every_output_is_documented() -> None:
    """In the words of the record itself."""
    words = inspect.getdoc(contract.SessionDatabase) or ""
    documented = {bare(name): meaning for name, meaning in rows(CONFIG, "## The exported record")}

    assert list(documented) == [field.name for field in fields(contract.SessionDatabase)]
    for name, meaning in documented.items():
        assert f"{name}: {meaning}" in words


def test_every_kind_of_error_is_documented() -> None:
    """So that an alarm on one can be written from the page."""
    ours = [each for each in vars(kinds).values() if isinstance(each, type) and each.__module__ == kinds.__name__]
    of_requests = [each for each in ours if issubclass(each, SessionDatabaseError)]
    unavailable: list[type[Exception]] = [DatabaseUnavailableError, *DatabaseUnavailableError.__subclasses__()]
    known = {kinds.name(each) for each in [*of_requests, *unavailable, StaleSessionError]}

    documented = [
        kind
        for row in rows(API, "| kinds of `session_db_errors_total` | of |")
        for kind in re.findall(r"`(\w+)`", row[0])
    ]

    assert sorted(documented) == sorted(known)


@pytest.mark.parametrize("command", [infra.command_line.cli, app.cli.cli], ids=["infra", "session-db"])
def test_every_command_has_help_with_an_example(command: click.Group) -> None:
    """And its exit codes are those of the table."""
    name = {"infra": "python -m infra", "app": "session-db"}[command.callback.__module__.split(".")[0]]
    head = CONFIG.partition("## Exit codes")[2].splitlines()[2]
    column = [bare(cell.strip()) for cell in head.strip("|").split("|")].index(name)
    for verb, sub in command.commands.items():
        assert sub.help
        assert f"Example: {name} {verb}" in (sub.epilog or ""), verb
    for row in rows(CONFIG, "## Exit codes"):
        assert re.search(rf"{row[0]} +{re.escape(bare(row[column]))}$", command.epilog or "", re.MULTILINE), row


def test_every_command_in_the_documentation_exists() -> None:
    """Make targets, verbs and options."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text()
        assert set(re.findall(r"`make ([a-z]+)", text)) <= targets, page.name
        assert set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE)) <= targets, page.name
        assert set(re.findall(r"session-db ([a-z]+)", text)) <= set(app.cli.cli.commands), page.name
        verbs = set(re.findall(r"-m infra ([a-z]+)", text))
        assert verbs <= set(infra.command_line.cli.commands), page.name


@pytest.mark.parametrize(
    ("name", "command"),
    [("-m infra", infra.command_line.cli), ("session-db", app.cli.cli)],
    ids=["infra", "session-db"],
)
def test_every_option_in_the_documentation_exists(name: str, command: click.Group) -> None:
    """Of the very verb that it stands behind."""
    found = 0
    for page in [*PAGES, *sorted(ROOT.glob("Pulumi.*.yaml"))]:
        for verb, rest in re.findall(rf"{name} ([a-z]+)((?: [^`\n#]*)?)", page.read_text()):
            named = command.commands[verb]
            params = (named.commands[rest.split()[0]] if isinstance(named, click.Group) and rest else named).params
            known = {option for param in params for option in (*param.opts, *param.secondary_opts)}
            for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
                found += 1
                assert option in known, f"{page.name}: {verb} {option}"
    assert found


def test_make_help_lists_every_target() -> None:
    """Each has a description."""
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    described = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))

    assert set(phony.split()) - described == {"environment"}


def test_every_variable_of_the_template_is_documented() -> None:
    """The commented ones too; and the template is a valid .env file that sets nothing dangerous."""
    template = ROOT / ".env.example"
    names = set(re.findall(r"^(?:# )?([A-Z_]+)=", template.read_text(), re.MULTILINE))

    assert names
    assert all(f"`{name}`" in CONFIG for name in names), names
    assert dotenv_values(template) == {"ENVIRONMENT": "development"}


SPELLINGS = {
    "sqlite": "A URI with a password is never taken from the command line, "
    "where every user of the machine could read it.",
    "postgresql+psycopg": "### PostgreSQL URIs",
}
"""Where the table of URIs is of each drivername."""


@pytest.mark.parametrize("drivername", list(SPELLINGS))
def test_the_uris_of_the_tables_are_as_described(drivername: str) -> None:
    """What is called refused is refused, and the others are not."""
    read = []
    for spelling, meaning in rows(CONFIG, SPELLINGS[drivername]):
        uri = bare(spelling)
        if "://" not in uri:
            continue
        if meaning.startswith("refused"):
            with pytest.raises(InvalidUriError):
                app.dsn.parse(uri)
        else:
            assert app.dsn.parse(uri).drivername == drivername
        read.append(meaning.startswith("refused"))

    assert set(read) == {True, False}


def test_the_uris_of_the_template_are_accepted() -> None:
    """Each line works once its comment mark is gone; those of PostgreSQL say so as ADK and we read them."""
    uris = re.findall(r"^# (?:SESSION|ADMIN)_DB_URI=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert len(uris) == 6
    for uri in uris:
        assert app.dsn.parse(uri).render_as_string(hide_password=False) == uri


def test_the_codes_of_an_unavailable_database_are_documented() -> None:
    """In the words of the help."""
    heading = "These say why `session-db` cannot use the database; `python -m infra up` passes them on:"
    helped = re.findall(r"^ +(\d\d) +(.+)$", app.cli.cli.epilog or "", re.MULTILINE)

    assert [tuple(row) for row in rows(CONFIG, heading)] == helped


def described(table: Table, dialect: Dialect) -> list[list[str]]:
    """A table as the documentation shows one."""
    key = [column.name for column in table.primary_key.columns]
    found = []
    for column in table.columns:
        kind = column.type.compile(dialect).replace(" WITHOUT TIME ZONE", "")
        nullable = column.nullable and not (column.primary_key and dialect.name == "postgresql")
        place = str(key.index(column.name) + 1) if column.name in key else ""
        found.append([f"`{column.name}`", kind if nullable else f"{kind} NOT NULL", place])
    return found


@pytest.mark.parametrize("name", list(METADATA.tables))
def test_the_sqlite_tables_are_as_documented(name: str) -> None:
    """Column by column, in order."""
    section = SCHEMA.partition("## SQLite\n")[2].partition("## PostgreSQL\n")[0]

    assert rows(section, f"### {name}") == described(METADATA.tables[name], sqlite.dialect())


@pytest.mark.parametrize("name", list(v1.Base.metadata.tables))
def test_the_postgresql_tables_are_as_documented(name: str) -> None:
    """Held against the installed ADK's own metadata."""
    section = SCHEMA.partition("## PostgreSQL\n")[2]

    assert rows(section, f"### {name}") == described(v1.Base.metadata.tables[name], postgresql.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.


def test_every_query_in_the_documentation_runs(tmp_path: Path) -> None:
    """On a database that the bootstrapper made."""
    path = tmp_path / "sessions.db"
    bootstrap(Target.of(app.dsn.parse(f"sqlite:///{path}")))
    queries = re.findall(r"```sql\n(.*?)```", SCHEMA, re.DOTALL)
    connection = sqlite3.connect(path)
    try:
        connection.execute("INSERT INTO sessions VALUES ('echo', 'ada', 'first', '{}', 0, 0)")
        event = '{"author": "user", "content": {"parts": [{"text": "Hello"}]}}'
        connection.execute("INSERT INTO events VALUES ('e', 'echo', 'ada', 'first', 'i', 0, ?)", (event,))
        answers = [connection.execute(query).fetchall() for query in queries]
    finally:
        connection.close()

    assert len(queries) == 5
    assert all(answers)
    assert answers[1] == [("1970-01-01 00:00:00", "user", "Hello")]


def test_nothing_of_one_machine_is_in_the_repository() -> None:
    """No home folder, no key."""
    secret = re.compile(r"/roo[t]/|/home/[a-z]+/|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{20}|-----BEGIN")
    for page in [*PAGES, ROOT / ".env.example", *sorted(ROOT.glob("Pulumi*.yaml"))]:
        assert not secret.search(page.read_text()), page.name
