"""The errors of the vendors' libraries as ours, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import CloudRefusedError

_LONGEST = 300


@contextmanager
def translated(what: str, login: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn what a library raises in the body into our error; its words tell what was tried, never a token.

    Args:
        what: What is asked for. For example "a token of Microsoft Entra".
        login: How a person, or the machine, logs in.
        kinds: The library's errors.

    Raises:
        CloudRefusedError: It is not to be had.
    """
    try:
        yield
    except kinds as error:
        first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        message = f"expected {what}, but: {first[:_LONGEST].rstrip('.')}. To log in: {login}"
        raise CloudRefusedError(message) from None
