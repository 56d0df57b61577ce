"""Names in SQL."""

from sqlalchemy import Connection


def quoted(connection: Connection, name: str) -> str:
    """A name as it stands in a statement without placeholders, in quotes only where it needs them.

    SQLAlchemy doubles each % for psycopg's placeholders, which `connection.opened` switches off.

    Args:
        connection: From `connection.opened`.
        name: Of a role, a schema, a database or a table.
    """
    return connection.dialect.identifier_preparer.quote(name).replace("%%", "%")
