"""A vendor's words for a refusal, as a template."""

from collections.abc import Mapping
from typing import TypeAlias

from rehearsal.errors import CloudRefusalError

Words: TypeAlias = str | Mapping[str, str | int]
"""A message, or {"code", "message", "status"}; the message names what it is about in braces."""


def refusal(words: Words, code: str, **about: str) -> CloudRefusalError:
    """The refusal that a template makes.

    Args:
        words: The template.
        code: Where it has none of its own.
        about: What stands in the braces.

    >>> str(refusal("{id} is in use by {by}", "InUse", id="subnet-1", by="sg-2"))
    'InUse: subnet-1 is in use by sg-2'
    """
    if isinstance(words, str):
        words = {"message": words}
    message = str(words["message"])
    for name, value in about.items():  # No str.format: a vendor's words may have braces of their own.
        message = message.replace(f"{{{name}}}", value)
    return CloudRefusalError(str(words.get("code", code)), message, int(words.get("status", 400)))
