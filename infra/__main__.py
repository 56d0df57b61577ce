"""`python -m infra`: answers Ctrl-C from the start, and hands over to the command line."""

import gc
from typing import Final

from infra import ctrl_c

_SELDOM: Final = 100_000
"""New objects until the collector looks for garbage.

A cloud's package is half a million objects that all stay; to look through them again and again while they are imported
took a fifth of a command's time (Python documentation, "gc": `set_threshold`).
"""


def main() -> None:
    """Run the command line; importing it takes a second, in which Ctrl-C is no traceback either."""
    ctrl_c.answered_at_once()
    gc.set_threshold(_SELDOM)
    from infra.command_line import cli  # noqa: PLC0415  # Ctrl-C is answered before Pulumi is imported.

    cli(prog_name="python -m infra")


if __name__ == "__main__":
    main()
