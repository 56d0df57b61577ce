"""Whom a token speaks for: guesses, replaced tokens, and every forgery of a JWT that has a name."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import InsecureKeyLengthWarning
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from app.api.entry import keys as keys_module
from app.api.entry.keys import key_source
from app.api.entry.signed import Rules, SignedTokens
from app.api.entry.tokens import RefusedTokenError, SharedTokens, Tokens, UnavailableKeysError, accepted
from app.api.entry.watched import WatchedFile
from app.api.found import Caller

ONE, OTHER = "one-" + "x" * 32, "other-" + "x" * 32
KEY, STRANGER = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RULES = Rules("https://login.example.com/", "sessions", "sub", "sessions.operate")


def caller(tokens: Tokens, token: str) -> Caller:
    """Whom the token speaks for."""
    return asyncio.run(tokens.caller(token))


def key_set(*keys: tuple[str, Any]) -> str:
    """A JSON Web Key Set of public keys by their ids."""
    return json.dumps({"keys": [_public(key) | {"kid": kid} for kid, key in keys]})


def _public(key: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says, but for the changes; None takes a claim away."""
    good = {"iss": RULES.issuer, "aud": RULES.audience, "sub": "ada", "exp": int(time.time()) + 300}
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(key: Any = KEY, algorithm: str = "RS256", kid: str | None = "1", **changes: Any) -> str:
    """A token of the claims."""
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} if kid else None)


def assembled(header: dict[str, Any], sign: Callable[[bytes], bytes], **changes: Any) -> str:
    """A token that no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims(**changes))]
    signature = base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


@pytest.fixture(scope="module")
def jwts(tmp_path_factory: pytest.TempPathFactory) -> SignedTokens:
    """Of an issuer with one key, in a file."""
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(key_set(("1", KEY)))
    return SignedTokens(RULES, key_source(str(file)))


def test_any_of_several_shared_tokens_opens() -> None:
    """As while one replaces another; a name for logs is none of the token's characters."""
    tokens = SharedTokens(lambda: (ONE, OTHER))

    assert caller(tokens, ONE).user is None
    assert caller(tokens, OTHER).operator
    assert caller(tokens, ONE).name != caller(tokens, OTHER).name
    assert not any(word in caller(tokens, ONE).name for word in ("one", "xx"))


@pytest.mark.parametrize("guess", ["", "x", ONE[:-1], ONE + "x", ONE.upper(), f"{ONE}\n{OTHER}", "\xff", "*"])
def test_no_other_token_does(guess: str) -> None:
    """And the refusal does not quote what was tried."""
    with pytest.raises(RefusedTokenError) as caught:
        caller(SharedTokens(lambda: (ONE, OTHER)), guess)

    assert str(caught.value) == "the token is not one of this server's"


@pytest.mark.parametrize("text", ["", "\n \n", "short", f"{ONE}\nshort", "x" * 31, "x" * 20 + " " + "y" * 20, "ü" * 40])
def test_a_token_that_could_be_guessed_is_refused_without_being_shown(text: str) -> None:
    """At the start, not at the first break-in."""
    with pytest.raises(ValueError, match="32 or more ASCII characters") as caught:
        accepted(text)

    assert not any(len(word) > 4 and word in str(caught.value) for word in text.split())


def test_tokens_are_replaced_without_a_restart(tmp_path: Path) -> None:
    """Old and new side by side, then the new one alone; by a link, as Kubernetes changes a mounted secret."""
    first, second, link = tmp_path / "first", tmp_path / "second", tmp_path / "token"
    first.write_text(f"{ONE}\n")
    second.write_text(f"{OTHER}\n")
    link.symlink_to(first)
    tokens = SharedTokens(WatchedFile(link, accepted))
    assert caller(tokens, ONE).operator

    first.write_text(f"{ONE}\n{OTHER}\n")
    assert caller(tokens, ONE).operator
    assert caller(tokens, OTHER).operator
    fresh = tmp_path / "fresh"
    fresh.symlink_to(second)
    fresh.replace(link)

    assert caller(tokens, OTHER).operator
    with pytest.raises(RefusedTokenError):
        caller(tokens, ONE)


