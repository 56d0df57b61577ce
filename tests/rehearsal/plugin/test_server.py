"""A plugin's process: it says its port, and leaves when it is told to, or when nobody is left to serve."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from rehearsal.plugin.playing import VARIABLE

_SCRIPTS = Path(__file__).parents[3] / "tools/plugins/rehearsal"


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The script that the engine would start, from a folder that is not the project's."""
    command = [str(_SCRIPTS / "pulumi-resource-random"), "127.0.0.1:1"]
    environment = {**os.environ, "PULUMI_RUNTIME_VIRTUALENV": sys.prefix, VARIABLE: "yes"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_it_serves_at_the_port_that_it_says(plugin: subprocess.Popen[str]) -> None:
    """One line with the port, and the version of the SDK that the schema comes from."""
    assert plugin.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(plugin.stdout.readline())}") as channel:
        version = ResourceProviderStub(channel).GetPluginInfo(Empty()).version

    assert version.startswith("4.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_when_it_is_told_to(plugin: subprocess.Popen[str], number: signal.Signals) -> None:
    """An engine waits five seconds for one that does not."""
    assert plugin.stdout is not None
    plugin.stdout.readline()
    plugin.send_signal(number)

    assert plugin.wait(timeout=60) == 0  # Far above the instant that it takes; a deaf one would never end.


def test_it_says_what_it_is_called_when_it_is_called_otherwise() -> None:
    """A name that is no plugin's is answered with those that are."""
    command = [sys.executable, "-m", "rehearsal.plugin", "digitalocean"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "one of gcp, aws, azure-native, random" in done.stderr


def test_it_serves_nobody_outside_of_a_rehearsal() -> None:
    """However it got onto a PATH: the folder's variable is no licence either, since users export it for drills."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    command = [str(_SCRIPTS / "pulumi-resource-aws"), "127.0.0.1:1"]
    given = {"PULUMI_RUNTIME_VIRTUALENV": sys.prefix, "SESSION_DB_REHEARSAL": ""}
    done = subprocess.run(command, env=environment | given, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("expected the plugin of the provider aws, but its stand-in is first on PATH")


def test_ctrl_c_ends_it_without_a_word_before_it_serves() -> None:
    """It is started by an engine that is stopped in the same moment, and has a second of imports before it."""
    slow = "import signal, sys; from rehearsal.plugin import __main__ as main, playing; sys.argv = ['', 'aws']\n"
    slow += "playing.refusal = lambda name: signal.raise_signal(signal.SIGINT)\nmain.main()"
    done = subprocess.run([sys.executable, "-c", slow], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_plugin_has_its_script() -> None:
    """Executable, and named as the engine looks for it."""
    scripts = {script.name for script in _SCRIPTS.iterdir() if os.access(script, os.X_OK)}

    assert scripts == {f"pulumi-resource-{name}" for name in ("gcp", "aws", "azure-native", "random")}
