"""The generated passwords, kept in memory alone, and the search for them where they must not be in clear."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from rehearsal.report.findings import Scan

_GZIP: Final = b"\x1f\x8b"

_URIS: Final = ("session_db_uri", "admin_db_uri")


@dataclass
class Passwords:
    """What must be in clear nowhere, and where it was looked for.

    Attributes:
        known: The passwords.
        searched: How much, by place, in bytes.
        found: Where one was.
    """

    known: set[str] = field(default_factory=set, repr=False)
    searched: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def learn(self, outputs: Mapping[str, Any]) -> None:
        """Take the passwords out of a record's URIs.

        Args:
            outputs: With the URIs in clear.
        """
        for name in _URIS:
            if password := urlsplit(str(outputs[name])).password:
                self.known.add(unquote(password))

    def search(self, place: str, texts: Iterable[tuple[str, bytes]]) -> None:
        """Look for every password.

        Args:
            place: What it is, for the report, for example `state`.
            texts: Each with a name of its own.
        """
        for name, text in texts:
            self.searched[place] = self.searched.get(place, 0) + len(text)
            if any(password.encode() in text for password in self.known):
                self.found.append(f"{place}: {name}")

    def scan(self) -> Scan:
        """What came of it."""
        places = {place: f"{size / 1000:,.0f} KB" for place, size in self.searched.items()}
        return Scan(len(self.known), places, tuple(dict.fromkeys(self.found)))


def files(paths: Iterable[Path], base: Path) -> Iterator[tuple[str, bytes]]:
    """Files with their content, unpacked where they are packed; those that are gone meanwhile are left out.

    Args:
        paths: The files.
        base: What their names are told from.
    """
    for path in paths:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        yield str(path.relative_to(base)), gzip.decompress(content) if content.startswith(_GZIP) else content


def sslmode(outputs: Mapping[str, Any]) -> str:
    """How the URI of the app role checks the server's certificate; read-only.

    Args:
        outputs: With the URIs in clear.
    """
    return parse_qs(urlsplit(str(outputs[_URIS[0]])).query).get("sslmode", ["none"])[0]