@pytest.mark.parametrize("text", [None, "", "short"])
def test_tokens_that_are_gone_open_nothing_until_they_are_back(
    tmp_path: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever empties the file may have withdrawn them; callers are to ask again, not to forget theirs."""
    file = tmp_path / "token"
    file.write_text(ONE)
    tokens = SharedTokens(WatchedFile(file, accepted))

    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    for _ in range(2):
        with pytest.raises(UnavailableKeysError):
            caller(tokens, ONE)
    file.write_text(ONE)

    assert caller(tokens, ONE).operator
    bad, good = [record.getMessage() for record in caplog.records]
    assert bad.startswith(f"{file} cannot be used: "), "once, or every request of anybody is a line of the log"
    assert good == f"{file} can be used again"


def test_a_good_jwt_speaks_for_its_user(jwts: SignedTokens) -> None:
    """And for nobody else."""
    assert caller(jwts, signed()) == Caller("user ada", "ada", operator=False)
    assert caller(jwts, signed(aud=["other", "sessions"])).user == "ada"
    assert caller(jwts, signed(exp=int(time.time()) - 10)).user == "ada", "two clocks may differ by 30 s"


@pytest.mark.parametrize(
    ("said", "operator"),
    [
        ({"scope": "openid sessions.operate"}, True),
        ({"scp": ["openid", "sessions.operate"]}, True),
        ({"scp": "sessions.operate"}, True),
        ({"scope": "sessions.operate.not sessions"}, False),
        ({"scope": ["x", {}]}, False),
        ({"scope": 5}, False),
        ({"scope": "openid", "scp": "sessions.operate"}, False),
        ({"roles": "sessions.operate"}, False),
    ],
)
def test_only_the_scope_makes_an_operator(jwts: SignedTokens, said: dict[str, Any], operator: bool) -> None:  # noqa: FBT001
    """As one whole word."""
    found = caller(jwts, signed(**said))

    assert (found.operator, found.user) == (operator, None if operator else "ada")


def _none(_: bytes) -> bytes:
    return b""


def _with_the_public_key(text: bytes) -> bytes:
    return hmac.new(PUBLIC, text, hashlib.sha256).digest()


FORGED: dict[str, Callable[[], str]] = {
    "none": lambda: assembled({"alg": "none", "kid": "1"}, _none),
    "None": lambda: assembled({"alg": "None", "kid": "1"}, _none),
    "no signature": lambda: assembled({"alg": "RS256", "kid": "1"}, _none),
    "no algorithm": lambda: assembled({"kid": "1"}, _none),
    "HS256 with the public key": lambda: assembled({"alg": "HS256", "kid": "1"}, _with_the_public_key),
    "RS256 said of an HMAC": lambda: assembled({"alg": "RS256", "kid": "1"}, _with_the_public_key),
    "another key": lambda: signed(STRANGER),
    "another key's id": lambda: signed(STRANGER, kid="2"),
    "a key of its own": lambda: jwt.encode(
        claims(), STRANGER, "RS256", headers={"kid": "1", "jwk": json.loads(RSAAlgorithm.to_jwk(STRANGER.public_key()))}
    ),
    "a key's address": lambda: jwt.encode(
        claims(), STRANGER, "RS256", headers={"kid": "1", "jku": "https://evil.example/jwks.json"}
    ),
    "an id that is a path": lambda: signed(STRANGER, kid="../../../../dev/null"),
    "no id": lambda: signed(kid=None),
    "changed afterwards": lambda: ".".join(
        [signed().split(".")[0], signed(sub="bob").split(".")[1], signed().split(".")[2]]
    ),
    "expired": lambda: signed(exp=int(time.time()) - 31),
    "without an end": lambda: signed(exp=None),
    "not yet valid": lambda: signed(nbf=int(time.time()) + 300),
    "another audience": lambda: signed(aud="mail"),
    "no audience": lambda: signed(aud=None),
    "another issuer": lambda: signed(iss="https://login.example.com"),
    "no issuer": lambda: signed(iss=None),
    "no user": lambda: signed(sub=None),
    "an empty user": lambda: signed(sub=""),
    "a user that is a path": lambda: signed(sub="../bob"),
    "a user that is too long": lambda: signed(sub="x" * 129),
    "an endless end": lambda: assembled({"alg": "RS256", "kid": "1"}, _none, exp=float("inf")),
    "no token": lambda: "x",
    "dots": lambda: "..",
    "nothing": lambda: "",
    "deep": lambda: base64.urlsafe_b64encode(b"[" * 50_000).decode() + ".e30.x",
    "bytes": lambda: "\xff.\xff.\xff",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_jwt_opens_nothing(jwts: SignedTokens, forged: Callable[[], str]) -> None:
    """Whatever the library says of it, and without a word of it."""
    token = forged()

    with pytest.raises(RefusedTokenError) as caught:
        caller(jwts, token)

    assert str(caught.value).startswith("the token"), caught.value
    assert caught.value.__cause__ is None


def test_what_is_wrong_with_an_honest_token_is_said(jwts: SignedTokens) -> None:
    """So that its owner fetches another one, or whoever sets the provider up sees what it leaves out."""
    for token, words in (
        (signed(exp=int(time.time()) - 60), "the token has expired"),
        (signed(aud="mail"), "the token is for another audience"),
        (signed(iss="x"), "the token is of another issuer"),
        (signed(exp=None), "the token lacks one of the claims exp, iss and aud"),
        (signed(kid="2"), "the token names no key that API_JWT_KEYS has, by its kid"),
        (signed(kid=None), "the token names no key that API_JWT_KEYS has, by its kid"),
        (signed(sub=None), "the token's claim sub names no user that a session can have"),
        (signed(sub=7), "the token's claim sub names no user that a session can have"),
        (signed(STRANGER), "the token is not signed by the key that it names"),
        ("no.jwt.atall", "the token is no JSON Web Token"),
    ):
        with pytest.raises(RefusedTokenError, match=f"^{words}$"):
            caller(jwts, token)


def test_keys_of_elliptic_curves_are_accepted(tmp_path: Path) -> None:
    """Each key with its own algorithm alone."""
    curve = ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "jwks.json"
    file.write_text(key_set(("1", KEY), ("2", curve)))
    tokens = SignedTokens(RULES, key_source(str(file)))

    assert caller(tokens, signed(curve, "ES256", "2")).user == "ada"
    with pytest.raises(RefusedTokenError):
        caller(tokens, signed(curve, "ES256", "1"))


def test_a_key_that_can_be_broken_signs_nothing(tmp_path: Path) -> None:
    """RFC 7518, 3.3: 2048 bits or more."""
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505  # What is refused.
    file = tmp_path / "jwks.json"
    file.write_text(key_set(("1", KEY), ("2", small)))

    with pytest.warns(InsecureKeyLengthWarning):
        token = signed(small, kid="2")
    with pytest.raises(RefusedTokenError, match="a key that is not accepted"):
        caller(SignedTokens(RULES, key_source(str(file))), token)


def test_a_key_for_other_things_signs_nothing(tmp_path: Path) -> None:
    """Whichever of the two ways a set has to say so (RFC 7517, 4.2 and 4.3)."""
    keys = json.loads(key_set(("1", KEY), ("2", STRANGER), ("3", STRANGER)))
    keys["keys"][1]["key_ops"] = ["encrypt"]
    keys["keys"][2]["use"] = "enc"
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(keys))
    tokens = SignedTokens(RULES, key_source(str(file)))

    assert caller(tokens, signed()).user == "ada"
    for kid in ("2", "3"):
        with pytest.raises(RefusedTokenError):
            caller(tokens, signed(STRANGER, kid=kid))


def test_a_secret_among_the_keys_signs_nothing(tmp_path: Path) -> None:
    """A symmetric key in a published set is everybody's."""
    file = tmp_path / "jwks.json"
    secret = b"x" * 32
    oct_key = {"kty": "oct", "kid": "2", "k": base64.urlsafe_b64encode(secret).decode(), "alg": "HS256"}
    file.write_text(json.dumps({"keys": [*json.loads(key_set(("1", KEY)))["keys"], oct_key]}))

    with pytest.raises(RefusedTokenError, match="an algorithm that is not accepted"):
        caller(SignedTokens(RULES, key_source(str(file))), signed(secret, "HS256", "2"))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}', "-----BEGIN"])
