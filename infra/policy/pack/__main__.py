"""The rules as a Pulumi policy pack; the very functions that the program asks of itself."""

# ruff: noqa: INP001  # A pack is a folder for the engine, no package.
import sys
from pathlib import Path

# The engine runs this file alone, in an environment where the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from infra.policy.packed import pack

if __name__ == "__main__":
    pack()
