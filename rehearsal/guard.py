"""Runs a server for as long as its owner lives: the owner holds the other end of standard input.

The kernel closes that end however the owner ends, SIGKILL included, so no server outlives it.
What was written before the end says how to stop: `fast`; `immediate`, which is also the default.
Uses the standard library alone, since it runs as a script of its own, apart from the environment.

Example: guard.py --uid 65534 --gid 65534 --log server.log -- postgres -D data
"""

import argparse
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from typing import BinaryIO, Final

_STOPS: Final = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""Source: PostgreSQL's documentation, "Shutting Down the Server"."""

_GRACE_SECONDS: Final = {"fast": 30.0, "immediate": 10.0}
"""How long a stop may take before the server is killed."""

_PR_SET_CHILD_SUBREAPER: Final = 36
"""Source: Linux's include/uapi/linux/prctl.h."""


def main() -> int:
    """Run the server until the owner closes standard input or the server ends by itself.

    Returns:
        The server's exit code; 128 and the signal's number where a signal ended it.
    """
    arguments = _arguments()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own would end in a traceback.
    _adopt()
    turn, servers = threading.Lock(), list[subprocess.Popen[bytes]]()
    threading.Thread(target=_stop_at_the_end, args=(turn, servers), daemon=True).start()
    with open(arguments.log, "ab") as log:  # noqa: PTH123  # No pathlib: it doubles the start time of this script.
        fcntl.flock(log, fcntl.LOCK_EX)  # The server's processes inherit it: one that is ending is waited for.
        with turn:
            server = _started(arguments, log)
            servers.append(server)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):  # Somebody tidies up: the server goes too.
        signal.signal(number, lambda *_: server.send_signal(signal.SIGQUIT))
    code = server.wait()
    _sweep()
    return code if code >= 0 else 128 - code


def _started(arguments: argparse.Namespace, log: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments.command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        user=arguments.uid,
        group=arguments.gid,
        extra_groups=None if arguments.uid is None else [],
    )


def _adopt() -> None:
    """Become the parent of what the server leaves, since each of its processes has a session of its own.

    Source: PostgreSQL's miscinit.c, `InitPostmasterChild`; prctl(2). Elsewhere than on Linux they are left to init.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _sweep() -> None:
    """Kill what a server that was killed alone has left: a process that hangs would hold the lock for good."""
    while left := _children():
        for pid in left:
            os.kill(pid, signal.SIGKILL)  # Its number is not given away before it is waited for.
            os.waitpid(pid, 0)


def _children() -> list[int]:
    if sys.platform != "linux":
        return []
    with open(f"/proc/self/task/{os.getpid()}/children") as children:  # noqa: PTH123  # As above.
        return [int(pid) for pid in children.read().split()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--log", required=True)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _stop_at_the_end(turn: threading.Lock, servers: list[subprocess.Popen[bytes]]) -> None:
    """Wait until the owner is done, then stop the server, by force where it takes too long; without one, end."""
    words = b""
    while part := os.read(0, 64):  # Not `sys.stdin`, whose lock a daemon thread would hold at the interpreter's end.
        words += part
    mode = words.decode().strip()
    if mode not in _STOPS:
        mode = "immediate"
    with turn:
        if not servers:  # It waits for the lock, and for nobody any more.
            os._exit(0)
    (server,) = servers
    server.send_signal(_STOPS[mode])
    try:
        server.wait(_GRACE_SECONDS[mode])
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
