"""The SQLite file on disk: refused, made, mended and kept, on a real file system with real SQLite."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.backends.sqlite import files
from infra.errors import DatabaseFileError


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database in WAL mode with one row that only the WAL holds."""
    path = tmp_path / "sessions" / "sessions.db"
    files.secure(path)
    write = (
        "import os, sqlite3, sys;"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL');"
        "c.execute('CREATE TABLE t (x)'); c.execute('INSERT INTO t VALUES (42)'); c.commit();"
        "os._exit(0)"  # Without closing, so that nothing is merged.
    )
    subprocess.run([sys.executable, "-c", write, str(path)], check=True)
    assert path.with_name("sessions.db-wal").stat().st_size > 0
    return path


def mode(path: Path) -> str:
    """The permission bits as `ls` and `chmod` speak of them."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def rows(path: Path) -> list[tuple[int]]:
    """The content of the table that the fixture made."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT x FROM t").fetchall()
    finally:
        connection.close()


def test_a_missing_file_is_made_private(tmp_path: Path) -> None:
    """The umask has no say in it."""
    before = os.umask(0)
    try:
        files.secure(tmp_path / "a" / "sessions.db")
    finally:
        os.umask(before)

    assert mode(tmp_path / "a" / "sessions.db") == "600"
    assert mode(tmp_path / "a") == "700"


def test_wrong_modes_are_seen_and_mended_and_the_data_stays(database: Path) -> None:
    """Sidecars hold data too."""
    for path in (database, database.with_name("sessions.db-wal")):
        path.chmod(0o644)
    database.parent.chmod(0o755)
    assert files.inspect(database) == files.Condition("0644", "0755", str(os.geteuid()))

    files.secure(database)

    assert files.inspect(database) == files.Condition.wanted()
    assert mode(database.with_name("sessions.db-wal")) == "600"
    assert rows(database) == [(42,)]


