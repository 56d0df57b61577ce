"""`python -m rehearsal.controlplane <folder>`: the control plane of one rehearsal, until it is told to stop."""

import argparse
from pathlib import Path

from rehearsal.controlplane import process


def main() -> None:
    """Run in the foreground; `rehearsal.controlplane.client.connect` starts it in the background."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.controlplane", description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="the folder of the rehearsal")
    process.run(parser.parse_args().folder)


if __name__ == "__main__":
    main()
