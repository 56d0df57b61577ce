"""JSON Web Tokens of an identity provider, checked by PyJWT against the provider's public keys."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt

from app.api.tokens import Caller, RefusedTokenError, UnavailableKeysError
from app.api.watched import UnusableFileError, WatchedFile
from app.api.words import fault_of_id

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones alone: with HS256 among them whoever has the public key could sign (RFC 8725 section 2.1)."""

_LEEWAY: Final = 30.0
"""Seconds by which two clocks may differ."""

_FETCH_SECONDS: Final = 5.0
"""For one fetch of the provider's keys, and for the pause after one that failed."""

_WORDS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is for another audience",
    jwt.InvalidIssuerError: "the token is of another issuer",
    jwt.InvalidAlgorithmError: "the token is signed by an algorithm that is not accepted",
}

Keys = Callable[[str], jwt.PyJWK]
"""Gives the key of an id, or raises PyJWKClientError; PyJWKClientConnectionError where it cannot be told now."""


@dataclass(frozen=True)
class Rules:
    """What a token must say.

    Attributes:
        issuer: Its `iss`.
        audience: In its `aud`.
        user_claim: The claim that names the user.
        operator_scope: The word in its `scope` or `scp` that makes an operator; None where nothing does.
    """

    issuer: str
    audience: str
    user_claim: str
    operator_scope: str | None


class SignedTokens:
    """Tokens that a provider signed; each may touch the sessions of its own user alone, unless it is an operator's."""

    def __init__(self, rules: Rules, keys: Keys) -> None:
        """Take the rules and what gives the keys.

        Args:
            rules: What a token must say.
            keys: As `key_source` makes it.
        """
        self._rules, self._keys = rules, keys

    async def caller(self, token: str) -> Caller:
        """As `Tokens`; in a thread, since the keys may have to be fetched."""
        return await asyncio.to_thread(self._caller, token)

    def _caller(self, token: str) -> Caller:
        try:
            claims = self._claims(token)
        except jwt.PyJWKClientConnectionError:
            message = "the keys of the token's issuer are out of reach"
            raise UnavailableKeysError(message) from None
        # PyJWT lets through what Python's own JSON and numbers raise on hostile input.
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise RefusedTokenError(_WORDS.get(type(error), "the token is not valid")) from None
        return self._known(claims)

    def _claims(self, token: str) -> dict[str, Any]:
        key = self._keys(jwt.get_unverified_header(token).get("kid", ""))
        return jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            issuer=self._rules.issuer,
            audience=self._rules.audience,
            leeway=_LEEWAY,
            options={"require": ["exp", "iss", "aud"]},
        )

    def _known(self, claims: dict[str, Any]) -> Caller:
        user = claims.get(self._rules.user_claim)
        operator = self._rules.operator_scope is not None and self._rules.operator_scope in _scopes(claims)
        if not isinstance(user, str) or fault_of_id(user):
            message = f"the token's claim {self._rules.user_claim} names no user that a session can have"
            raise RefusedTokenError(message)
        return Caller(f"user {user}", None if operator else user, operator)


def _scopes(claims: dict[str, Any]) -> list[Any]:
    """Words in one string (RFC 8693 section 4.2); `scp`, also as a list, is what Entra and Okta write."""
    found = claims.get("scope", claims.get("scp"))
    return found.split() if isinstance(found, str) else found if isinstance(found, list) else []


def key_source(where: str) -> Keys:
    """Where the public keys of a provider are, as a JSON Web Key Set (RFC 7517).

    Args:
        where: An http or https URL, for example `https://login.example.com/.well-known/jwks.json`, or a file.

    Raises:
        ValueError: The file holds no such keys.
        OSError: It cannot be read.
    """
    if where.startswith(("https://", "http://")):
        return _Fetched(where, timeout=_FETCH_SECONDS).get_signing_key
    file = WatchedFile(Path(where), _key_set)

    def find(kid: str) -> jwt.PyJWK:
        try:
            return file()[kid]
        except UnusableFileError as error:
            raise jwt.PyJWKClientConnectionError(str(error)) from None
        except KeyError as error:
            raise jwt.PyJWKClientError(str(error)) from None

    return find


class _Fetched(jwt.PyJWKClient):
    """Rests after a fetch that failed: requests would otherwise queue, each for the whole time-out."""

    _failed: float | None = None

    def fetch_data(self) -> Any:
        """As PyJWT's."""
        if self._failed is not None and time.monotonic() - self._failed < _FETCH_SECONDS:
            message = "the last fetch failed a moment ago"
            raise jwt.PyJWKClientConnectionError(message)
        try:
            found = super().fetch_data()
        except (jwt.PyJWTError, ValueError, OSError, RecursionError) as error:
            self._failed = time.monotonic()
            raise jwt.PyJWKClientConnectionError(str(error)) from error
        self._failed = None
        return found


def _key_set(text: str) -> dict[str, jwt.PyJWK]:
    try:
        found = jwt.PyJWKSet.from_dict(json.loads(text)).keys
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
        found = []
    keys = {key.key_id: key for key in found if key.key_id and key.public_key_use in ("sig", None)}
    if not keys:
        message = (
            'expected a JSON Web Key Set whose keys have a "kid", for example {"keys": [{"kid": "1", "kty": "RSA", …}]}'
        )
        raise ValueError(message)
    return keys
