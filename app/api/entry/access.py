"""Who may come in: this machine, who has a token, users of an identity provider, or whom something in front sends."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator, model_validator

from app.api.entry.address import is_loopback
from app.api.entry.keys import key_source
from app.api.entry.signed import Rules, SignedTokens
from app.api.entry.tokens import SharedTokens, Tokens, accepted
from app.api.entry.watched import WatchedFile
from app.errors import InvalidSettingError
from app.settings import WHERE, Settings, variable

_T = TypeVar("_T")

_MADE: Final = "the output of openssl rand -hex 32"
_ANY_LOOPBACK: Final = "127.0.0.1"


class Access(Settings):
    """Who may come in."""

    access: Literal["loopback", "token", "jwt", "proxy"] = variable(
        "API_ACCESS", "loopback", "who may come in: this machine alone, holders of a token, users with a JWT, or "
        "whomever something in front of the server sends, which checks callers itself"
    )  # fmt: skip
    token: SecretStr | None = variable("API_TOKEN", None, "for token: the tokens, one a line", example=_MADE)
    token_file: Path | None = variable(
        "API_TOKEN_FILE", None, "for token: a file of them, read anew when it changes", example="/run/secrets/api_token"
    )
    issuer: str | None = variable(
        "API_JWT_ISSUER", None, "for jwt: the iss of a token", example="https://login.example.com/"
    )
    audience: str | None = variable("API_JWT_AUDIENCE", None, "for jwt: what its aud names", example="sessions")
    keys: str | None = variable(
        "API_JWT_KEYS",
        None,
        "for jwt: the JSON Web Key Set of the issuer, an https URL or a file",
        example="https://login.example.com/.well-known/jwks.json",
    )
    user_claim: str = variable("API_JWT_USER_CLAIM", "sub", "for jwt: the claim that names the user of the sessions")
    operator_scope: str | None = variable(
        "API_JWT_OPERATOR_SCOPE",
        None,
        "for jwt: the word in scope or scp that opens every user's sessions and /metrics; nothing does where unset",
        example="sessions.operate",
    )
    allow_origins: str = variable(
        "API_ALLOW_ORIGINS",
        "",
        "origins of web pages that may call the API, separated by commas; none where unset",
        example="https://chat.example.com,http://localhost:5173",
    )

    @field_validator("token")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            accepted(value.get_secret_value())
        return value

    @field_validator("keys")
    @classmethod
    def _private(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            message = "it is to be https, since whoever answers in the issuer's place lets everybody in"
            raise ValueError(message)
        return value

    @field_validator("allow_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        if not all(_is_origin(each) for each in _split(value)):
            message = "an origin is a scheme, a host and a port; * would open the sessions to every web page"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        signed = {"API_JWT_ISSUER": self.issuer, "API_JWT_AUDIENCE": self.audience, "API_JWT_KEYS": self.keys}
        missing = [name for name, value in signed.items() if not value]
        if self.access == "token" and self.token is None and self.token_file is None:
            message = "expected API_TOKEN or API_TOKEN_FILE with API_ACCESS=token"
        elif self.access == "jwt" and missing:
            message = f"expected {', '.join(missing)} with API_ACCESS=jwt"
        elif (self.access != "token" and self.token_file) or (self.access != "jwt" and len(missing) < len(signed)):
            message = f"expected no settings of tokens with API_ACCESS={self.access}, which checks none"
        else:
            return self
        raise ValueError(message)

    @property
    def unasked(self) -> str | None:
        """A token that opens nothing, though somebody may think so, as a warning; None where there is none.

        `make staging` makes one for docker compose, in the `.env` that every server of the project reads.
        """
        if self.token is None or self.access == "loopback":
            return None
        if self.access == "token":
            return "API_TOKEN is set, and not asked for, since API_TOKEN_FILE is set" if self.token_file else None
        return f"API_TOKEN is set, and not asked for with API_ACCESS={self.access}"

    @property
    def origins(self) -> list[str]:
        """The origins that may call the API."""
        return _split(self.allow_origins)

    def require(self, host: str) -> None:
        """Refuse to listen where nobody checks callers; read-only.

        Args:
            host: The address to bind.

        Raises:
            InvalidSettingError: It is no loopback address, and API_ACCESS is `loopback`.
        """
        if self.access == "loopback" and not is_loopback(host):
            message = (
                f"expected a loopback address, since ADK's routes have no authentication, got {host}. "
                "For example: --host 127.0.0.1, or API_ACCESS=token, API_ACCESS=jwt, or API_ACCESS=proxy where "
                "something in front of the server checks callers"
            )
            raise InvalidSettingError(message)

    def bind_host(self, host: str | None) -> str | None:
        """The address as ADK is to know it: a loopback one, for which it rejects requests that name another host.

        Args:
            host: The address that the server is bound to; None where somebody else binds it. Of others than loopback
                ADK would warn that nobody checks callers.
        """
        if self.access == "loopback":
            return _ANY_LOOPBACK  # Whoever is let in calls from this machine, wherever it arrives.
        return host if host and is_loopback(host) else None


def tokens_of(access: Access) -> Tokens | None:
    """What judges tokens; None where none are asked for. Nothing is asked of the network yet.

    Args:
        access: Who may come in.

    Raises:
        InvalidSettingError: A file that the settings name cannot be used.
    """
    if access.access == "token" and access.token_file is not None:
        file = access.token_file
        return SharedTokens(_usable("API_TOKEN_FILE", lambda: WatchedFile(file, accepted)))
    if access.access == "token" and access.token is not None:
        tokens = accepted(access.token.get_secret_value())
        return SharedTokens(lambda: tokens)
    if access.access == "jwt" and access.keys is not None:
        keys = access.keys
        rules = Rules(str(access.issuer), str(access.audience), access.user_claim, access.operator_scope)
        return SignedTokens(rules, _usable("API_JWT_KEYS", lambda: key_source(keys)))
    return None


def _usable(name: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except (OSError, ValueError) as error:
        reason = f"{error.strerror} ({error.filename})" if isinstance(error, OSError) else str(error)
        message = f"expected {name} to name a file that can be used: {reason}. {WHERE}"
        raise InvalidSettingError(message) from None


def _split(origins: str) -> list[str]:
    return [each.strip() for each in origins.split(",") if each.strip()]


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return False
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return (
        bool(host)
        and "*" not in text
        and parts.scheme in ("http", "https")
        and text == f"{parts.scheme}://{host}{port}"
    )
