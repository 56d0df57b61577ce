"""Makes the project's environment: uv from PyPI where it is absent, and .venv from the hashed lock files.

Uses the standard library alone, since nothing else is there yet; prints nothing where all is up to date.
Extras once installed stay: a cloud's provider package, the vendors' API models that a rehearsal needs, their SDKs, or
those of the tokens and secret stores that an API server may log in by.

Example: python3 scripts/environment.py gcp rehearsal
"""

import argparse
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
KEPT = VENV / "extras"
EXTRAS = ("gcp", "aws", "azure", "rehearsal", "drills", "rds-iam", "cloudsql-iam", "entra")


def main() -> int:
    """Bring the environment up to date.

    Returns:
        The exit code: 0 done, 1 a step failed (its own words say why).
    """
    with alone():
        locks = [lock("dev"), *(lock(extra) for extra in extras())]
        state = fingerprint(locks)
        if STAMP.exists() and STAMP.read_text() == state:
            return 0
        try:
            build(uv(), locks)
        except subprocess.CalledProcessError as error:
            print(f"error: {Path(error.cmd[0]).name} ended with {error.returncode}; run this again", file=sys.stderr)
            return 1
        STAMP.write_text(state)
        KEPT.write_text(" ".join(extras()))
    return 0


def extras() -> list[str]:
    """What is asked for and what is there already, in order; read-only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extras", nargs="*", metavar="EXTRA", choices=[*EXTRAS, []], help=", ".join(EXTRAS))
    kept = KEPT.read_text().split() if KEPT.exists() else []
    return [extra for extra in EXTRAS if extra in {*parser.parse_args().extras, *kept}]


def lock(name: str) -> Path:
    """The hashed lock file of an extra; read-only."""
    return ROOT / "requirements" / f"{name}.txt"


def fingerprint(locks: list[Path]) -> str:
    """What the environment is made from: the locks, the project and the interpreter; read-only."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for source in (ROOT / "pyproject.toml", *locks):
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


def build(tool: str, locks: list[Path]) -> None:
    """Make .venv exactly what the lock files say, and the project editable in it."""
    count = len({line for each in locks for line in each.read_text().splitlines() if line[:1].isalnum()})
    print(f"building the environment in .venv: {count} packages", file=sys.stderr)
    python = str(VENV / "bin" / "python")
    display = [] if sys.stderr.isatty() else ["--quiet"]
    run(tool, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV))
    run(tool, "pip", "sync", *display, "--python", python, "--require-hashes", *map(str, locks))
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
