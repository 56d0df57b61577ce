"""A rotation under load on a real PostgreSQL; a stand-in speaks for the stack's own program."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from app import stack
from app.drills import engine, place, rotate
from app.drills.load import Settings
from app.drills.report import Change
from app.errors import InvalidSettingError

SETTINGS = Settings(writers=2, rate=40, patience=5)

PROGRAM = """
import json, pathlib, sys
here = pathlib.Path(__file__).parent
verb = sys.argv[1]
if verb == "preview":
    changed = (here / "outputs").read_text() != (here / "next").read_text()
    print(json.dumps({"changes": {"update": 3} if changed else {}}))
if verb == "up":
    (here / "upped").touch()
    (here / "outputs").write_text((here / "next").read_text())
    print(json.dumps({"changes": {"update": 3}}))
if verb == "outputs":
    print(json.dumps({"outputs": json.loads((here / "outputs").read_text()), "control_plane": "url"}))
"""

Ask = Callable[[URL, str], list[tuple[object, ...]]]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose `up` moves the record on to what `next` holds."""
    for module in (engine, stack):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


def record(app: URL) -> str:
    """The outputs of a stack on the backend gcp with this app role."""
    text = app.render_as_string(hide_password=False)
    return json.dumps({"backend": "gcp", "session_db_uri": text, "admin_db_uri": text})


@pytest.fixture
def second(sessions: URL, ask: Ask) -> URL:
    """Another role with the same rights."""
    name = f"{sessions.username}_2"
    ask(sessions, f"CREATE ROLE {name} LOGIN PASSWORD 'change-me'")
    ask(sessions, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    return sessions.set(username=name, password="change-me")


def test_no_request_fails_while_a_role_is_rotated(sessions: URL, second: URL, stand_in: Path) -> None:
    """The role in use goes on, and the new one serves."""
    (stand_in / "outputs").write_text(record(sessions))
    (stand_in / "next").write_text(record(second))

    report = rotate.run(place.find("prod", rehearse=True), SETTINGS, seconds=1, tell=lambda _: None)

    assert (report.broken, report.load.errors, report.backend) == ((), {}, "gcp")
    assert report.rotate is not None
    assert report.rotate.role == Change(sessions.username, second.username)
    assert report.rotate.changes == {"update": 3}
    assert 0.9 < report.rotate.up_started_at < report.rotate.up_ended_at < report.load.seconds
    assert report.load_after is not None
    assert report.load_after.acknowledged == report.load_after.stored > 10


def test_a_request_that_fails_is_a_broken_promise(
    sessions: URL, second: URL, stand_in: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example where the role in use is changed too."""
    (stand_in / "outputs").write_text(record(second))
    (stand_in / "next").write_text(record(sessions))
    run = engine.run

    def spoilt(*arguments: object) -> dict[str, int]:
        ask(sessions, f"REVOKE INSERT ON events FROM {second.username}")
        done = run(*arguments)  # type: ignore[arg-type]  # Passed on as they are.
        ask(sessions, f"GRANT INSERT ON events TO {second.username}")
        return done

    monkeypatch.setattr(engine, "run", spoilt)

    report = rotate.run(place.find("prod", rehearse=True), SETTINGS, seconds=1, tell=lambda _: None)

    assert not report.held
    assert report.broken[0].startswith("requests of the role in use failed: ")
    assert "InsufficientRightsError" in report.broken[0]
    assert report.load.lost == 0


def test_a_rotation_that_was_not_asked_for_is_told(sessions: URL, stand_in: Path) -> None:
    """The stack file has to say it before."""
    (stand_in / "outputs").write_text(record(sessions))
    (stand_in / "next").write_text(record(sessions))

    with pytest.raises(InvalidSettingError, match=r"expected `rotation` in Pulumi\.prod\.yaml to be counted up before"):
        rotate.run(place.find("prod", rehearse=True), SETTINGS, seconds=1, tell=lambda _: None)

    assert not (stand_in / "upped").exists(), "nothing has changed, and nobody has waited for a load"
