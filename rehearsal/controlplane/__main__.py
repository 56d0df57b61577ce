"""`python -m rehearsal.controlplane <folder>`: the control plane of one rehearsal, until it is told to stop."""

import argparse
from pathlib import Path

from rehearsal.controlplane import process
from rehearsal.controlplane.client import connect
from rehearsal.errors import RehearsalError


def main() -> None:
    """Run in the foreground; in the background with an option, or by `rehearsal.controlplane.client.connect`."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.controlplane", description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="the folder of the rehearsal")
    parser.add_argument("--background", action="store_true", help="start it where none lives, and return")
    arguments = parser.parse_args()
    if not arguments.background:
        process.run(arguments.folder)
        return
    try:
        connect(arguments.folder)
    except RehearsalError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
