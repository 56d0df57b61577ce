"""Named types that sections are made of: each checks one value, and nothing but that value."""

import ipaddress
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints

FilePath = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^?#%\x00-\x1f]*[^?#%\x00-\x1f/]\Z"),
]
"""A path that survives in a SQLite URI: ADK keeps %-escapes raw and cuts at `?` and `#` (google-adk 2.13 registry)."""

PostgresVersion = Literal[15, 16, 17, 18]
"""A major version that all three clouds offer."""

DatabaseName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}\Z")]
"""A database: small letters, digits and underscores, so that nobody has to quote it; RDS takes no hyphen."""

RoleName = Annotated[str, StringConstraints(pattern=r"^(?!pg_|none\Z|public\Z)[a-z_][a-z0-9_]{0,60}\Z")]
"""A role that needs no quotes, with room for the `_2` of the app's other role. Names with `pg_`, `none` and `public`
belong to PostgreSQL itself (PostgreSQL, "CREATE ROLE")."""

NamePrefix = Annotated[str, StringConstraints(pattern=r"^[a-z](?!.*--)[a-z0-9-]{0,38}[a-z0-9]\Z")]
"""What every cloud takes at the start of a name, with room for the suffixes that Pulumi adds."""

ServerId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,7}\Z")]
"""A generation's name, for example `g1`; it ends up in names of resources."""

Whole = Annotated[int, Strict()]
"""A whole number: neither `true`, which pydantic reads as 1 (its "Conversion Table"), nor a text in quotes."""


def _no_switch(value: object) -> object:
    if isinstance(value, bool):
        message = "true or false"
        raise ValueError(message)  # noqa: TRY004  # What pydantic turns into a refusal.
    return value


NoSwitch = BeforeValidator(_no_switch)
"""Beside a `Literal` with 0 or 1, which equal `False` and `True` to Python."""

Switch = Annotated[bool, Strict()]
"""`true` or `false`: neither 1 nor any of the words that pydantic takes for them."""

Hour = Annotated[Whole, Field(ge=0, le=23)]
"""An hour of the day, UTC."""

Percent = Annotated[Whole, Field(ge=1, le=100)]

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+\Z")]

_LEAST_LETTERS: Final = 3
"""Different letters or digits that a reason in words has at least."""


def _in_words(text: str) -> str:
    """One line of what can be seen: neither blanks of whatever kind nor control characters are a reason."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    # NFKC: some letters of Unicode are blank themselves, and it makes one of them.
    letters = {sign for sign in unicodedata.normalize("NFKC", shown) if sign.isalnum()}
    control = any(unicodedata.category(sign) == "Cc" and not sign.isspace() for sign in text)
    if control or len(letters) < _LEAST_LETTERS:
        message = "no words"
        raise ValueError(message)
    return shown


Reason = Annotated[str, AfterValidator(_in_words), Field(min_length=10, max_length=300)]
"""Why a stack is under a floor, for whoever reads it later."""

_PRIVATE_BITS: Final = 16
"""An address block for clients that is wider than this is no list of clients any more."""


def _cidr(text: str) -> str:
    network = ipaddress.ip_network(text, strict=True)
    if network.prefixlen < _PRIVATE_BITS:
        message = "wider than /16"
        raise ValueError(message)
    return str(network)


Cidr = Annotated[str, AfterValidator(_cidr)]
"""A block of addresses, /16 or narrower: `0.0.0.0/0` never fits."""


def _moment(text: str) -> str:
    if not text.endswith("Z"):
        message = "not UTC"
        raise ValueError(message)
    datetime.fromisoformat(text).astimezone(UTC)
    return text


Moment = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z\Z"), AfterValidator(_moment)
]
"""A point in time as the clouds take it: RFC 3339, UTC, ending in `Z`."""