def test_a_file_without_keys_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    """With an example of one."""
    file = tmp_path / "jwks.json"
    file.write_text(text)

    with pytest.raises(ValueError, match='"kid"'):
        key_source(str(file))


class Issuer:
    """The keys of an issuer over HTTP, with a count of how often they were fetched."""

    def __init__(self) -> None:
        """Answers with no keys yet."""
        self.answer: tuple[int, str] = (200, key_set(("1", KEY)))
        self.fetched = 0
        self.asked, self.answers = threading.Semaphore(0), threading.Event()
        self.answers.set()
        self.drips: bytes | None = None
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetched += 1
                issuer.asked.release()
                issuer.answers.wait(30)
                if issuer.drips is not None:
                    self._drip(issuer.drips)
                status, text = issuer.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def _drip(self, head: bytes) -> None:
                with contextlib.suppress(OSError):  # Until the other side hangs up.
                    self.wfile.write(head)
                    while True:
                        self.wfile.write(b" ")
                        time.sleep(0.01)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """One on this machine."""
    monkeypatch.setenv("no_proxy", "*")
    made = Issuer()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.answers.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_keys_are_fetched_once(issuer: Issuer) -> None:
    """Not for every request, nor for every id that somebody makes up."""
    tokens = SignedTokens(RULES, key_source(issuer.url))

    assert caller(tokens, signed()).user == "ada"
    assert caller(tokens, signed()).user == "ada"
    for kid in ("2", "3"):
        with pytest.raises(RefusedTokenError):
            caller(tokens, signed(kid=kid))

    assert issuer.fetched == 1