def test_a_wrong_owner_is_seen_and_mended_or_explained(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root takes the file back; anyone else is told how."""
    if os.geteuid() == 0:
        os.chown(database, 65534, -1)
        assert files.inspect(database) != files.Condition.wanted()
        files.secure(database)
        assert database.stat().st_uid == 0
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(os, "chown", _denied)
    with pytest.raises(DatabaseFileError, match=f"sudo chown 12345 {database}"):
        files.secure(database)


def _denied(*_: object) -> None:
    raise PermissionError


def test_a_good_path_is_not_refused(tmp_path: Path, database: Path) -> None:
    """Neither a new one nor a database that is there, beside others."""
    agents = tmp_path / "agents"
    assert files.refusal(tmp_path / "new" / "deep" / "s.db", agents, managed=False) is None
    assert files.refusal(database, agents, managed=False) is None
    assert files.refusal(database.with_name("second.db"), agents, managed=False) is None


def test_a_path_that_cannot_be_the_database_is_refused_with_a_way_forward(tmp_path: Path) -> None:
    """And nothing is made on disk."""
    agents = tmp_path / "agents"
    agents.mkdir()
    text = tmp_path / "text" / "notes.db"
    text.parent.mkdir()
    text.write_text("not a database")
    busy = tmp_path / "home" / "sessions.db"
    busy.parent.mkdir()
    (busy.parent / "thesis.odt").touch()
    link = tmp_path / "link.db"
    link.symlink_to(agents / "hidden.db")
    loop = tmp_path / "elsewhere"
    loop.symlink_to(agents)
    circle = tmp_path / "circle.db"
    circle.symlink_to(circle)
    before = sorted(tmp_path.rglob("*"))
    refusals = {
        circle: "is a symbolic link",
        tmp_path / "100%" / "s.db": "without ? # or %",
        agents / "echo" / "s.db": "outside the agents folder",
        link: "outside the agents folder",
        loop / "s.db": "outside the agents folder",
        agents: "outside the agents folder",
        tmp_path / "home": "is a folder",
        text: "expected a SQLite database",
        text / "below.db": "is a file",
        busy: "a folder of the database's own",
    }

    for path, words in refusals.items():
        assert words in (files.refusal(path, agents, managed=False) or ""), path

    assert sorted(tmp_path.rglob("*")) == before


def test_a_backups_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Before a destroy needs it."""
    (tmp_path / "file").touch()

    assert files.backups_refusal(tmp_path / "new" / "deep") is None
    assert files.backups_refusal(tmp_path) is None
    assert "expected a folder" in (files.backups_refusal(tmp_path / "file") or "")
    assert "expected a folder" in (files.backups_refusal(tmp_path / "file" / "below") or "")


def test_a_file_of_somebody_else_is_refused_unless_the_stack_owns_it(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside the stack a wrong owner is drift, which `up` mends."""
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    folder = database.parent.stat()
    real = Path.stat

    def stat_of(path: Path, **flags: bool) -> os.stat_result:
        found = real(path, **flags)
        if path != database.parent:
            return found
        return os.stat_result((*folder[:4], owner + 1, *folder[5:]))

    monkeypatch.setattr(Path, "stat", stat_of)

    assert f"belongs to user id {owner}" in (files.refusal(database, Path("/agents"), managed=False) or "")
    assert files.refusal(database, Path("/agents"), managed=True) is None


def test_a_retired_database_is_whole_and_private(database: Path, tmp_path: Path) -> None:
    """What was only in the WAL is in the kept file, and nothing is left behind."""
    kept = files.retire(database, tmp_path / "backups")

    assert kept is not None
    assert kept.name.startswith("sessions-20")
    assert kept.name.endswith("Z.db")
    assert rows(kept) == [(42,)]
    assert mode(kept) == "600"
    assert mode(kept.parent) == "700"
    assert list(database.parent.iterdir()) == []
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_retiring_nothing_is_no_error(tmp_path: Path) -> None:
    """A destroy that was killed after the move finds the file gone."""
    assert files.retire(tmp_path / "gone.db", tmp_path / "backups") is None


def test_a_database_in_use_is_not_moved(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that goes on writing would write into the backup."""
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.1)
    server = sqlite3.connect(database)
    server.execute("BEGIN")
    server.execute("SELECT * FROM t").fetchall()
    try:
        with pytest.raises(DatabaseFileError, match="in use"):
            files.retire(database, tmp_path / "backups")
    finally:
        server.close()

    assert rows(database) == [(42,)]


def test_a_damaged_file_is_kept_as_it_is(database: Path, tmp_path: Path) -> None:
    """Somebody may still save something out of it, whatever lies beside it included."""
    database.with_name("sessions.db-wal").unlink()
    database.with_name("sessions.db-journal").write_bytes(b"beside")
    database.write_bytes(b"x" * 4096)

    kept = files.retire(database, tmp_path / "backups")

    assert kept is not None
    assert kept.read_bytes() == b"x" * 4096
    assert kept.with_name(kept.name + "-journal").read_bytes() == b"beside"


def test_a_move_never_overwrites(database: Path, tmp_path: Path) -> None:
    """Of two databases neither wins by accident."""
    other = tmp_path / "other" / "sessions.db"
    files.secure(other)

    with pytest.raises(DatabaseFileError, match="Move one of the two away"):
        files.move(database, other)

    assert rows(database) == [(42,)]


def test_a_move_across_file_systems_is_whole(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename fails there with EXDEV, and a copy takes its place."""
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path == database:
            raise OSError(18, "Invalid cross-device link")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    target = tmp_path / "far" / "sessions.db"

    files.move(database, target)

    assert rows(target) == [(42,)]
    assert not database.exists()
    assert [path.name for path in target.parent.iterdir()] == ["sessions.db"]


def test_what_another_database_left_is_never_replayed(database: Path, tmp_path: Path) -> None:
    """SQLite would put an orphaned WAL into the database that appears beside it."""
    target = tmp_path / "new" / "sessions.db"
    target.parent.mkdir()
    target.with_name("sessions.db-wal").write_bytes(b"of another one")

    assert "left of another one" in (files.refusal(target, tmp_path / "agents", managed=False) or "")
    with pytest.raises(DatabaseFileError):
        files.secure(target)
    with pytest.raises(DatabaseFileError):
        files.move(database, target)
    assert rows(database) == [(42,)]


def test_a_link_beside_the_database_is_not_followed(database: Path, tmp_path: Path) -> None:
    """Its target's mode is nobody's business here."""
    victim = tmp_path / "victim"
    victim.touch(mode=0o644)
    database.with_name("sessions.db-journal").symlink_to(victim)

    with pytest.raises(DatabaseFileError, match="Remove it"):
        files.secure(database)
    assert mode(victim) == "644"


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A destroy would move it away."""
    path = tmp_path / "browser" / "places.sqlite"
    files.secure(path)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (x)")
    connection.close()

    assert "holds bookmarks" in (files.refusal(path, tmp_path / "agents", managed=False) or "")


def test_a_shared_folder_is_refused(tmp_path: Path) -> None:
    """It would become private."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)

    assert "is shared" in (files.refusal(folder / "sessions.db", tmp_path / "agents", managed=False) or "")
