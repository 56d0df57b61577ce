"""Makes the project's environment: uv from PyPI where it is absent, and .venv from the hashed lock file.

Uses the standard library alone, since nothing else is there yet; prints nothing where all is up to date.

Example: python3 scripts/environment.py
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
STAMP = VENV / "up-to-date"
SOURCES = (ROOT / "pyproject.toml", ROOT / "requirements" / "dev.txt")


def main() -> int:
    """Bring the environment up to date.

    Returns:
        The exit code: 0 done, 1 a step failed (its own words say why).
    """
    with alone():
        state = fingerprint()
        if STAMP.exists() and STAMP.read_text() == state:
            return 0
        try:
            build(uv())
        except subprocess.CalledProcessError as error:
            print(f"error: {Path(error.cmd[0]).name} ended with {error.returncode}; run this again", file=sys.stderr)
            return 1
        STAMP.write_text(state)
    return 0


def fingerprint() -> str:
    """What the environment is made from: the lock, the project and the interpreter; read-only."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def uv() -> str:
    """The path of uv: from PATH, else from PyPI by the hashed requirements/uv.txt."""
    if found := shutil.which("uv"):
        return found
    own = TOOLS / "uv" / "bin" / "uv"
    if not own.exists():
        print("installing uv from PyPI", file=sys.stderr)
        wheel = ["install", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore", "--upgrade"]
        run(
            *pip(),
            *wheel,
            "--target",
            str(own.parents[1]),
            "--require-hashes",
            "-r",
            str(ROOT / "requirements" / "uv.txt"),
        )
    return str(own)


def pip() -> list[str]:
    """A pip to fetch uv with: this interpreter's, else that of a throw-away environment."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    run(sys.executable, "-m", "venv", "--clear", str(TOOLS / "pip"))
    return [str(TOOLS / "pip" / "bin" / "python"), "-m", "pip"]


def build(tool: str) -> None:
    """Make .venv exactly what requirements/dev.txt says, and the project editable in it."""
    count = sum(line[:1].isalnum() for line in SOURCES[1].read_text().splitlines())
    print(f"building the environment in .venv: {count} packages", file=sys.stderr)
    python = str(VENV / "bin" / "python")
    display = [] if sys.stderr.isatty() else ["--quiet"]
    run(tool, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV))
    run(tool, "pip", "sync", *display, "--python", python, "--require-hashes", str(SOURCES[1]))
    run(tool, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "-e", str(ROOT))


def run(*command: str) -> None:
    """Run one step, its progress on the terminal.

    Raises:
        subprocess.CalledProcessError: The step failed.
    """
    subprocess.run(command, check=True, env=os.environ | {"UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": str(VENV)})


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One builder at a time; a second one waits and then finds everything done."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped as asked; to go on, run the same command again", file=sys.stderr)
        sys.exit(130)
