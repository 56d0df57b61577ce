"""The `sqlite` section."""

from pydantic import Field

from infra.settings.section import Section
from infra.settings.types import FilePath


class SqliteSettings(Section):
    """One SQLite file on this machine."""

    path: FilePath = Field(
        default="data/sessions/sessions.db",
        description="the path of the database file, without ? # or %, absolute or relative to the repository",
        examples=["data/sessions/sessions.db"],
    )
    backups: FilePath = Field(
        default="data/backups",
        description="the folder that keeps destroyed databases, absolute or relative to the repository",
        examples=["data/backups"],
    )
