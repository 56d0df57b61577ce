"""Debian's packages, installed where this may be done."""

import os
import shutil
import subprocess
from collections.abc import Callable

from rehearsal.errors import RehearsalError

Report = Callable[[str], None]
"""Takes one line of progress."""


class PackageError(RehearsalError):
    """A package cannot be installed; whoever asked for it says what else can be done."""


def install(package: str, report: Report) -> None:
    """Install a package by apt-get, as root or by `sudo -n`.

    Args:
        package: Its name, for example `postgresql-15`.
        report: Called with a line of progress.

    Raises:
        PackageError: It cannot be done here.
    """
    apt = shutil.which("apt-get")
    if apt is None:
        message = "Debian's package: no apt-get on this machine"
        raise PackageError(message)
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (
        shutil.which("sudo") is None or subprocess.run([*root, "true"], check=False, capture_output=True).returncode
    ):
        message = "Debian's package: neither root nor allowed to become it without a password (sudo -n)"
        raise PackageError(message)
    report(f"installing Debian's {package}")
    quiet = [*root, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-o", "DPkg::Lock::Timeout=300", "--quiet", "--yes"]
    wanted = [*quiet, "install", "--no-install-recommends", package]
    for step in (wanted, [*quiet, "update"], wanted):  # A fresh image has no list of packages.
        done = subprocess.run(step, check=False, capture_output=True, text=True)
        if done.returncode == 0 and step is wanted:
            return
    message = f"Debian's package: {' '.join(done.stderr.split()[-30:])}"
    raise PackageError(message)
