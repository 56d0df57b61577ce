"""A server's data folder: prepared, made new or copied from a running server, and what is put into it."""

from pathlib import Path
from typing import Final

from rehearsal import configuration
from rehearsal.account import Account
from rehearsal.errors import FolderError, ServerError, SettingsError
from rehearsal.superuser import Superuser
from rehearsal.tls import ServerCertificate

_SOCKET_BYTES: Final = 103
"""The longest path of a socket: 107 bytes on Linux, 103 on macOS. Source: `sun_path` in their sys/un.h."""

_LONGEST_NAME: Final = ".s.PGSQL.65535"


def prepare(folder: Path, binaries: Path, account: Account) -> None:
    """Make the folder that a server lives in.

    Args:
        folder: Where; not there yet.
        binaries: The folder of PostgreSQL's programs.
        account: Who the folder is to belong to.

    Raises:
        FolderError: It is there already, its path is too long, or the account cannot reach it or the programs.
    """
    if len(str(folder / _LONGEST_NAME).encode()) > _SOCKET_BYTES:
        most = _SOCKET_BYTES - len(_LONGEST_NAME) - 1
        message = f"expected a folder whose path has at most {most} bytes, as those of rehearsal.ground, not {folder}"
        raise FolderError(message)
    for place in (folder.parent, binaries):
        expect_open(place, account)
    claim(folder, account)


def expect_open(place: Path, account: Account) -> None:
    """Make sure that the account can enter a folder; read-only.

    Raises:
        FolderError: It cannot.
    """
    if (closed := account.closed(place)) is not None:
        message = (
            f"expected that PostgreSQL, which does not run as root, can enter {place}, but {closed} is closed "
            f"to the user nobody. For example: chmod o+x {closed}; or run this as an ordinary user"
        )
        raise FolderError(message)


def claim(folder: Path, account: Account) -> None:
    """Make the account's folder for a server.

    Raises:
        FolderError: It is there already, or cannot be made.
    """
    try:
        folder.mkdir()
    except OSError as error:
        message = f"expected a folder for a server that can be made: {error}"
        raise FolderError(message) from error
    account.own(folder, 0o755)


def initialize(data: Path, binaries: Path, superuser: Superuser, account: Account, *options: str) -> None:
    """Make the data of a new server, UTF-8 throughout; every role needs its password.

    Args:
        data: Where; not there yet, in a prepared folder.
        binaries: The folder of PostgreSQL's programs.
        superuser: The first role.
        account: Who runs the server.
        options: More of initdb's own. For example "--wal-segsize=1".

    Raises:
        ServerError: initdb failed.
    """
    secret = data.with_name("password")
    account.write(secret, superuser.password)
    try:
        account.run(
            str(binaries / "initdb"),
            f"--pgdata={data}",
            f"--username={superuser.name}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",  # The only one that every system has; its order of texts is the same on all of them.
            "--no-sync",
            "--no-instructions",
            *options,
        )
    finally:
        secret.unlink()
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"include = '{configuration.FILE}'\n")


def copy(data: Path, binaries: Path, source: configuration.Address, superuser: Superuser, account: Account) -> None:
    """Copy a running server's data as that of a standby which follows it.

    Args:
        data: Where; not there yet, in a prepared folder.
        binaries: The folder of PostgreSQL's programs.
        source: Where the running server is.
        superuser: Its first role.
        account: Who runs the servers.

    Raises:
        ServerError: The base backup failed.
    """
    host = str(source.folder), source.port
    back_up(data, binaries, host, superuser, account, "--write-recovery-conf")


def back_up(
    data: Path, binaries: Path, source: tuple[str, int], role: Superuser, account: Account, *options: str
) -> None:
    """Copy a running server's data.

    Args:
        data: Where; not there yet, in a folder that the account may write.
        binaries: The folder of PostgreSQL's programs.
        source: The server's address, or the folder of its socket, and its port.
        role: Who may replicate; over TCP, the connection is encrypted.
        account: Who runs the servers.
        options: More of pg_basebackup's own. For example "--wal-method=fetch".

    Raises:
        ServerError: The base backup failed.
    """
    host, port = source
    account.run(
        str(binaries / "pg_basebackup"),
        f"--pgdata={data}",
        f"--host={host}",
        f"--port={port}",
        f"--username={role.name}",
        "--checkpoint=fast",
        "--no-sync",
        "--no-manifest",
        "--no-password",
        *options,
        PGPASSWORD=role.password,
        PGSSLMODE="disable" if host.startswith("/") else "require",
    )


def expect_openssl(data: Path, binaries: Path, account: Account) -> None:
    """Make sure that PostgreSQL can encrypt connections.

    Args:
        data: The data of a server that is not running.
        binaries: The folder of PostgreSQL's programs.
        account: Who runs the server.

    Raises:
        ServerError: It was built without OpenSSL.
    """
    if not account.run(str(binaries / "postgres"), "-D", str(data), "-C", "ssl_library").strip():
        message = f"expected PostgreSQL built with OpenSSL, for example Debian's postgresql-15, not that in {binaries}"
        raise ServerError(message)


def expect_settings(data: Path, binaries: Path, account: Account) -> None:
    """Make sure that PostgreSQL accepts its configuration files as they are; read-only, the server may run.

    Args:
        data: The data folder.
        binaries: The folder of PostgreSQL's programs.
        account: Who runs the server.

    Raises:
        SettingsError: It does not; the message has its own words.
    """
    try:
        account.run(str(binaries / "postgres"), "-D", str(data), "-C", "data_directory")
    except ServerError as error:
        message = f"expected settings that PostgreSQL accepts, for example work_mem = 8MB: {error}"
        raise SettingsError(message) from error


def certify(data: Path, certificate: ServerCertificate, account: Account) -> None:
    """Put the server's certificate and key where PostgreSQL looks for them by default.

    Args:
        data: The data folder.
        certificate: What the server is to show.
        account: Who runs the server.
    """
    account.write(data / "server.crt", certificate.chain)
    account.write(data / "server.key", certificate.key)
