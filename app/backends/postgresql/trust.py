"""The CAs by which a server is known: files that are there, before a connection is tried."""

import os
import ssl
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app.backends.postgresql import uri
from app.errors import InvalidSettingError

BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine and what derives from them.
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat and what derives from it.
    "/etc/ssl/cert.pem",  # macOS.
)
"""Where operating systems keep what they trust."""

_FULL: Final = "verify-full"
_VERIFYING: Final = ("verify-ca", _FULL)

_DEFAULT: Final = "~/.postgresql/root.crt"
"""Where libpq looks when nothing is named (PostgreSQL, "SSL Support", "Client Verification of Server Certificates")."""

SYSTEM: Final = "system"
"""libpq's word for the CAs of the operating system."""


def rooted(url: URL) -> URL:
    """The same URL, `sslrootcert=system` put as the file that has the CAs of the system; read-only.

    psycopg's wheels bring an OpenSSL of their own, which looks for them where no system has them
    (`/usr/lib/psycopg-openssl`, psycopg-binary 3.3.9).

    Args:
        url: A PostgreSQL URL from `dsn.parse`.
    """
    # With a weaker word libpq takes none of it, and says so itself; without any it means verify-full.
    full = url.query.get("sslmode", os.environ.get("PGSSLMODE", _FULL)) == _FULL
    found = _system() if full and _named(url) == SYSTEM else None
    return url if found is None else url.update_query_dict({"sslmode": _FULL, "sslrootcert": found})


def trusted(url: URL) -> URL:
    """As `rooted`, once the file is there by which the server's certificate is to be verified; read-only.

    Args:
        url: A PostgreSQL URL from `dsn.parse`.

    Raises:
        InvalidSettingError: It is not there.
    """
    url = rooted(url)
    mode, root = url.query.get("sslmode", os.environ.get("PGSSLMODE")), _named(url)
    if mode in _VERIFYING and root != SYSTEM and not os.access(Path(root).expanduser(), os.R_OK):
        message = (
            f"expected a readable file with the CA of {uri.hosts(url)}, which sslmode={mode} asks for, at {root}. "
            "Put it there, or name it in SESSION_DB_URI: &sslrootcert=/run/secrets/ca.pem, or sslrootcert=system"
        )
        raise InvalidSettingError(message)
    return url


def _named(url: URL) -> str:
    return str(url.query.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or _DEFAULT)


def _system() -> str | None:
    """The file that Python's own OpenSSL, SSL_CERT_FILE or the system has; None where none is known."""
    files = (ssl.get_default_verify_paths().cafile, *BUNDLES)
    return next((file for file in files if file and Path(file).is_file()), None)
