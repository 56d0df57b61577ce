"""Which way leads to a database from here."""

import socket
from contextlib import suppress
from typing import Final

from sqlalchemy import URL

from app.backends.postgresql import uri
from app.connect.ways import aws, azure, gcp
from app.connect.ways.interface import Server, Way, machine, ssh, tunnelled
from app.errors import ClosedPortError, DatabaseUnavailableError, InvalidSettingError, UnknownHostError
from app.stack import Record

_PROBE_SECONDS: Final = 3.0
"""An answer takes a round trip; where a network drops what is sent to it there is none at all."""

_EXAMPLES: Final = {"aws": aws.EXAMPLE, "azure": azure.EXAMPLE, "gcp": gcp.EXAMPLE}


def find(url: URL, record: Record | None, through: str | None, bastion: str | None) -> Way:
    """The way to a server; looks once whether it answers here, and starts nothing.

    Args:
        url: The database's.
        record: What its stack exports; None where the environment names it.
        through: The machine to go through; where None, directly or by the cloud's proxy.
        bastion: Azure's bastion in front of that machine.

    Raises:
        InvalidSettingError: The machine or the bastion cannot be one of this database.
        ClosedPortError: The server does not answer here, and there is no way known to it.
        UnknownHostError: The same, and its name leads nowhere.
    """
    if through is not None:
        return _through(url, record, through, bastion)
    if bastion is not None:
        message = f"expected the machine behind the bastion. For example: {azure.EXAMPLE}"
        raise InvalidSettingError(message)
    if (record is not None and record.rehearsal) or _answers(url):
        return Way()
    if record is not None and record.text("backend") == "gcp":
        return gcp.proxied(record)
    raise _closed(url, record)


def _through(url: URL, record: Record | None, text: str, bastion: str | None) -> Way:
    if record is not None and record.rehearsal:
        message = "expected no --through: a rehearsal's servers are on this machine. Leave it out"
        raise InvalidSettingError(message)
    server, backend = _server(url), record.text("backend") if record is not None else ""
    if backend == "azure":
        return azure.through(server, text, bastion)
    if bastion is not None:
        message = f"expected no --bastion, which is Azure's: this database is on {backend or 'a server'}. Leave it out"
        raise InvalidSettingError(message)
    if record is not None and backend == "gcp":
        return gcp.through(record, server, text)
    if record is not None and backend == "aws":
        return aws.through(record, server, text)
    return tunnelled(server, ssh(server, machine(text)))


def _server(url: URL) -> Server:
    """The one server of a URL; by its address where that is known, since its name may be known nowhere."""
    address = url.query.get("hostaddr")
    if url.host is None or not isinstance(address, str | None):
        message = f"expected one server to go to with --through, not {uri.hosts(url)}. Leave it out"
        raise InvalidSettingError(message)
    return Server(address or url.host, _port(url), url.host)


def _answers(url: URL) -> bool:
    """Whether anything takes a connection there; of sockets and of several servers libpq finds the right one itself."""
    address = url.query.get("hostaddr") or url.host
    if not isinstance(address, str):
        return True
    with suppress(OSError, UnicodeError), socket.create_connection((address, _port(url)), _PROBE_SECONDS):
        return True
    return False


def _known(url: URL) -> bool:
    try:
        socket.getaddrinfo(url.query.get("hostaddr") or url.host, _port(url))  # type: ignore[arg-type]  # As `_answers`.
    except (OSError, UnicodeError):
        return False
    return True


def _port(url: URL) -> int:
    return url.port or int(str(url.query.get("port", 5432)))


def _closed(url: URL, record: Record | None) -> DatabaseUnavailableError:
    backend = record.text("backend") if record is not None else ""
    example = _EXAMPLES.get(backend, "--through ada@jump.example.org (by ssh)")
    message = (
        f"expected {uri.hosts(url)} to answer here. Run this in its network, or go through a machine there: {example}"
    )
    return ClosedPortError(message) if _known(url) else UnknownHostError(f"{message}. That host is unknown here")
