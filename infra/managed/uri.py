"""The exported URI, put together where no part of it can break another."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import pulumi


def uri(  # The parts of a URI are as many as they are.
    *,
    user: pulumi.Input[str],
    password: pulumi.Input[str] | None,
    host: pulumi.Input[str],
    port: pulumi.Input[int],
    database: pulumi.Input[str],
    options: Mapping[str, pulumi.Input[str]],
) -> pulumi.Output[str]:
    """A SQLAlchemy URI for psycopg, which serves ADK and the bootstrapper alike; secret.

    Args:
        user: The role; a cloud's identity may hold an `@`.
        password: Its password, or None where it logs in with a token.
        host: The server's name or address.
        port: Its port.
        database: The database.
        options: libpq's words, for example `{"sslmode": "verify-full"}` (PostgreSQL, "Connection Strings").
    """
    parts = pulumi.Output.all(user=user, password=password or "", host=host, port=port, database=database)
    known_options = pulumi.Output.all(**options)
    return pulumi.Output.secret(pulumi.Output.all(parts, known_options).apply(lambda both: _joined(*both)))


def _joined(known: dict[str, object], options: Mapping[str, str]) -> str:
    login = quote(str(known["user"]), safe="")
    if known["password"]:
        login += ":" + quote(str(known["password"]), safe="")
    place = f"{known['host']}:{int(str(known['port']).partition('.')[0])}/{quote(str(known['database']), safe='')}"
    return f"postgresql+psycopg://{login}@{place}?{urlencode(options, quote_via=quote, safe='/')}"
