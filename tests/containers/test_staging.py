"""`make staging`: passwords are made once, kept for ever, seen by nobody, and the server is started where it can be."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from dotenv import dotenv_values

from scripts.staging import passwords
from scripts.staging.env_file import parsed

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD", "PGADMIN_PASSWORD", "API_TOKEN"]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A folder for PATH, in which `docker` does what it is asked and notes it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    docker = folder / "docker"
    docker.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/asked\n')
    docker.chmod(0o755)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the script in a folder of the test's own, without a container engine unless one is given."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "scripts" / "staging", root / "scripts" / "staging")

    def run(engine: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in NAMES}
        environ = kept | {"PATH": f"{engine}:/bin" if engine else "/nonexistent"} | variables
        command = [sys.executable, "-m", "scripts.staging"]
        return subprocess.run(command, cwd=root, env=environ, check=False, capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """The file of the passwords."""
    return tmp_path / "project" / ".env"


def test_every_password_is_made_for_the_owner_alone_and_shown_to_nobody(run: Run, env: Path) -> None:
    """Four different ones, long, and of letters that a URI takes as they are."""
    done = run()

    made = dotenv_values(env)
    assert (done.returncode, list(made)) == (0, NAMES)
    assert len({value for value in made.values() if value and len(value) > 40}) == 4
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert not any(value in done.stdout + done.stderr for value in made.values() if value)


def test_what_containers_read_is_made_readable_and_nothing_else(run: Run, tmp_path: Path) -> None:
    """Nobody in a container is root; a clone with the umask 077 has their files for its owner alone."""
    root = tmp_path / "project"
    theirs, mine = root / "containers" / "postgres", root / "agents"
    for folder in (theirs, mine):
        folder.mkdir(parents=True)
        (folder / "file").write_text("")
        (folder / "file").chmod(0o600)
        folder.chmod(0o700)
    (root / "containers").chmod(0o700)

    done = run()

    paths = (root / "containers", theirs, theirs / "file", mine, mine / "file")
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o755, 0o755, 0o644, 0o700, 0o600]
    assert "agents: not readable for everybody" in done.stderr, "they are somebody's own, who knows what they hold"
    assert "chmod -R a+rX agents" in done.stderr


def test_a_second_run_changes_nothing(run: Run, env: Path) -> None:
    """A server keeps the passwords that it was made with."""
    run()
    before = env.read_bytes()

    done = run()

    assert (done.returncode, env.read_bytes()) == (0, before)
    assert "nothing is changed" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "# Mine.\nGOOGLE_API_KEY='a $b'\nADMIN_DB_PASSWORD=kept",
        "\ufeffADMIN_DB_PASSWORD=kept\r\n",
        "ADMIN_DB_PASSWORD=kept\nAPI_TOKEN=\n",
    ],
    ids=["no newline", "BOM", "blank"],
)
def test_what_is_there_is_kept_byte_by_byte(run: Run, env: Path, text: str) -> None:
    """The rest is added below, and a file that others could read is closed."""
    env.write_bytes(text.encode())
    env.chmod(0o644)

    assert run().returncode == 0
    assert env.read_bytes().startswith(text.encode())
    found = dotenv_values(env, encoding="utf-8-sig")
    assert found["ADMIN_DB_PASSWORD"] == "kept"
    assert all(found[name] for name in NAMES)
    assert stat.S_IMODE(env.stat().st_mode) == 0o600


def test_a_password_that_a_uri_would_break_is_refused_in_one_line(run: Run, env: Path) -> None:
    """Docker compose puts it into a URI as it stands."""
    env.write_text("SESSION_DB_PASSWORD=p@ss/word\n")

    done = run()

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: .env: expected SESSION_DB_PASSWORD to be of letters, digits")
    assert "p@ss" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "token", ["short", "x" * 31, "with a blank " * 3, "ü" * 40], ids=["short", "nearly", "blanks", "no ASCII"]
)
def test_a_token_that_the_server_refuses_is_refused_in_one_line(run: Run, env: Path, token: str) -> None:
    """Before a container is restarted over and over for it."""
    env.write_text(f"API_TOKEN='{token}'\n")

    done = run()

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: .env: expected API_TOKEN to be of 32 or more ASCII characters")
    assert "openssl rand -hex 32" in line
    assert token not in done.stdout + done.stderr


def test_several_tokens_are_as_good_as_one(run: Run, env: Path) -> None:
    """One a line, which is how they are replaced."""
    env.write_text(f"API_TOKEN='{'a' * 32}\n{'b' * 32}\n'\n")

    assert run().returncode == 0


def test_agents_elsewhere_that_a_container_cannot_read_are_told_of(run: Run, env: Path, tmp_path: Path) -> None:
    """Wherever docker compose takes AGENTS_DIR from, and none that is beside."""
    (env.parent / "agents").mkdir(mode=0o700)
    mine, shown = tmp_path / "my agents", f"'{tmp_path}/my agents'"
    mine.mkdir(mode=0o700)
    env.write_text(f'AGENTS_DIR="{mine}"\n')
    told = f"{mine}: not readable for everybody, so not for the service api: chmod -R a+rX {shown}"

    assert run().stderr.splitlines() == [told]
    assert run(AGENTS_DIR="../my agents").stderr.splitlines() == [told]
    assert "no folder" in run(AGENTS_DIR="nowhere").stderr, "the engine would make one, empty and root's"
    mine.chmod(0o755)
    assert run().stderr == ""


def link(env: Path) -> None:
    """To a file of somebody else's, which would get the passwords."""
    (env.parent / "elsewhere").write_text("KEPT=yes\n")
    env.symlink_to(env.parent / "elsewhere")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (link, "a file, not a link"),
        (lambda env: env.write_bytes(b"NAME=hunter2\xff\n"), "UTF-8 text"),
        (Path.mkdir, "a file that can be read and written, but: Is a directory"),
        (os.mkfifo, "a file, not a pipe or a device"),
    ],
    ids=["a link", "no UTF-8", "a folder", "a pipe"],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    run: Run, env: Path, make: Callable[[Path], object], reason: str
) -> None:
    """And left as it is, with what it leads to."""
    make(env)

    done = run()

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: .env: expected ")
    assert reason in line
    assert "hunter2" not in line
    assert (done.stdout, sorted(each.name for each in env.parent.glob(".env*"))) == ("", [".env"])
    assert not env.is_symlink() or (env.parent / "elsewhere").read_text() == "KEPT=yes\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused_in_one_line(run: Run, env: Path) -> None:
    """What root adds to it, its owner could read; and the file would no longer be its owner's."""
    env.write_text("# Theirs.\n")
    os.chown(env, 65534, 65534)

    done = run()

    assert (done.returncode, env.read_text()) == (2, "# Theirs.\n")
    assert "error: .env: expected a file of root, who runs this, not of " in done.stderr


