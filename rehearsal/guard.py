"""Runs a server for as long as its owner lives: the owner holds the other end of standard input.

The kernel closes that end however the owner ends, SIGKILL included, so no server outlives it.
What was written before the end says how to stop: `fast`; `immediate`, which is also the default.
Uses the standard library alone, since it runs as a script of its own, apart from the environment.

Example: guard.py --uid 65534 --gid 65534 --log server.log -- postgres -D data
"""

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import threading
from typing import Final

_STOPS: Final = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""Source: PostgreSQL's documentation, "Shutting Down the Server"."""

_GRACE_SECONDS: Final = {"fast": 30.0, "immediate": 10.0}
"""How long a stop may take before the server is killed."""


def main() -> int:
    """Run the server until the owner closes standard input or the server ends by itself.

    Returns:
        The server's exit code; 128 and the signal's number where a signal ended it.
    """
    arguments = _arguments()
    with open(arguments.log, "ab") as log:  # noqa: PTH123  # No pathlib: it doubles the start time of this script.
        fcntl.flock(log, fcntl.LOCK_EX)  # The server's processes inherit it: one that is ending is waited for.
        server = subprocess.Popen(
            arguments.command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=arguments.uid,
            group=arguments.gid,
            extra_groups=None if arguments.uid is None else [],
        )
    for number in (signal.SIGTERM, signal.SIGHUP):  # Somebody tidies up: the server goes too.
        signal.signal(number, lambda *_: server.send_signal(signal.SIGQUIT))
    threading.Thread(target=_stop_at_the_end, args=(server,), daemon=True).start()
    code = server.wait()
    return code if code >= 0 else 128 - code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--log", required=True)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _stop_at_the_end(server: subprocess.Popen[bytes]) -> None:
    """Wait until the owner is done, then stop the server, by force where it takes too long."""
    words = b""
    while part := os.read(0, 64):  # Not `sys.stdin`, whose lock a daemon thread would hold at the interpreter's end.
        words += part
    mode = words.decode().strip()
    if mode not in _STOPS:
        mode = "immediate"
    server.send_signal(_STOPS[mode])
    try:
        server.wait(_GRACE_SECONDS[mode])
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
