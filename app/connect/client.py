"""psql, or sqlite3: its command line without any secret, and its life in the foreground."""

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Final

from psycopg import pq
from sqlalchemy import URL

Handler = Callable[[int, FrameType | None], None]

_SECRET: Final = b"*"
"""How libpq marks parameters that nobody may see (PostgreSQL, "PQconndefaults")."""

_ENDED_BY_SIGNAL: Final = 128


def psql(url: URL, words: Mapping[str, str], arguments: Sequence[str]) -> tuple[str, ...]:
    """The command line of psql for a database.

    Args:
        url: The database's, in the role that logs in.
        words: libpq's words in the place of those of the URL; an empty one takes the URL's away.
        arguments: psql's own arguments.
    """
    parts = {"host": url.host, "port": url.port, "dbname": url.database, "user": url.username}
    known = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in url.query.items()}
    told = {name: str(value) for name, value in {**parts, **known}.items() if value} | dict(words)
    secret = {each.keyword.decode() for each in pq.Conninfo.get_defaults() if each.dispchar == _SECRET}
    text = " ".join(f"{name}={_value(value)}" for name, value in told.items() if value and name not in secret)
    return ("psql", f"--dbname={text}", *arguments)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run it to its end in the foreground; Ctrl-C is for it alone.

    Args:
        argv: The program and its arguments.
        environ: Its environment, where the password is: others cannot read that of a process (proc(5), environ), and
            unlike a file it cannot stay behind.

    Returns:
        Its exit code; 128 and the signal's number where a signal ended it, as a shell has it.
    """
    foreground = {signal.SIGINT: _passed_by, signal.SIGQUIT: _passed_by}
    with _handled(foreground), subprocess.Popen(argv, env=dict(environ)) as process:
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    return code if code >= 0 else _ENDED_BY_SIGNAL - code


def ended_well() -> AbstractContextManager[None]:
    """While the body runs, SIGTERM and SIGHUP end it like an error does, so that everything that it began ends too."""
    return _handled({signal.SIGTERM: _leave, signal.SIGHUP: _leave})


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _passed_by(_number: int, _frame: FrameType | None) -> None:
    """Nothing is to be done here. Not SIG_IGN, which the program would inherit."""


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(_ENDED_BY_SIGNAL + number)


def _value(value: str) -> str:
    """As libpq reads it back (PostgreSQL, "Keyword/Value Connection Strings")."""
    if not any(letter in value for letter in " '\\"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
