"""The whole way of a production stack, step by step: the table of contents of a rehearsal."""

from collections.abc import Callable
from typing import Final

from rehearsal.run.life import Life
from rehearsal.run.steps import drilling, ending, generations, provisioning, serving

Work = Callable[[Life], str]
"""Does a step, and tells in a line what came of it."""

LIFE: Final[dict[str, Work]] = {
    "preview": provisioning.preview,
    "up": provisioning.up,
    "verify": provisioning.verify,
    "serve": serving.serve,
    "drill failover": drilling.failover,
    "refresh, preview": provisioning.refresh,
    "drill restore": drilling.restore,
    "restore as code": generations.restore,
    "switch": generations.switch,
    "retire": generations.retire,
    "up: no change": provisioning.again_after_retirement,
    "drill rotate": drilling.rotate,
    "up again: no change": provisioning.again_after_rotation,
}

END: Final[dict[str, Work]] = {
    "lift the protection": ending.unprotect,
    "destroy": ending.destroy,
    "look for what is left": ending.left,
    "look for passwords": ending.search,
}
"""What a rehearsal that stays leaves out."""
