"""JSON Web Tokens of an identity provider, checked by PyJWT against the provider's public keys."""

from dataclasses import dataclass
from typing import Any, Final

import jwt

from app.api.content.words import fault_of_id
from app.api.entry.keys import Keys
from app.api.entry.tokens import Permit, RefusedTokenError, UnavailableKeysError, granted
from app.api.found import Caller

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones alone: with HS256 among them whoever has the public key could sign (RFC 8725 section 2.1)."""

_LEEWAY: Final = 30.0
"""Seconds by which two clocks may differ."""

_WORDS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is for another audience",
    jwt.InvalidIssuerError: "the token is of another issuer",
    jwt.InvalidKeyError: "the token is signed by a key that is not accepted",
    jwt.MissingRequiredClaimError: "the token lacks one of the claims exp, iss and aud",
    jwt.PyJWKClientError: "the token names no key that API_JWT_KEYS has, by its kid",
    jwt.InvalidSignatureError: "the token is not signed by the key that it names",
    jwt.DecodeError: "the token is no JSON Web Token",
    jwt.InvalidAlgorithmError: "the token is signed by an algorithm that is not accepted",
}


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
            keys: As `keys.key_source` makes it.
        """
        self._rules, self._keys = rules, keys

    async def caller(self, token: str, permit: Permit = granted) -> Caller:
        """As `Tokens`."""
        try:
            key = await self._keys(jwt.get_unverified_header(token).get("kid", ""), permit)
            return self._known(self._claims(token, key))
        except jwt.PyJWKClientConnectionError:
            message = "the keys of the token's issuer are out of reach"
            raise UnavailableKeysError(message) from None
        # PyJWT lets through what Python's own JSON and numbers raise on hostile input.
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise RefusedTokenError(_WORDS.get(type(error), "the token is not valid")) from None

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            issuer=self._rules.issuer,
            audience=self._rules.audience,
            leeway=_LEEWAY,
            # RFC 7518 section 3.3; and whether a claim names a user is judged by `_known`, in words.
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True, "verify_sub": False},
        )

    def _known(self, claims: dict[str, Any]) -> Caller:
        user = claims.get(self._rules.user_claim)
        operator = self._rules.operator_scope is not None and self._rules.operator_scope in _scopes(claims)
        if not isinstance(user, str) or fault_of_id(user):
            message = f"the token's claim {self._rules.user_claim} names no user that a session can have"
            raise RefusedTokenError(message)
        return Caller(f"user {user}", None if operator else user, operator, int(claims["exp"]) + _LEEWAY)


def _scopes(claims: dict[str, Any]) -> list[Any]:
    """Words in one string (RFC 8693 section 4.2); `scp`, also as a list, is what Entra and Okta write."""
    found = claims.get("scope", claims.get("scp"))
    return found.split() if isinstance(found, str) else found if isinstance(found, list) else []
