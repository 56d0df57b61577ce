"""Whether a server may send its clients to a PostgreSQL database now, by two short queries as the role that it uses."""

from typing import Final

from sqlalchemy import Connection, text

from app.backends.postgresql import history
from app.backends.postgresql.rights import APP_RIGHTS
from app.errors import InsufficientRightsError, ReadOnlyDatabaseError, VerificationError
from app.schema.postgresql import ADK_METADATA, SCHEMA_VERSION

_STATE: Final = """
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
  (SELECT array_agg(name) FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(quote_ident(name)) IS NULL),
  (SELECT array_agg(name || ' ' || privilege)
    FROM unnest(CAST(:tables AS text[]), CAST(:privileges AS text[])) AS wanted (name, privilege)
    WHERE NOT has_table_privilege(to_regclass(quote_ident(name)), privilege))
"""
"""Tables are looked for as ADK finds them, which names no schema. Of a table that is missing, no right is."""

_VERSION: Final = f"""
SELECT (SELECT value FROM {ADK_METADATA.name} WHERE key = '{SCHEMA_VERSION[0]}'),
  EXISTS (SELECT FROM {history.TABLE} WHERE layout = :layout AND checksum = :checksum)
"""  # noqa: S608  # Names of ours.


def expect_ready(connection: Connection) -> None:
    """Look whether ADK can work there; read-only.

    Args:
        connection: As the app role, of the server's own engine.

    Raises:
        ReadOnlyDatabaseError: It is a standby, or takes no writes.
        InsufficientRightsError: The role lacks a right that ADK uses.
        VerificationError: A table or the record of this layout is not there.
    """
    pairs = [(table, privilege) for table, privileges in APP_RIGHTS.items() for privilege in privileges]
    asked = {
        "names": list(APP_RIGHTS),
        "tables": [pair[0] for pair in pairs],
        "privileges": [pair[1] for pair in pairs],
    }
    read_only, missing, refused = connection.execute(text(_STATE), asked).one()
    if read_only:
        message = "it takes no writes: a standby, or set read-only"
        raise ReadOnlyDatabaseError(message)
    if missing:
        message = f"tables are missing: {', '.join(sorted(missing))}"
        raise VerificationError(message)
    if refused:
        message = f"the server's role lacks rights: {', '.join(sorted(refused))}"
        raise InsufficientRightsError(message)
    _expect_layout(connection)


def _expect_layout(connection: Connection) -> None:
    found = {"layout": history.LAYOUT, "checksum": history.checksum()}
    version, recorded = connection.execute(text(_VERSION), found).one()
    if version != SCHEMA_VERSION[1]:
        message = f"ADK's schema version is {version}, not {SCHEMA_VERSION[1]}"
        raise VerificationError(message)
    if not recorded:
        message = f"{history.TABLE} has no record of the layout that this release works with"
        raise VerificationError(message)
