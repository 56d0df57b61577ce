"""What several rooms of the tests share: a clone of this tree, the project's own tools, and PostgreSQL servers."""

import asyncio
import contextlib
import gc
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from pulumi.runtime import _grpc_settings

from infra import pulumi_cli
from rehearsal import ground as grounds
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.ground import ground as fresh_ground
from rehearsal.leftovers import swept
from rehearsal.managed import ManagedDatabase, managed

ROOT = Path(__file__).resolve().parents[1]

Clone = Callable[[], Path]

RUNNING: list[asyncio.AbstractEventLoop] = []
"""Loops that could not be closed: kept, so that their collection does not become another test's warning."""

MEMORY = Path("/dev/shm")  # noqa: S108  # Every Linux has it, and each account may write there.
ROOM = 4 << 30
"""Bytes that all servers of two workers fit into."""

MANY = 100
"""Modules that make it worth while not to look at them again."""

APART = ("grpc.use_local_subchannel_pool", 1)
"""A channel shares no connection with others: one to an engine that is gone would refuse the next one on its port."""

POSTGRESQL = 15
"""The major version where a test names none: the oldest one served, on which least is allowed."""


def pytest_configure() -> None:
    """In a shell's background Ctrl-C is ignored, by every process that a test starts, too: here it never is.

    And google-adk switches on gRPC's handlers of forks (its `bigquery_agent_analytics_plugin`), which in one process
    with Pulumi's threads crash the programs that tests start as another user.

    An engine lives for a second: what its collector frees meanwhile takes it longer than it is worth (Go, "A Guide to
    the Go Garbage Collector": GOGC). And collecting tests makes no garbage.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    os.environ.setdefault("GOGC", "400")
    _grpc_settings._GRPC_CHANNEL_OPTIONS.append(APART)  # noqa: SLF001  # Pulumi has no other way.
    gc.disable()
    if MEMORY.is_mount() and roomy(os.statvfs(MEMORY)):
        grounds.TEMPORARY = MEMORY


def roomy(memory: os.statvfs_result) -> bool:
    """Whether servers may live in memory, where a file costs nothing: a new server has a thousand, and goes again."""
    return memory.f_bavail * memory.f_frsize > ROOM and not memory.f_flag & os.ST_NOEXEC


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest stories first, so that no worker waits for the last of them alone; their order stays random."""
    items.sort(key=lambda item: ("e2e" not in item.path.parts, "rehearsal" not in item.path.parts))


def pytest_collection_finish() -> None:
    """What collecting has made is there until the end."""
    settle()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """After each file, and at once after a test that has imported as much as a cloud's SDK is."""
    before = len(sys.modules)
    done = yield
    if nextitem is None or nextitem.path != item.path or len(sys.modules) > before + MANY:
        settle()
    return done


def settle() -> None:
    """Collect what is garbage, and let the collector look at what stays no more.

    Half a million objects are there before the first test, ten times what a test makes; whenever it made enough, all of
    them were looked at again (Python documentation, "gc": `freeze`), which was more than half of the tests' time.
    """
    gc.collect()
    gc.freeze()


class Clusters(Protocol):
    """Gives the session's server of a major version."""

    def __call__(self, major: int = POSTGRESQL) -> Cluster:
        """Made at the first call."""


@pytest.fixture(scope="session")
def pulumi() -> str:
    """The path of the real CLI; installs or builds it once, as `make up` does."""
    return str(Path(shutil.which(pulumi_cli.ensure(print).command) or "").resolve())


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Makes clones of the tree as it stands, uncommitted work included, without environment, tools or state."""

    def make() -> Path:
        target = tmp_path_factory.mktemp("clone")
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target / name)
        return target

    return make


@pytest.fixture(scope="session")
def environ(pulumi: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A newcomer's environment: no login, no passphrase, no database of their own; the CLI on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "SESSION_DB"))}
    path = os.pathsep.join([str(Path(pulumi).parent), str(Path(sys.executable).parent), kept["PATH"]])
    return kept | {"PATH": path, "PULUMI_HOME": str(tmp_path_factory.mktemp("pulumi-home"))}


@pytest.fixture(scope="module")
def closing() -> Iterator[None]:
    """Closes the event loops that the Automation API leaves open after each inline program."""
    made: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def tracked() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", tracked)
        yield
    asyncio.set_event_loop(None)
    for each in made:
        try:
            each.close()
        except RuntimeError:  # A thread of Pulumi's still runs it; it ends with the process.
            RUNNING.append(each)


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder for servers of a test's own: `with Cluster.create(ground / "name", binaries(15, print)) as cluster`."""
    with fresh_ground() as folder:
        yield folder


@pytest.fixture(scope="session")
def clusters(ground: Path) -> Iterator[Clusters]:
    """One running server a major version, made when it is first asked for and shared by the session.

    A test leaves its settings as they were; one that stops or breaks a server makes its own, on `ground`.
    """
    made: dict[int, Cluster] = {}
    with contextlib.ExitStack() as stack:

        def give(major: int = POSTGRESQL) -> Cluster:
            if major not in made:
                made[major] = stack.enter_context(Cluster.create(ground / str(major), binaries(major, print)))
            return made[major]

        yield give


@pytest.fixture
def postgresql(clusters: Clusters, request: pytest.FixtureRequest) -> Cluster:
    """The session's server, of version 15 or `@pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)`."""
    return clusters(getattr(request, "param", POSTGRESQL))


@pytest.fixture
def database_owner() -> str | None:
    """The role that owns the database in its administrator's place; None as on Amazon RDS."""
    return None


@pytest.fixture
def server_database(postgresql: Cluster, database_owner: str | None) -> Iterator[ManagedDatabase]:
    """A database of the test's own, empty, with an administrator as a managed cloud gives one.

    In the end it is dropped, and so are all databases and roles that the test made.
    """
    mark = secrets.token_hex(4)
    with swept(postgresql):
        yield managed(postgresql, f"sessions_{mark}", master=f"master_{mark}", owner=database_owner)
