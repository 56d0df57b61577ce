"""Certificates for servers: an authority of the test's own, and what it issues, valid or not."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trustme

LOOPBACK: Final = ("localhost", "127.0.0.1")
"""The names by which servers here are reached."""

ROOT: Final = "ca.pem"
"""The file of an authority's certificate."""

KEY: Final = "ca.key"
"""The file of its private key."""

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class ServerCertificate:
    """What a server shows.

    Attributes:
        chain: The certificate, PEM, and those between it and the authority.
        key: Its private key, PEM.
    """

    chain: str
    key: str = field(repr=False)


class Authority:
    """Issues certificates; a client that trusts `root` accepts them."""

    def __init__(self, kept: trustme.CA | None = None) -> None:
        """Make a new authority, which nobody trusts yet.

        Args:
            kept: One of before, instead; `open` gives it.
        """
        self._authority = kept or trustme.CA(organization_name="Rehearsal")

    @classmethod
    def open(cls, folder: Path) -> "Authority":
        """The authority that `keep` has kept in a folder.

        Args:
            folder: Has `ROOT` and `KEY`.
        """
        return cls(trustme.CA.from_pem((folder / ROOT).read_bytes(), (folder / KEY).read_bytes()))

    def keep(self, folder: Path) -> None:
        """Keep it for another process: its certificate, and its key for nobody else's eyes.

        Args:
            folder: Gets `ROOT` and `KEY`.
        """
        key = folder / KEY
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        key.write_bytes(self._authority.private_key_pem.bytes())
        self.write_root(folder / ROOT)

    def write_root(self, path: Path) -> Path:
        """Write the authority's own certificate, PEM, for `sslrootcert`.

        Args:
            path: The file to write; its folder exists.

        Returns:
            The same path.
        """
        path.write_bytes(self._authority.cert_pem.bytes())
        return path

    def issue(self, *names: str, expired: bool = False) -> ServerCertificate:
        """Issue a certificate.

        Args:
            names: Host names and addresses; none means those of the loopback. For example "db.example".
            expired: Whether its time ended yesterday.
        """
        now = dt.datetime.now(dt.UTC)
        start, end = (
            (now - 2 * _DAY, now - _DAY) if expired else (now - _DAY, now + 365 * _DAY)
        )  # A rehearsal may be kept for months.
        issued = self._authority.issue_cert(*(names or LOOPBACK), not_before=start, not_after=end)
        chain = "".join(blob.bytes().decode() for blob in issued.cert_chain_pems)
        return ServerCertificate(chain, issued.private_key_pem.bytes().decode())
