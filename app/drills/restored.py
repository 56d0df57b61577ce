"""Where a restored server is, and what of a load it has."""

import ipaddress
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app.control.interface import Server
from app.drills import stored
from app.drills.place import Place
from app.drills.stored import Stored
from app.errors import AuthenticationError, DatabaseUnavailableError

_ANSWER_SECONDS: Final = 300.0
"""How long a new server may take to answer after its cloud called it available: its name has to become known."""

_POLL_SECONDS: Final = 1.0


@contextmanager
def reached(place: Place, server: Server) -> Iterator[URL]:
    """The database on a restored server, in the role of its source: it has the source's roles and passwords.

    Args:
        place: The source's database.
        server: The restored server.

    Yields:
        A URL that checks as much of the server's certificate as the source's does.
    """
    url, record = place.target.app, place.exported
    if record.reach is not None:
        yield _rehearsed(url, record.reach, server)
        return
    with tempfile.TemporaryDirectory(prefix="session-db-drill-") as folder:
        query = dict(url.query)
        if "hostaddr" in query and server.address:
            query["hostaddr"] = server.address
        if server.ca:
            # One CA may serve all servers of a region, or each has its own.
            bundle = Path(folder) / "ca.pem"
            bundle.write_text(f"{record.text('ca_certificate').strip()}\n{server.ca.strip()}\n")
            query["sslrootcert"] = str(bundle)
        named = server.address if server.address and _is_address(url.host or "") else server.host
        yield url.set(host=named, port=server.port, query=query)


def read(url: URL, run: str, writers: int) -> Stored:
    """Everything that the restored server has of a load, once it answers; read-only.

    Args:
        url: From `reached`.
        run: The load's id.
        writers: How many it had.

    Raises:
        DatabaseUnavailableError: It does not answer; the kind says why.
    """
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            return stored.read(url, run, writers)
        except AuthenticationError:
            raise
        except DatabaseUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _rehearsed(url: URL, reach: Path, server: Server) -> URL:
    known = json.loads(reach.read_text())
    place = known["hosts"][server.host]
    query = {"hostaddr": place["hostaddr"], "sslrootcert": known["ca"]}
    return url.set(host=server.host, port=place["port"], query=dict(url.query) | query)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
