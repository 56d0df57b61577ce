"""SQLite, for a laptop: `database` composes, `provider` serves the engine, `files` does the work on disk."""

from infra.backends.sqlite.database import SqliteDatabase

__all__ = ["SqliteDatabase"]
