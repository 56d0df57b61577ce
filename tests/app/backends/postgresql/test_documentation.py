"""What the documentation says of PostgreSQL is what a server says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import verbs
from app.backends.interface import Target
from app.backends.postgresql import rights

SCHEMA = (Path(__file__).resolve().parents[4] / "docs" / "SESSION_DATABASE_SCHEMA.md").read_text()

Sql = Callable[[str], list[tuple[Any, ...]]]


def test_every_query_for_postgresql_runs(target: Target, sql: Sql) -> None:
    """And finds what is there."""
    verbs.bootstrap(target)
    sql("INSERT INTO sessions VALUES ('echo', 'ada', 'first', '{}', now(), now() AT TIME ZONE 'UTC')")
    data = '{"author": "user", "content": {"parts": [{"text": "Hello"}]}}'
    sql(f"INSERT INTO events VALUES ('e', 'echo', 'ada', 'first', 'i', '2026-01-01', '{data}')")

    answers = [sql(query) for query in re.findall(r"```postgresql\n(.*?)```", SCHEMA, re.DOTALL)]

    assert [len(answer) for answer in answers] == [1, 1, 4, 1]
    assert answers[1][0][1:] == ("user", "Hello")


def test_the_table_of_rights_is_the_one_that_is_granted() -> None:
    """Table by table, for the app role and for the one that reads."""
    section = SCHEMA.partition("## Roles\n")[2]
    lines = [line for line in section.splitlines() if re.match(r"\| `\w+` \| SELECT", line)]
    documented = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]

    granted = [
        [table, ", ".join(wanted), ", ".join(rights.READ_ONLY_RIGHTS[table])]
        for table, wanted in rights.APP_RIGHTS.items()
    ]
    assert sorted(documented) == sorted(granted)
