"""Whom a bearer token speaks for, and the tokens that an operator hands out: compared in constant time."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from app.api.entry.watched import UnusableFileError
from app.api.found import Caller

_SHORTEST: Final = 32
"""Characters: 128 bits as `openssl rand -hex 16` prints them, which nobody guesses over a network."""


class RefusedTokenError(Exception):
    """The token opens nothing. For example, it has expired. No word of it quotes a token."""


class UnavailableKeysError(Exception):
    """Whether the token opens anything cannot be told now. For example, the issuer does not answer."""


Permit = Callable[[], Awaitable[None]]
"""Awaited before the network is asked because of somebody who is not known; raises what is to refuse that."""


async def granted() -> None:
    """A permit for everything."""


class Tokens(Protocol):
    """Tells callers by their tokens."""

    async def caller(self, token: str, permit: Permit = granted) -> Caller:
        """Whom the token speaks for; read-only.

        Args:
            token: As it was sent.
            permit: For what the network has to be asked.

        Raises:
            RefusedTokenError: Nobody.
            UnavailableKeysError: It cannot be told now.
        """


def accepted(text: str) -> tuple[str, ...]:
    """The tokens of a setting or a file.

    Args:
        text: One token a line; several are valid at once, which is how they are replaced without an interruption.

    Raises:
        ValueError: There is none, one is too short, or one has characters that a header does not carry.
    """
    tokens = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not tokens or any(len(each) < _SHORTEST or not _carried(each) for each in tokens):
        message = f"one token a line, each of {_SHORTEST} or more ASCII characters, as `openssl rand -hex 32` makes"
        raise ValueError(message)
    return tokens


def _carried(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token


class SharedTokens:
    """Tokens that the operator hands out; every one of them may do everything."""

    def __init__(self, valid: Callable[[], tuple[str, ...]]) -> None:
        """Take what tells the valid tokens, which is asked at every request.

        Args:
            valid: For example a `WatchedFile`.
        """
        self._valid = valid

    async def caller(self, token: str, _: Permit = granted) -> Caller:
        """As `Tokens`."""
        digest = _digest(token)
        try:
            # Every one is compared, by digests of one length: the time tells neither which one nor how far.
            matches = [hmac.compare_digest(digest, _digest(each)) for each in self._valid()]
        except UnusableFileError:
            message = "the server cannot read its list of tokens"
            raise UnavailableKeysError(message) from None
        if not any(matches):
            message = "the token is not one of this server's"
            raise RefusedTokenError(message)
        return Caller(f"token {digest.hex()[:8]}")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
