"""The exported record as a person reads it: maps indented, and each command on a line of its own, to be copied."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_WIDTH: Final = 16


def lines(outputs: Mapping[str, Any], *, indent: str = "") -> Iterator[str]:
    """The lines of a record, or of a map in it; read-only.

    What has blanks in it may be a command: it stands alone, and what is said about it stands in a comment below.

    Args:
        outputs: The values by name.
        indent: What stands before each line.

    >>> print(*lines({"port": 5432, "runbook": {"failover": "gcloud sql failover x  # a minute"}, "waivers": {}}),
    ...       sep=chr(10))
    port             5432
    runbook
      failover
        gcloud sql failover x
        # a minute
    waivers          none
    """
    for name, value in outputs.items():
        text = _text(value)
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}"
            yield from lines(value, indent=f"{indent}  ")
        elif "\n" in text:
            # At the margin: a certificate with blanks before its lines is none.
            yield from (f"{indent}{name}", *text.splitlines())
        elif indent and " " in text:
            yield f"{indent}{name}"
            yield from (f"{indent}  {line}" for line in text.replace("  # ", "\n# ").splitlines())
        else:
            yield f"{indent}{name:{_WIDTH}} {text}".rstrip()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if isinstance(value, Mapping) else str(value).strip()
