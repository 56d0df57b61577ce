"""The public keys by which tokens are checked: of a file that may change, or of a provider that may hang."""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import jwt

from app.api.entry.tokens import Permit
from app.api.entry.watched import UnusableFileError, WatchedFile

_LOG: Final = logging.getLogger(__name__)

_FETCH_SECONDS: Final = 5.0
"""For one fetch of the provider's keys, and for the pause after one that failed."""

_LARGEST: Final = 2**20
"""Bytes of a key set: thousands of keys."""

_PLAIN: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""What is compressed may be of any size."""

_FRESH: Final = 300.0
"""Seconds after which keys are fetched anew, as a provider may withdraw one."""

_PAUSE: Final = 30.0
"""Seconds after a fetch in which no made-up id causes another one (PyJWT's `cooldown_duration`)."""

_KEPT: Final = 24 * 3600.0
"""Seconds for which keys open while the provider does not answer: its outage is not to be everybody's."""

Keys = Callable[[str, Permit], Awaitable[jwt.PyJWK]]
"""Gives the key of an id, or raises PyJWKClientError; PyJWKClientConnectionError where it cannot be told now."""


def key_source(where: str) -> Keys:
    """Where the public keys of a provider are, as a JSON Web Key Set (RFC 7517). Nothing is fetched yet.

    Args:
        where: An http or https URL, for example `https://login.example.com/.well-known/jwks.json`, or a file.

    Raises:
        ValueError: The file holds no such keys.
        OSError: It cannot be read.
    """
    if where.startswith(("https://", "http://")):
        return FetchedKeys(where)
    file = WatchedFile(Path(where), _KeySet())

    async def find(kid: str, _: Permit) -> jwt.PyJWK:
        try:
            return _of(file(), kid)
        except UnusableFileError as error:
            raise jwt.PyJWKClientConnectionError(str(error)) from None

    return find


class FetchedKeys:
    """A provider's keys. One that is known needs no answer of the provider; one that is not causes a fetch, rarely.

    There is one fetch at a time, which is given up as a whole after five seconds: a provider that hangs, or sends a
    byte now and then, stops those who wait for it, for so long, and nobody else. Not PyJWT's client, which waits in a
    thread for each part of an answer, for ever in sum, and takes one of any size.
    """

    def __init__(self, url: str) -> None:
        """Fetch nothing yet.

        Args:
            url: Of the key set.
        """
        self._url, self._read = url, _KeySet()
        self._fetching: asyncio.Task[None] | None = None
        self._known: Mapping[str, jwt.PyJWK] = {}
        self._fetched = self._failed = float("-inf")

    async def __call__(self, kid: str, permit: Permit) -> jwt.PyJWK:
        """As `Keys`."""
        age = time.monotonic() - self._fetched
        if age > _KEPT:
            self._known = {}
        if kid not in self._known and age > _PAUSE:
            await self._learn(permit)
        elif age > _FRESH and not self._rests():
            self._fetch()  # Nobody waits for it.
        return _of(self._known, kid)

    async def _learn(self, permit: Permit) -> None:
        if not self._rests():
            await permit()
            await asyncio.wait({self._fetch()})
        if self._failed > self._fetched:
            message = "the provider does not answer"
            raise jwt.PyJWKClientConnectionError(message)

    def _rests(self) -> bool:
        return time.monotonic() - self._failed < _FETCH_SECONDS

    def _fetch(self) -> asyncio.Task[None]:
        """The fetch that runs, or one that begins."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._ask())
        return self._fetching

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(_FETCH_SECONDS):  # The client's own bounds each part of an answer alone.
                text = await _fetched(self._url)
            self._known = self._read(text)
        except Exception as error:  # noqa: BLE001  # Whatever it is, there are no new keys, and the old ones go on.
            if self._failed <= self._fetched:
                _LOG.error("API_JWT_KEYS cannot be fetched: %s", str(error) or "no answer in time")
            self._failed = time.monotonic()
        else:
            if self._failed > self._fetched:
                _LOG.info("API_JWT_KEYS can be fetched again")
            self._fetched = time.monotonic()


async def _fetched(url: str) -> str:
    """What is there, without a redirect. The CAs are the system's, as for the database."""
    client = httpx.AsyncClient(verify=ssl.create_default_context(), timeout=_FETCH_SECONDS, headers=_PLAIN)
    async with client, client.stream("GET", url) as answer:
        if answer.status_code != HTTPStatus.OK:
            message = f"expected status 200, got {answer.status_code}"
            raise ValueError(message)
        text = bytearray()
        async for part in answer.aiter_raw():
            text += part
            if len(text) > _LARGEST:
                message = f"expected at most {_LARGEST} bytes"
                raise ValueError(message)
    return text.decode()


def _of(keys: Mapping[str, jwt.PyJWK], kid: str) -> jwt.PyJWK:
    try:
        return keys[kid]
    except KeyError:
        message = "there is no such key"
        raise jwt.PyJWKClientError(message) from None


class _KeySet:
    """Makes keys of a text, and says once how many entries it leaves out (RFC 7517 section 5: as not understood)."""

    def __init__(self) -> None:
        """Leave out none yet."""
        self._odd = 0

    def __call__(self, text: str) -> dict[str, jwt.PyJWK]:
        """The keys for signatures by their ids.

        Args:
            text: A JSON Web Key Set.

        Raises:
            ValueError: There is none.
        """
        entries = _entries(text)
        keys = [_key(entry) for entry in entries if not _is_for_other_things(entry)]
        named = {key.key_id: key for key in keys if key is not None and key.key_id is not None}
        if not named:
            message = (
                'expected a JSON Web Key Set whose keys have a "kid", for example '
                '{"keys": [{"kid": "1", "kty": "RSA", …}]}'
            )
            raise ValueError(message)
        self._tell(keys.count(None), len(entries))
        return named

    def _tell(self, odd: int, of: int) -> None:
        if odd and odd != self._odd:
            _LOG.warning("API_JWT_KEYS: %d of %d keys cannot be used, and are left out", odd, of)
        self._odd = odd


def _entries(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    entries = found.get("keys") if isinstance(found, dict) else None
    return entries if isinstance(entries, list) else []


def _is_for_other_things(entry: Any) -> bool:
    """By either of the two ways to say so (RFC 7517 sections 4.2 and 4.3); a key may say nothing."""
    if not isinstance(entry, dict):
        return False
    use, uses = entry.get("use", "sig"), entry.get("key_ops", ["verify"])
    return (isinstance(use, str) and use != "sig") or (isinstance(uses, list) and "verify" not in uses)


def _key(entry: Any) -> jwt.PyJWK | None:
    """None where it is none that can be used."""
    try:
        sound = isinstance(entry["kid"], str) and entry["kid"] and isinstance(entry.get("use", ""), str)
        return jwt.PyJWK(entry) if sound and isinstance(entry.get("key_ops", []), list) else None
    except Exception:  # noqa: BLE001  # Whatever a library says of one, the others go on.
        return None
