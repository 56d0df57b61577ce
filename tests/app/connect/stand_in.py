"""Stands in for a cloud's program that opens a port: it really listens there, and passes bytes on to the test's server.

STAND_IN has the test's folder and the server's port. With STAND_IN_FAILS it ends at once, as where nobody is logged in.
"""

import json
import os
import re
import socket
import sys
import threading
from pathlib import Path

folder, _, server = os.environ["STAND_IN"].rpartition(":")
name, argv = Path(sys.argv[0]).name, sys.argv[1:]
with (Path(folder) / "calls").open("a") as calls:
    call = {"argv": [name, *argv], "pid": os.getpid(), "secret": os.environ.get("PGPASSWORD"), "names": [*os.environ]}
    calls.write(json.dumps(call) + "\n")


def say(text: str) -> None:
    """One line, as the program does."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def answered() -> str | None:
    """What the program answers where it is asked for something and opens no port."""
    asked = " ".join(argv)
    if "generate-db-auth-token" in asked or "generate-login-token" in asked or "get-access-token" in asked:
        return os.environ["STAND_IN_PASSWORD"]
    if "describe-db-instances" in asked:
        return "arn:aws:secretsmanager:eu-central-1:1:secret:rds!db-1"
    if "get-secret-value" in asked:
        return json.dumps({"username": "master", "password": os.environ["STAND_IN_PASSWORD"]})
    return None


def ports() -> tuple[int, int]:
    """Where it listens, and what that leads to: ssh goes through the port of the tunnel that it is given."""
    text = " ".join(argv)
    if match := re.search(r"-L 127\.0\.0\.1:(\d+):", text):
        inner = re.search(r"-p (\d+)", text)
        return int(match[1]), int(inner[1]) if inner else int(server)
    (port,) = re.findall(r'--port[= ](\d+)|"localPortNumber": \["(\d+)"\]', text)
    return int("".join(port)), int(server)


def carry(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes from one side until it ends."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


if os.environ.get("STAND_IN_FAILS"):
    sys.exit("ExpiredToken: log in again")
if (answer := answered()) is not None:
    say(answer)
    sys.exit(0)
local, remote = ports()
with socket.create_server(("127.0.0.1", local)) as listener:
    say("Waiting for connections...")
    while True:
        client, _ = listener.accept()
        there = socket.create_connection(("127.0.0.1", remote))
        threading.Thread(target=carry, args=(client, there), daemon=True).start()
        threading.Thread(target=carry, args=(there, client), daemon=True).start()
