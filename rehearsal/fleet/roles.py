"""Roles and databases as a cloud's own interface makes them."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from rehearsal.cluster import Cluster
from rehearsal.errors import StatementError
from rehearsal.fleet.vendors import Vendor

_NARROW_CREATEROLE: Final = 160000
"""From PostgreSQL 16 on, CREATEROLE alone grants no role that somebody else made. Source: its release notes."""


class Roles:
    """The roles and databases of a running server, by its superuser's hand."""

    def __init__(self, cluster: Cluster, vendor: Vendor) -> None:
        """Take the server.

        Args:
            cluster: The primary.
            vendor: Whose quirks count.
        """
        self._cluster, self._vendor = cluster, vendor

    def administrator(self, role: str, password: str) -> None:
        """Make the administrator that the cloud hands out: it makes roles and databases, but is no superuser.

        Args:
            role: Its name.
            password: Its password; empty for none.

        Raises:
            StatementError: The name is taken or the cloud's own.
        """
        self._expect_free(role)
        with self._connected() as connection:
            rights = SQL(" LOGIN CREATEROLE CREATEDB")
            connection.execute(SQL("CREATE ROLE {}").format(Identifier(role)) + rights)
            self._word(connection, role, password)
            connection.execute(SQL("GRANT {} TO {}").format(Identifier(self._vendor.administrators), Identifier(role)))
            if connection.info.server_version >= _NARROW_CREATEROLE:
                self._may_grant(connection, role)

    def user(self, role: str, password: str, *, iam: bool = False) -> None:
        """Make a user by the cloud's interface: on Cloud SQL, an administrator like the first one.

        Args:
            role: Its name.
            password: Its password; empty for none.
            iam: Whether it logs in with a token of the cloud's, and has no rights but that.

        Raises:
            StatementError: The name is taken or the cloud's own.
        """
        if self._vendor.administrators == "cloudsqlsuperuser" and not iam:
            self.administrator(role, password)
            return
        self._expect_free(role)
        with self._connected() as connection:
            connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
            self._word(connection, role, password)
            if iam and self._vendor.grantable:
                connection.execute(
                    SQL("GRANT {} TO {}").format(Identifier(self._vendor.grantable[0]), Identifier(role))
                )

    def password(self, role: str, password: str) -> None:
        """Give a role another password; the server gets only its hash.

        Raises:
            StatementError: There is no such role.
        """
        with self._connected() as connection:
            self._word(connection, role, password)

    def drop(self, role: str) -> None:
        """Remove a role.

        Raises:
            StatementError: There is none, or it owns something.
        """
        self._run(SQL("DROP ROLE {}").format(Identifier(role)))

    def database(self, name: str, owner: str) -> None:
        """Make a database.

        Args:
            name: Its name.
            owner: Its administrator; where the cloud owns all databases, it rules as a member of their owner.

        Raises:
            StatementError: The name is taken or the cloud's own.
        """
        if name in self._vendor.databases:
            message = f"expected another name of a database, for example sessions: {name} is the cloud's own"
            raise StatementError(message)
        ruler = self._vendor.administrators if self._vendor.owns or not owner else owner
        self._run(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(ruler)))

    def drop_database(self, name: str, *, force: bool = False) -> None:
        """Remove a database.

        Args:
            name: Its name.
            force: Whether its sessions are ended.

        Raises:
            StatementError: There is none, or somebody uses it.
        """
        self._run(SQL("DROP DATABASE {}").format(Identifier(name)) + SQL(" WITH (FORCE)" if force else ""))

    def _may_grant(self, connection: psycopg.Connection[tuple[Any, ...]], role: str) -> None:
        grant = SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        for name in self._vendor.grantable:
            connection.execute(grant.format(Identifier(name), Identifier(role)))

    def _word(self, connection: psycopg.Connection[tuple[Any, ...]], role: str, password: str) -> None:
        if not password:
            return
        # Hashed here: a statement that fails is written to the server's log.
        secret = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Literal(secret)))

    def _expect_free(self, role: str) -> None:
        if self._vendor.reserves(role):
            message = f"expected another name of a role, for example adk_owner: {role} is the cloud's own"
            raise StatementError(message)

    def _run(self, statement: Composed) -> None:
        with self._connected() as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        superuser = self._cluster.superuser
        try:
            with superuser.connect(self._cluster.address, "postgres") as connection:
                yield connection
        except psycopg.Error as error:
            detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
            message = f"{error.diag.message_primary or error}{detail}"
            raise StatementError(message, error.sqlstate or "") from error
