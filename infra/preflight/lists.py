"""Lists in which something stands twice, which the engine or the cloud would refuse in words of their own."""

import json
import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from infra.settings.refusals import Refusal

_KIND: Final = re.compile(r"^(Group|ServicePrincipal|User):")
"""What may stand before an object id of Entra, and does not make it another one."""


def check(section: str, settings: BaseModel) -> Iterator[Refusal]:
    """What stands twice in any list of plain values, in whatever spelling; read-only.

    Args:
        section: The section's key, for example `gcp`.
        settings: The section.
    """
    for path, values in _lists(settings, ()):
        distinct: dict[str, str] = {}
        twice = [value for value in values if distinct.setdefault(_meant(value), value) != value]
        twice = twice or [value for value in distinct.values() if values.count(value) > 1]
        if twice:
            fix = f"{path[-1]}: {json.dumps([*distinct.values()])}"
            for name in reversed(path[:-1]):
                fix = f"{name}: {{{fix}}}"
            yield Refusal(
                ".".join((section, *path)), f"each entry once, but {twice[0]} stands there again", f"{{{fix}}}"
            )


def _lists(settings: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every list of plain values in a section and the sections in it, with its place."""
    for name, field in type(settings).model_fields.items():
        value, place = getattr(settings, name), (*path, field.alias or name)
        if isinstance(value, BaseModel):
            yield from _lists(value, place)
        elif isinstance(value, tuple) and all(isinstance(each, str) for each in value):
            yield place, value


def _meant(text: str) -> str:
    """What an entry means: domains are alike in any case (RFC 5321, 2.4), and so is an object id of any kind.

    >>> _meant("oncall@Example.COM"), _meant("User:11111111-1111-1111-1111-111111111111")
    ('oncall@example.com', '11111111-1111-1111-1111-111111111111')
    """
    person, at, domain = _KIND.sub("", text).rpartition("@")
    return person + at + (domain.lower() if at else domain)
