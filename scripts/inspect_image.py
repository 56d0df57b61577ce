"""Looks through an image from inside, as the user of its containers, and ends with 1 where it finds what must not be.

Needs nothing but Python, which reads it from standard input, so that any engine can run it in a container.

Example: make image
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

# Of the engine that runs the container, not of the image.
SKIPPED = ("/dev", "/proc", "/sys", "/tmp", "/run", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")  # noqa: S108
TOOLS = frozenset(
    {"c++", "cc", "clang", "cpp", "curl", "g++", "gcc", "git", "ld", "make", "pip", "pip3", "uv", "uvx", "wget"}
)
SECRET = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}|AKIA[0-9A-Z]{16}|ghp_\w{36}")
NAMES = frozenset({".env", ".env.local", ".git", ".pgpass", ".netrc", "id_rsa", ".state"})
LARGEST = 2**20


def main(root: str = "/") -> int:
    """Print each finding.

    Returns:
        The exit code: 0 nothing was found, 1 something was.
    """
    found = list(findings(root))
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print(f"nothing found, as uid {os.getuid()}: {sum(1 for _ in walked(root))} files")
    return 1 if found else 0


def findings(root: str) -> Iterator[str]:
    """A line for each thing that must not be; read-only."""
    if os.getuid() == 0:
        yield "containers run as root"
    for path in walked(root):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            yield from (f"{path}: {what}" for what in _faults(path, mode))


def _faults(path: Path, mode: int) -> Iterator[str]:
    file = stat.S_ISREG(mode)
    if file and mode & (stat.S_ISUID | stat.S_ISGID):
        yield "becomes another user"
    if os.access(path, os.W_OK) and not mode & stat.S_ISVTX and not _read_only(path):
        yield "may be written"
    if path.name in NAMES or (file and path.name in TOOLS and os.access(path, os.X_OK)):
        yield "has no use here"
    if file and os.access(path, os.R_OK) and path.stat().st_size < LARGEST and SECRET.search(path.read_bytes()):
        yield "has a secret in it"


def walked(root: str) -> Iterator[Path]:
    """Everything in the image, without what an engine mounts; read-only."""
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if str(Path(folder, each)) not in SKIPPED]
        yield from (Path(folder, each) for each in [*folders, *files] if str(Path(folder, each)) not in SKIPPED)


def _read_only(path: Path) -> bool:
    """Whether the file system refuses what the mode would allow; read-only."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