def test_a_local_file_that_cannot_be_read_is_told_of_in_one_line(run: Run, env: Path) -> None:
    """The passwords are there all the same."""
    (env.parent / ".env.local").write_bytes(b"\xff")

    done = run()

    assert done.returncode == 2
    assert done.stderr.splitlines() == ["error: .env.local: expected UTF-8 text of NAME=value lines. Mend or remove it"]


def test_a_run_that_is_killed_leaves_the_old_file(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, however far the new one has come; and the next run clears that away."""
    env.parent.mkdir(exist_ok=True)
    env.write_text("GOOGLE_API_KEY=kept\n")

    def killed(*_: object) -> None:
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(_KilledError):
            passwords.fill(env)
    assert env.read_text() == "GOOGLE_API_KEY=kept\n"

    assert passwords.fill(env) == NAMES
    assert env.read_text().startswith("GOOGLE_API_KEY=kept\n# Made by make staging.\nSESSION_DB_PASSWORD=")
    assert [each.name for each in env.parent.glob(".env*")] == [".env"]


class _KilledError(BaseException):
    """As what no code of the script can catch."""


def test_another_value_that_counts_is_told_of(run: Run, env: Path) -> None:
    """In the environment for both, in .env.local for the app and the Pulumi program alone."""
    (env.parent / ".env.local").write_text("ADMIN_DB_PASSWORD=another\n")

    done = run(SESSION_DB_PASSWORD="another")

    environment, local = done.stderr.splitlines()
    assert environment.startswith("SESSION_DB_PASSWORD of the environment wins")
    assert local.startswith("ADMIN_DB_PASSWORD of .env.local wins")
    assert "another" not in done.stderr


def test_without_an_engine_the_command_for_later_is_said(run: Run) -> None:
    """And what to do without containers; the passwords are there all the same."""
    done = run()

    assert done.returncode == 0
    assert "docker compose up --detach --wait postgres" in done.stdout
    assert "Pulumi.staging.yaml" in done.stdout


def test_with_an_engine_the_database_is_started(run: Run, engine: Path, env: Path, tmp_path: Path) -> None:
    """By the very command, and no argument has a password; an older volume is told of, as it has other passwords."""
    done = run(engine)

    asked = (tmp_path / "asked").read_text()
    assert asked.splitlines() == [
        "info",
        "volume inspect session-db_postgres",
        "compose up --detach --wait postgres",
    ]
    assert "older than these passwords" in done.stderr
    assert "make up STACK=staging" in done.stdout
    assert not any(value in asked for value in dotenv_values(env).values() if value)


def test_a_compose_that_fails_is_not_taken_for_a_server(run: Run, engine: Path) -> None:
    """So `make staging && make up STACK=staging` stops at what failed."""
    (engine / "docker").write_text('#!/bin/sh\n[ "$1" != compose ] || exit 7\n')

    done = run(engine, POSTGRES_PORT="15432")

    assert done.returncode == 7
    assert "port 15432 is taken" in done.stderr, "the usual reason, and Docker names no variable"


@pytest.mark.parametrize(("port", "told"), [("5432", False), ("15432", True)])
def test_a_stack_that_leads_to_another_port_is_told_of(
    run: Run, engine: Path, env: Path, port: str, *, told: bool
) -> None:
    """It would bootstrap whatever server is there, with the new passwords."""
    stack = (ROOT / "Pulumi.staging.yaml").read_text()
    (env.parent / "Pulumi.staging.yaml").write_text(stack)
    env.write_text(f"POSTGRES_PORT={port}\n")

    done = run(engine)

    assert done.returncode == 0
    assert ("Pulumi.staging.yaml leads to 5432" in done.stderr) == told


def test_two_runs_at_once_make_one_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one waits, and then finds what the first one made, however close they are."""
    both = Barrier(2)

    def met(text: str) -> dict[str, str | None]:
        with suppress(BrokenBarrierError):  # Where one waits for the other, they never meet here.
            both.wait(timeout=1)
        return parsed(text)

    monkeypatch.setattr(passwords, "parsed", met)

    with ThreadPoolExecutor() as pool:
        made = list(pool.map(passwords.fill, [tmp_path / ".env"] * 2))

    assert sorted(made) == [[], NAMES]
    assert len((tmp_path / ".env").read_text().splitlines()) == 1 + len(NAMES)
