"""Takes out of the log what exceptions quote: what users say, statements, rows, addresses; whoever logs them.

Where something was raised is kept, and of which kind it is: that finds a fault. What an exception says is made of what
it was given: pydantic quotes its input, PostgreSQL a row, a model's client an answer, a tool whatever a user has sent.
"""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeGuard

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from app.api.kinds import UnforeseenError
from app.errors import SessionDatabaseError

_QUOTING: Final = (SQLAlchemyError, psycopg.Error)
"""Their words name rows, hosts and roles, which nobody needs who looks for the fault of an agent."""

_NUMBERS: Final = ("code", "status_code", "errno", "lineno")
"""What exceptions have as numbers: HTTP's status of a model's client, errno, the line of a SyntaxError."""

_ADKS: Final = ("StaleSessionError", "SessionNotFoundError")

_SHORTEST: Final = 3
"""Characters that are looked for in a line: an exception may say no more than `1`."""

_WARNING: Final = re.compile(r"\A(.*?:\d+: \w+): .*", re.DOTALL)
"""As `warnings.formatwarning` writes one; what comes after its kind quotes what it warns of."""


class Concealed(logging.Filter):
    """Leaves of exceptions what finds a fault."""

    def __init__(self, *, words: bool) -> None:
        """Change nothing yet.

        Args:
            words: Whether exceptions keep their words, but for those of databases.
        """
        super().__init__()
        self._words = words

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        try:
            self._conceal(record)
        except Exception as error:  # noqa: BLE001  # Whatever somebody's `__str__` raises: a line is no reason to fail.
            record.msg, record.args = f"a line that cannot be told: {type(error).__name__}", None
            record.exc_info = record.exc_text = None
        return True

    def _conceal(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else None
        known = [raised, sys.exc_info()[1], *_held(_arguments(record))]
        record.args = _replaced(record.args, self._shown)
        for name, value in vars(record).items():
            if self._conceals(value):
                setattr(record, name, kind(value))
        record.msg, record.args = self._without_words(record.name, _text(record), known), None
        if raised is not None and _foreseen(raised):
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        elif self._conceals(raised):
            record.exc_text, record.exc_info = "".join(frames(raised)).rstrip(), None

    def _shown(self, value: object) -> object:
        return kind(value) if self._conceals(value) else value

    def _conceals(self, error: object) -> TypeGuard[BaseException]:
        """No words of ours; else all, or where words are wanted those that a database's error may be quoted in."""
        if not isinstance(error, BaseException) or isinstance(error, SessionDatabaseError):
            return False
        return not self._words or any(isinstance(each, _QUOTING) for each in family(error))

    def _without_words(self, logger: str, text: str, known: list[object]) -> str:
        """Lines that are put together by hand have them in their text, as `repr` where asyncio writes it."""
        if logger == "py.warnings":
            return text if self._words else _WARNING.sub(r"\1", text)
        if logger == "asyncio" and not self._words:  # Its other lines have handles and tasks, with their arguments.
            return text.partition("\n")[0].partition("(")[0].rstrip()
        if logger.startswith("app."):  # Our own lines say what they mean to.
            return text
        for each in (each for error in known if self._conceals(error) for each in family(error)):
            for words in (repr(each), str(each)):
                text = text.replace(words, kind(each)) if len(words) >= _SHORTEST else text
        return text


def _foreseen(error: BaseException) -> bool:
    """Those of which a client is told what to do, and in whose frames nobody has to look for anything.

    ADK's are told by their names: the log is there before ADK, which takes seconds.
    """
    if isinstance(error, SessionDatabaseError):
        return not isinstance(error, UnforeseenError)
    return type(error).__module__.startswith("google.adk.errors.") and type(error).__name__ in _ADKS


def family(error: BaseException, *, shown: bool = False) -> Iterator[BaseException]:
    """An exception with its causes, those in whose handling it was raised, and those that it groups.

    Args:
        error: The exception.
        shown: Whether those are left out that `raise … from None` hides.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            context = None if shown and each.__suppress_context__ else each.__context__
            waiting.extend(filter(None, (each.__cause__, context)))
            waiting.extend(each.exceptions if isinstance(each, BaseExceptionGroup) else ())


def frames(error: BaseException) -> Iterator[str]:
    """Where an exception was raised and what led to it, as Python writes it but for its words.

    Args:
        error: The exception.
    """
    for each in reversed(list(family(error, shown=True))):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(each.__traceback__)
        yield f"{kind(each)}\n" if each is error else f"{kind(each)}\n\nwhich led to, or is part of:\n\n"


def kind(error: BaseException) -> str:
    """What an exception is, without its words but where they are ours.

    Example:
        >>> kind(FileNotFoundError(2, "the letters of ada"))
        'FileNotFoundError (errno 2)'
    """
    found = [(name, getattr(error, name, None)) for name in _NUMBERS]
    numbers = [f"{name} {value}" for name, value in found if isinstance(value, int)]
    state = getattr(error, "sqlstate", None)
    numbers += [f"sqlstate {state}"] if isinstance(state, str) else []
    numbers += [f"file {error.filename}"] if isinstance(error, SyntaxError) else []
    module = type(error).__module__
    name = type(error).__qualname__ if module == "builtins" else f"{module}.{type(error).__qualname__}"
    name += f" ({', '.join(numbers)})" if numbers else ""
    return f"{name}: {error}" if isinstance(error, SessionDatabaseError) else name


def _arguments(record: logging.LogRecord) -> list[object]:
    return list(record.args.values() if isinstance(record.args, Mapping) else record.args or ())


def _held(values: Iterable[object]) -> Iterator[object]:
    """The values, and those that they hold."""
    for each in values:
        yield each
        if isinstance(each, Mapping):
            yield from each.values()
        elif isinstance(each, list | tuple | set | frozenset):
            yield from each


def _replaced(arguments: Any, by: Callable[[object], object]) -> Any:
    if isinstance(arguments, Mapping):
        return {name: by(each) for name, each in arguments.items()}
    return tuple(by(each) for each in arguments or ())


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # Which logging would tell on standard error, with the arguments.
        return str(record.msg)
