"""What a program that is run here inherits of the environment: what it needs, and no secret that is another's."""

import re
from collections.abc import Mapping
from typing import Final

_CLIENT: Final = re.compile(
    r"PG[A-Z]+|PG_COLORS?|PSQL_\w+|PSQLRC|PAGER|LESS\w*|EDITOR|VISUAL|SHELL|TMPDIR|COLUMNS|LINES"
    r"|PATH|HOME|USER|LOGNAME|TERM\w*|COLORTERM|NO_COLOR|LANG|LANGUAGE|LC_\w+|TZ|XDG_\w+|INPUTRC"
    r"|SSL_CERT_(?:FILE|DIR)|OPENSSL_\w+|KRB5\w*|(?:DY)?LD_\w+"
)
"""Of psql, libpq, readline, pager, editor, OpenSSL and Kerberos (PostgreSQL, "psql", Environment, and "Environment
Variables"). `PGADMIN_PASSWORD` is none of libpq's, whose names have no second word.
"""

_OURS: Final = re.compile(r"(?:SESSION_DB|ADMIN_DB|PGADMIN|API)_\w+|PG[A-Z]+")
"""This project's own settings and libpq's password, which are nobody's who only leads to a server."""


def by_client(environ: Mapping[str, str]) -> dict[str, str]:
    """What psql and sqlite3 inherit, and with them their pagers, editors and shells.

    Args:
        environ: The caller's environment.
    """
    return {name: value for name, value in environ.items() if _CLIENT.fullmatch(name)}


def by_cloud(environ: Mapping[str, str]) -> dict[str, str]:
    """What a cloud's command line, its proxy and ssh inherit: whatever logs them in, under names that only they know.

    Args:
        environ: The caller's environment.
    """
    return {name: value for name, value in environ.items() if not _OURS.fullmatch(name)}
