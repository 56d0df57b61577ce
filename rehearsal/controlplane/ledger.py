"""What a control plane remembers: documents by shelf and key, safe from a kill at any moment."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

Document: TypeAlias = dict[str, Any]
"""What JSON can carry; never a password."""

_FILE: Final = "ledger.db"
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS documents (
        shelf TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (shelf, key)
    )
"""


class Ledger:
    """The memory, in a file that only its owner may read; any thread may use it.

    Args:
        folder: The rehearsal's; it exists.
    """

    def __init__(self, folder: Path) -> None:
        """Open it, or begin an empty one."""
        path = folder / _FILE
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(_TABLE)
        self._depth = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept, or none of them; no other thread reads or writes meanwhile."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def put(self, shelf: str, key: str, document: Document) -> None:
        """Remember a document in the place of the one under its key."""
        with self._lock:
            text = json.dumps(document)
            self._connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (shelf, key, text))

    def get(self, shelf: str, key: str) -> Document | None:
        """The document under a key; None where there is none."""
        with self._lock:
            query = "SELECT document FROM documents WHERE shelf = ? AND key = ?"
            row = self._connection.execute(query, (shelf, key)).fetchone()
        return None if row is None else _read(row[0])

    def remove(self, shelf: str, key: str) -> None:
        """Forget a document; nothing happens where there is none."""
        with self._lock:
            self._connection.execute("DELETE FROM documents WHERE shelf = ? AND key = ?", (shelf, key))

    def all(self, shelf: str) -> dict[str, Document]:
        """Every document of a shelf by key, in the order of the keys."""
        with self._lock:
            query = "SELECT key, document FROM documents WHERE shelf = ? ORDER BY key"
            rows = self._connection.execute(query, (shelf,)).fetchall()
        return {key: _read(text) for key, text in rows}

    def count(self, name: str) -> int:
        """The next number of a series of that name, from 1 on; none is given twice."""
        with self.transaction():
            number: int = (self.get("counters", name) or {"last": 0})["last"] + 1
            self.put("counters", name, {"last": number})
        return number

    def close(self) -> None:
        """Close the file; nothing can be asked afterwards."""
        with self._lock:
            self._connection.close()


def _read(text: str) -> Document:
    document: Document = json.loads(text)
    return document
