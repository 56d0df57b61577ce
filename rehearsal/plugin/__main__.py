"""`python -m rehearsal.plugin <name>`: stands in for the provider plugin of that name."""

import sys

from rehearsal.plugin.server import CLOUDS, serve

if __name__ == "__main__":
    # The engine adds its own address, which a stand-in has no use for.
    if len(sys.argv) < 2 or sys.argv[1] not in CLOUDS:  # noqa: PLR2004
        sys.exit(
            f"expected the name of a plugin, one of {', '.join(CLOUDS)}; for example: python -m rehearsal.plugin gcp"
        )
    # An engine starts a plugin anew for every operation, and compiling an SDK's bigger modules takes seconds each time.
    sys.dont_write_bytecode = False
    serve(sys.argv[1])
