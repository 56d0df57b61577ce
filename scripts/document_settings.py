"""Writes the tables of settings in docs/SESSION_DATABASE_CONFIG.md and docs/api.md anew, from the settings themselves.

Each is the first table under its heading. A key that the three clouds have alike stands once, as `<cloud>.key`.

Example: .venv/bin/python scripts/document_settings.py
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from app import serve
from infra import settings
from infra.settings.profiles import CLOUDS, DEFAULTS

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"

PAGE: Final = DOCS / "SESSION_DATABASE_CONFIG.md"

SERVER: Final = DOCS / "api.md"

SERVER_HEADING: Final = "## Settings"

ALIKE: Final = "<cloud>"

HEADINGS: Final = {
    "": "### Every stack",
    "sqlite": "### The section `sqlite`",
    "postgres": "### The section `postgres`",
    ALIKE: "### The sections `gcp`, `aws` and `azure` alike",
    "gcp": "### The section `gcp`",
    "aws": "### The section `aws`",
    "azure": "### The section `azure`",
}
"""The heading of each table, by the section that it is of."""


class Row(NamedTuple):
    """One setting: its meaning, its default, and the default in each profile where that is another one."""

    meaning: str
    default: str
    staging: str
    dev: str


def main() -> None:
    """Replace the tables."""
    page = PAGE.read_text()
    for section, rows in tables().items():
        page = replaced(page, HEADINGS[section], list(lines(section, rows)))
    PAGE.write_text(page)
    SERVER.write_text(replaced(SERVER.read_text(), SERVER_HEADING, list(server_lines())))


def server_lines() -> Iterator[str]:
    """The lines of the API server's table."""
    yield "| variable | meaning, with its unit | default | may be |"
    yield "|---|---|---|---|"
    for group in serve.GROUPS:
        for name, meaning, default, bounds in group.documented():
            shown = f"`{default}`" if default else ""
            yield re.sub(" +", " ", f"| `{name}` | {meaning} | {shown} | {bounds} |")


def tables() -> dict[str, dict[str, Row]]:
    """The rows by section, then by key within it; what the clouds have alike is under `<cloud>`."""
    found: dict[str, dict[str, Row]] = {section: {} for section in HEADINGS}
    for name, default, meaning in settings.documented():
        section, dot, key = name.partition(".")
        staging, dev = (differing(profile, section, key) for profile in ("staging", "dev"))
        found[section if dot else ""][key or name] = Row(meaning, default, staging, dev)
    first, *others = CLOUDS
    for key, row in list(found[first].items()):
        rows = [row, *(found[cloud][key] for cloud in others if key in found[cloud])]
        if len(rows) == len(CLOUDS) and len({each[:2] for each in rows}) == 1:
            found[ALIKE][key] = Row(row.meaning, row.default, *(together(rows, each) for each in ("staging", "dev")))
            for cloud in CLOUDS:
                del found[cloud][key]
    return found


def differing(profile: str, section: str, key: str) -> str:
    """The default of a profile where it is another one than production's, else nothing."""
    value: Any = DEFAULTS[profile].get(section, {})
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, Mapping):
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def together(rows: list[Row], profile: str) -> str:
    """One cell for the three clouds: what all of them say, or which of them say what."""
    said = {cloud: str(getattr(row, profile)) for cloud, row in zip(CLOUDS, rows, strict=True)}
    if len(set(said.values())) == 1:
        return said[CLOUDS[0]]
    return ", ".join(f"{value} ({cloud})" for cloud, value in said.items() if value)


def lines(section: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """The lines of a table; only a cloud's settings differ by profile."""
    prefix = f"{section}." if section else ""
    profiles = section in {ALIKE, *CLOUDS}
    yield "| setting | meaning | default |" + (" in `staging` | in `dev` |" if profiles else "")
    yield "|---|---|---|" + ("---|---|" if profiles else "")
    for key, row in rows.items():
        cells = [f"`{prefix}{key}`", row.meaning, code(row.default), *([row.staging, row.dev] if profiles else [])]
        yield re.sub(" +", " ", f"| {' | '.join(cells)} |")


def code(value: str) -> str:
    """A value as a table shows it."""
    return value if value in {"required", "none"} else f"`{value}`"


def replaced(page: str, heading: str, table: list[str]) -> str:
    """The page with another table under a heading."""
    before, found, after = page.partition(f"\n{heading}\n")
    start = re.search(r"^\|(?:.*\n\|)*.*$", after, re.MULTILINE)
    if not found or not start:
        message = f"expected a table under the heading {heading}"
        raise SystemExit(message)
    return before + found + after[: start.start()] + "\n".join(table) + after[start.end() :]


if __name__ == "__main__":
    main()
