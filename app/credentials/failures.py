"""Why there is nothing to log in with, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.errors import DatabaseUnavailableError

_LONGEST: Final = 300


class NoLoginError(DatabaseUnavailableError):
    """There is no password or token. For example, the secret store does not answer."""


@contextmanager
def translated(what: str, login: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn what a vendor's library raises in the body into our error; its words tell what was tried, never a token.

    Args:
        what: What is asked for. For example "a token of Microsoft Entra".
        login: How a person, or the machine, logs in.
        kinds: The library's errors.

    Raises:
        NoLoginError: It is not to be had.
    """
    try:
        yield
    except kinds as error:
        first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        message = f"expected {what}, but: {first[:_LONGEST].rstrip('.')}. To log in: {login}"
        raise NoLoginError(message) from None


@contextmanager
def read_as_documented(what: str) -> Iterator[None]:
    """Turn an answer of another form, which the body takes apart, into our error; nothing of it is shown.

    Args:
        what: What was asked for. For example "the secret projects/p/secrets/s".

    Raises:
        NoLoginError: It is of another form.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, RecursionError):
        message = f"expected {what}, but the answer is of another form. Look for a proxy in between that answers itself"
        raise NoLoginError(message) from None
