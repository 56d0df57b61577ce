"""The `postgres` section."""

import ipaddress
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from infra.settings.section import Section
from infra.settings.types import Whole


def _host(text: str) -> str:
    """A name, or an address without brackets."""
    if ":" in text:
        ipaddress.IPv6Address(text)
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        message = "not printable"
        raise ValueError(message)
    return text


Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:][A-Za-z0-9._:-]{0,252}\Z"), AfterValidator(_host)]
"""A host's name, an IPv4 address or an IPv6 address."""

GivenName = Annotated[str, StringConstraints(min_length=1, max_length=63), AfterValidator(_printable)]
"""Of a role or a database that somebody else has named: whatever PostgreSQL takes and a URI can carry."""

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
"""libpq's words (PostgreSQL, "SSL Support")."""

ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
"""The words under which nothing is ever sent in clear."""

SYSTEM: Final = "system"
"""libpq's word for the certificate authorities that the operating system trusts, from PostgreSQL 16 on."""


class PostgresSettings(Section):
    """A PostgreSQL server that somebody else runs. It has to have the database and the administrator already."""

    host: Host = Field(
        default="localhost", description="the server's name or address, without a port", examples=["db.example.org"]
    )
    port: Whole = Field(default=5432, ge=1, le=65535, description="the server's port, 1 to 65535", examples=[5432])
    database: GivenName = Field(
        default="adk_sessions",
        description="the name of the database, which has to exist, up to 63 characters",
        examples=["adk_sessions"],
    )
    user: GivenName = Field(
        default="adk_user",
        description="the role that API servers work as, up to 63 characters",
        examples=["adk_user"],
    )
    password: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="the password of `user`, encrypted, or unset where it is in SESSION_DB_PASSWORD",
        examples=["(by pulumi config set --secret)"],
    )
    admin_user: GivenName | None = Field(
        default=None,
        description="the role that makes and owns the tables, up to 63 characters; `user` itself where unset",
        examples=["postgres"],
    )
    admin_password: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="the password of `admin_user`, encrypted, or unset where it is in ADMIN_DB_PASSWORD",
        examples=["(by pulumi config set --secret)"],
    )
    sslmode: SslMode = Field(
        default="verify-full",
        description="how TLS is used, one of: disable, allow, prefer, require, verify-ca, verify-full",
        examples=["verify-full"],
    )
    sslrootcert: str | None = Field(
        default=None,
        min_length=1,
        description="the path of the CA's certificate, absolute or relative to the repository, or system; "
        "libpq's own place where unset",
        examples=["system"],
    )

    @property
    def administrator(self) -> str:
        """The role that bootstraps; read-only."""
        return self.admin_user or self.user

    @property
    def one_role(self) -> bool:
        """Whether the role that bootstraps is the one that API servers work as; read-only."""
        return self.administrator == self.user

    @property
    def on_this_machine(self) -> bool:
        """Whether nobody can listen in on the way; read-only."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
