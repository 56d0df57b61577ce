"""The random provider: real chance, kept in the state like any other output (hashicorp/terraform-provider-random)."""

import base64
import secrets
import uuid
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Behaviour, Call
from rehearsal.plugin.changes import Change
from rehearsal.plugin.cloud import Cloud
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs

_ALPHABETS: Final = {
    "Upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "Lower": "abcdefghijklmnopqrstuvwxyz",
    "Numeric": "0123456789",
    "Special": "!@#$%&*()-_=+[]{}<>:?",
}

_SHUFFLE: Final = secrets.SystemRandom().shuffle


class _Random(Behaviour):
    """Chance is drawn once: whatever is asked otherwise later is drawn anew, by a replacement."""

    package = "pulumi_random"

    def is_replacing(self, change: Change, old: Inputs, new: Inputs) -> bool:
        """Always (the provider's inputs all have `RequiresReplace`)."""
        del change, old, new
        return True


class RandomString(_Random):
    """Letters, digits and special characters."""

    token = "random:index/randomString:RandomString"  # noqa: S105

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """A text that cannot hold what it must."""
        del call
        least = sum(_number(inputs.get(f"min{kind}"), 0) for kind in _ALPHABETS)
        if _number(inputs.get("length"), least + 1) < max(1, least):
            yield Refusal(
                "length",
                "the minimum value for length is 1 and length must also be >= (`min_upper` + `min_lower` + "
                f"`min_numeric` + `min_special`), here {least}",
            )
        if not any(_allowed(inputs).values()):
            yield Refusal("", "at least one of `upper`, `lower`, `numeric` and `special` has to be allowed")

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The text itself."""
        del call
        allowed = _allowed(inputs)
        kinds = [kind for kind in _ALPHABETS for _ in range(int(inputs.get(f"min{kind}", 0)))]
        letters = [secrets.choice(allowed[kind] or _ALPHABETS[kind]) for kind in kinds]
        letters += [secrets.choice("".join(allowed.values())) for _ in range(int(inputs["length"]) - len(letters))]
        _SHUFFLE(letters)
        minima = {f"min{kind}": inputs.get(f"min{kind}", 0) for kind in _ALPHABETS}
        switches = {kind.lower(): bool(allowed[kind]) for kind in _ALPHABETS}
        return {**minima, **switches, "number": switches["numeric"], "result": "".join(letters)}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The text: which is why no password may be a RandomString."""
        del call, inputs
        return str(outputs["result"])


class RandomPassword(RandomString):
    """A text whose id does not tell it."""

    token = "random:index/randomPassword:RandomPassword"  # noqa: S105

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The password, and a hash in bcrypt's form: nothing here ever logs in with that hash."""
        hashed = "$2a$10$" + base64.b64encode(secrets.token_bytes(40)).decode().replace("+", ".")[:53]
        return {**super().computed(call, inputs), "bcryptHash": hashed}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """Always the same: an id is never secret."""
        del call, inputs, outputs
        return "none"


class RandomId(_Random):
    """Bytes in several notations."""

    token = "random:index/randomId:RandomId"  # noqa: S105

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """No bytes at all."""
        del call
        if _number(inputs.get("byteLength"), 1) < 1:
            yield Refusal("byteLength", f"expected at least 1, got {inputs['byteLength']}")

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The notations, each with the prefix."""
        del call
        drawn = secrets.token_bytes(int(inputs["byteLength"]))
        url = base64.urlsafe_b64encode(drawn).decode().rstrip("=")
        notations = {
            "b64Std": base64.b64encode(drawn).decode(),
            "b64Url": url,
            "dec": str(int.from_bytes(drawn)),
            "hex": drawn.hex(),
        }
        return {name: inputs.get("prefix", "") + text for name, text in notations.items()}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The URL-safe notation without its prefix."""
        del call
        return str(outputs["b64Url"]).removeprefix(inputs.get("prefix", ""))


class RandomUuid(_Random):
    """A UUID."""

    token = "random:index/randomUuid:RandomUuid"  # noqa: S105

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The UUID."""
        del call, inputs
        return {"result": str(uuid.uuid4())}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The UUID as well."""
        del call, inputs
        return str(outputs["result"])


def _allowed(inputs: Inputs) -> dict[str, str]:
    """The characters of each kind; none where the program forbids the kind."""
    special = inputs.get("overrideSpecial")
    alphabets = {**_ALPHABETS, "Special": special if isinstance(special, str) and special else _ALPHABETS["Special"]}
    return {kind: letters if inputs.get(kind.lower(), True) else "" for kind, letters in alphabets.items()}


def _number(value: Any, otherwise: int) -> int:
    """A number where there is one; what is unknown is judged when it is known."""
    return int(value) if isinstance(value, int | float) else otherwise


CLOUD: Final = Cloud(
    "random",
    "pulumi_random",
    {behaviour.token: behaviour() for behaviour in (RandomId, RandomPassword, RandomString, RandomUuid)},
)
