"""Variables that look like settings of this project and are none: a typing error would otherwise pass for a default."""

import difflib
import re
from collections.abc import Collection, Iterator
from typing import Final

_OURS: Final = "SESSION_DB_"

_PREFIXES: Final = ("API_", "SESSION_D", "ADMIN_D", "AGENT")

_PLACES: Final = ("SESSION_DB_URI", "ADMIN_DB_URI", "AGENTS_DIR")
"""Of `app.environment`, for every command: a server that misses the first one goes on, with a file."""

_OTHERS: Final = frozenset(
    {
        "SESSION_DB_PASSWORD",
        "SESSION_DB_ONLINE",
        "SESSION_DB_REHEARSAL",
        "SESSION_DB_STAND_INS",
        "API_CPUS",
        "API_EXTRAS",
        "API_IMAGE",
        "API_MEMORY",
        "API_PORT",
        "API_STOP",
    }
)
"""Of this project, but no settings of a server: those of docker-compose.yml, stack files, rehearsals and tests."""

_OF_SERVICES: Final = re.compile(r"_SERVICE_(?:HOST|PORT)(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?$")
"""What Kubernetes sets in each container for a service called `session-db` or `api` (Kubernetes, "Service",
"Environment variables").
"""

_CLOSE: Final = 0.85
"""By difflib's ratio: a letter or two of a name."""


def lines(names: Collection[str], known: Collection[str]) -> Iterator[str]:
    """A line for each variable that is probably a misspelt setting; read-only.

    Only what begins with SESSION_DB_ is certainly ours; of the rest, which may be another program's, near misses are
    told.

    Args:
        names: The variables that are set.
        known: The settings, besides those of `app.environment`.

    Example:
        >>> list(lines(["API_ACESS", "API_KEY"], ["API_ACCESS"]))
        ['API_ACESS is no setting. API_ACCESS is one']
    """
    meant = {*known, *_PLACES}
    for name in sorted(set(names) - {*meant, *_OTHERS}):
        if not name.upper().startswith(_PREFIXES) or _OF_SERVICES.search(name.upper()):
            continue
        near = difflib.get_close_matches(name.upper().replace("DATABASE", "DB"), sorted(meant), n=1, cutoff=_CLOSE)
        if near:
            yield f"{name} is no setting. {near[0]} is one"
        elif name.upper().startswith(_OURS):
            yield f"{name} is no setting. docs/api.md has all of them"