@pytest.mark.parametrize("answer", [(500, ""), (200, "<html>"), (200, "[]"), (200, "{}"), (302, "")])
def test_an_issuer_that_fails_is_no_fault_of_the_token(issuer: Issuer, answer: tuple[int, str]) -> None:
    """It is asked again after a pause, so that requests do not queue for it."""
    issuer.answer = answer
    tokens = SignedTokens(RULES, key_source(issuer.url))

    for _ in range(3):
        with pytest.raises(UnavailableKeysError):
            caller(tokens, signed())

    assert issuer.fetched == 1


@pytest.mark.parametrize("head", [b"", b"HTTP/1.0 200 OK\r\n\r\n"], ids=["head", "body"])
def test_an_answer_that_never_ends_is_given_up(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    """As a whole, however often a byte comes; the next one is asked for over another connection."""
    keys = key_source(issuer.url)
    tokens = SignedTokens(RULES, keys)

    async def ask() -> Caller:
        issuer.drips = head
        monkeypatch.setattr(keys_module, "_FETCH_SECONDS", 0.3)
        with pytest.raises(UnavailableKeysError):
            await tokens.caller(signed())
        issuer.drips = None
        monkeypatch.undo()
        monkeypatch.setenv("no_proxy", "*")
        keys._failed -= 10  # type: ignore[attr-defined]  # noqa: SLF001
        return await tokens.caller(signed())

    assert asyncio.run(ask()).user == "ada"


@pytest.mark.parametrize(
    "answer", [(200, key_set(("1", KEY)) + " " * 2**20), (200, "\xff"), (206, key_set(("1", KEY)))]
)
def test_an_answer_of_another_kind_is_none(issuer: Issuer, answer: tuple[int, str]) -> None:
    """Too long, no JSON, and a part of one."""
    issuer.answer = answer

    with pytest.raises(UnavailableKeysError):
        caller(SignedTokens(RULES, key_source(issuer.url)), signed())


def aged(keys: Any, seconds: float) -> None:
    """Makes the last fetch so much older."""
    keys._fetched -= seconds  # noqa: SLF001  # Nobody waits for minutes.


ODD: dict[str, Any] = {
    "null": None,
    "a text": "x",
    "a list": [1],
    "key_ops null": _public(STRANGER) | {"kid": "2", "key_ops": None},
    "key_ops a number": _public(STRANGER) | {"kid": "2", "key_ops": 7},
    "key_ops a text": _public(STRANGER) | {"kid": "2", "key_ops": "verify"},
    "use a list": _public(STRANGER) | {"kid": "2", "use": ["sig"]},
    "kid a list": _public(STRANGER) | {"kid": ["2"]},
    "kid an object": _public(STRANGER) | {"kid": {}},
    "kid a number": _public(STRANGER) | {"kid": 2},
    "kid missing": _public(STRANGER),
    "kty a number": {"kid": "2", "kty": 5},
    "kty unknown": {"kid": "2", "kty": "PQC"},
    "n a number": {"kid": "2", "kty": "RSA", "n": 5, "e": "AQAB"},
    "a curve of nobody": {"kid": "2", "kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
    "alg unknown": _public(STRANGER) | {"kid": "2", "alg": "FOO"},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_key_is_left_out_of_a_set(issuer: Issuer, tmp_path: Path, odd: Any, caplog: Any) -> None:
    """Of a file and of a provider, whose next kind of key is to shut out nobody (RFC 7517, 5); the log says it once."""
    text = json.dumps({"keys": [odd, *json.loads(key_set(("1", KEY)))["keys"]]})
    file = tmp_path / "jwks.json"
    file.write_text(text)
    issuer.answer = (200, text)

    for where in (str(file), issuer.url):
        caplog.clear()
        keys = key_source(where)
        tokens = SignedTokens(RULES, keys)
        assert caller(tokens, signed()).user == "ada"
        with pytest.raises(RefusedTokenError, match="names no key"):
            caller(tokens, signed(STRANGER, kid="2"))
        if where == issuer.url:
            aged(keys, 60)
            with pytest.raises(RefusedTokenError, match="names no key"):
                caller(tokens, signed(STRANGER, kid="3"))
        said = [record.getMessage() for record in caplog.records]
        assert said == ["API_JWT_KEYS: 1 of 2 keys cannot be used, and are left out"]


def test_a_known_key_opens_while_the_issuer_hangs(issuer: Issuer) -> None:
    """Those with an unknown one wait for one question; nobody else waits at all."""
    keys = key_source(issuer.url)
    tokens = SignedTokens(RULES, keys)

    async def ask() -> list[BaseException | Caller]:
        await tokens.caller(signed())
        issuer.answers.clear()
        aged(keys, 60)
        unknown = [asyncio.create_task(tokens.caller(signed(kid=f"made-up-{number}"))) for number in range(50)]
        await asyncio.to_thread(lambda: [issuer.asked.acquire() for _ in range(2)])
        assert (await tokens.caller(signed())).user == "ada"
        assert not any(each.done() for each in unknown)
        aged(keys, 600)
        assert (await tokens.caller(signed())).user == "ada", "nor where the keys are to be fetched anew"
        issuer.answer = (503, "")
        issuer.answers.set()
        return await asyncio.gather(*unknown, return_exceptions=True)

    refused = asyncio.run(ask())

    assert {type(each) for each in refused} == {UnavailableKeysError}
    assert issuer.fetched == 2


def test_keys_outlast_an_outage_of_the_issuer_for_a_day(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says once that there is one, and once that it is over."""
    keys = key_source(issuer.url)
    tokens = SignedTokens(RULES, keys)

    async def ask() -> None:
        assert (await tokens.caller(signed())).user == "ada"
        issuer.answer = (503, "")
        for _ in range(2):
            aged(keys, 3600)
            assert (await tokens.caller(signed())).user == "ada"
            await asyncio.wait({keys._fetching})  # type: ignore[attr-defined]  # noqa: SLF001
            keys._failed -= 10  # type: ignore[attr-defined]  # noqa: SLF001
        aged(keys, 24 * 3600)
        with pytest.raises(UnavailableKeysError):
            await tokens.caller(signed())
        keys._failed -= 10  # type: ignore[attr-defined]  # noqa: SLF001
        issuer.answer = (200, key_set(("1", KEY)))
        assert (await tokens.caller(signed())).user == "ada"

    with caplog.at_level("INFO"):
        asyncio.run(ask())

    assert issuer.fetched == 5
    said = [record.getMessage() for record in caplog.records if record.name == "app.api.entry.keys"]
    assert [line.split(":")[0] for line in said] == [
        "API_JWT_KEYS cannot be fetched",
        "API_JWT_KEYS can be fetched again",
    ]


def test_a_key_that_is_withdrawn_opens_no_more_soon_after(issuer: Issuer) -> None:
    """And the one that replaces it does at once."""
    keys = key_source(issuer.url)
    tokens = SignedTokens(RULES, keys)

    async def ask() -> None:
        assert (await tokens.caller(signed())).user == "ada"
        issuer.answer = (200, key_set(("2", STRANGER)))
        aged(keys, 60)
        assert (await tokens.caller(signed(STRANGER, kid="2"))).user == "ada"
        with pytest.raises(RefusedTokenError):
            await tokens.caller(signed())

    asyncio.run(ask())


def test_a_key_set_that_holds_no_key_of_use_lets_nobody_in(issuer: Issuer) -> None:
    """As one that is for encryption alone."""
    keys = json.loads(key_set(("1", KEY)))
    keys["keys"][0]["use"] = "enc"
    issuer.answer = (200, json.dumps(keys))

    with pytest.raises((RefusedTokenError, UnavailableKeysError)):
        caller(SignedTokens(RULES, key_source(issuer.url)), signed())


def fifo(path: Path) -> None:
    """A pipe that nobody writes to."""
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(ONE.encode() + b"\xff"), "it is no UTF-8 text"),
        (fifo, "it is a pipe"),
        (lambda path: path.write_text(f"{ONE}\n" * 50_000), "it is longer than 1048576 bytes"),
    ],
    ids=["no UTF-8", "a pipe", "too long"],
)
def test_a_file_that_cannot_be_used_is_told_without_a_byte_of_it(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    """At the start, where a pipe would hold a server up for ever."""
    file = tmp_path / "file"
    make(file)

    for use in (lambda: WatchedFile(file, accepted), lambda: key_source(str(file))):
        with pytest.raises((OSError, ValueError)) as caught:
            use()
        said = caught.value.strerror if isinstance(caught.value, OSError) else str(caught.value)
        assert said is not None
        assert reason in said
        assert "0xff" not in said
        assert "one-" not in said
        assert len(said.splitlines()) == 1


def test_keys_of_too_many_levels_are_refused_in_one_line(tmp_path: Path) -> None:
    """Python's JSON gives up on them with an error that is no ValueError."""
    file = tmp_path / "jwks.json"
    file.write_text('{"keys":' * 5_000)

    with pytest.raises(ValueError, match=r"^expected a JSON Web Key Set"):
        key_source(str(file))


def test_a_mark_in_front_of_a_file_is_none_of_a_token(tmp_path: Path) -> None:
    """Editors on Windows put it there, and nobody sees it."""
    file = tmp_path / "token"
    file.write_text(f"{ONE}\n", encoding="utf-8-sig")

    assert caller(SharedTokens(WatchedFile(file, accepted)), ONE).operator
