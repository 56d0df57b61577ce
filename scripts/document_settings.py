"""Writes the table of settings in docs/SESSION_DATABASE_CONFIG.md anew, from the settings themselves.

Example: .venv/bin/python scripts/document_settings.py
"""

import re
from pathlib import Path

from infra import settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "SESSION_DATABASE_CONFIG.md"
TABLE = re.compile(r"(?<=\| setting \| meaning \| default \|\n\|---\|---\|---\|\n)(?:\|.*\n)+")


def main() -> None:
    """Replace the rows of the table."""
    rows = [f"| `{key}` | {meaning} | {shown(default)} |\n" for key, default, meaning in settings.documented()]
    PAGE.write_text(TABLE.sub("".join(rows).replace("\\", r"\\"), PAGE.read_text(), count=1))


def shown(default: str) -> str:
    """A default as the table shows it."""
    return default if default in {"required", "none"} else f"`{default}`"


if __name__ == "__main__":
    main()
