"""`python -m rehearsal.plugin <name>`: stands in for the provider plugin of that name."""

import gc
import os
import signal
import sys
from typing import Final, NoReturn

from rehearsal.plugin import playing

_SELDOM: Final = 100_000
"""New objects until the collector looks for garbage: an SDK is half a million that all stay."""


def main() -> NoReturn:
    """Serve the engine that started this, in a rehearsal only; Ctrl-C ends it without a word, whenever it comes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    # The engine adds its own address, which a stand-in has no use for.
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if refusal := playing.refusal(name):
        sys.exit(refusal)
    # An engine starts a plugin anew for every operation, and compiling an SDK's bigger modules takes seconds each time.
    sys.dont_write_bytecode = False
    gc.set_threshold(_SELDOM)
    from rehearsal.plugin.server import serve  # noqa: PLC0415  # It imports gRPC, and takes a second to.

    serve(name)


if __name__ == "__main__":
    main()
