"""`python -m infra.dynamic_providers <engine>`: Pulumi's dynamic providers, which end when their engine is gone."""

import os
import runpy
import sys
from threading import Event, Thread
from typing import Final

_LOOK_SECONDS: Final = 1.0
"""Between two looks at whether the engine is still there."""


def main() -> None:
    """Serve the engine of this process's number as `python -m pulumi.dynamic` does, and no longer than it lives.

    An engine gives its plugins process groups of their own, so whatever kills it reaches none of them, and Pulumi's
    server of dynamic providers waits for a signal only (`pulumi/dynamic/__main__.py`, `main`).
    """
    Thread(target=_follow, args=(int(sys.argv[1]),), daemon=True).start()
    runpy.run_module("pulumi.dynamic", run_name="__main__")


def _follow(engine: int) -> None:
    while os.getppid() == engine:
        Event().wait(_LOOK_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()
