"""The drills on a rehearsal's servers, by the vendors' SDKs; a stand-in speaks for the stack's own program."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

from app import target
from app.control import choice, waiting
from app.control.interface import MARK, Control, Server
from app.drills import engine, failover, restored
from app.drills.load import Settings
from app.drills.place import Place
from app.drills.restore import Drill
from app.errors import InvalidSettingError, StackUnavailableError
from app.stack import Record

CLOUDS = ["aws", "gcp", "azure"]

SETTINGS = Settings(writers=4, rate=50, patience=60)

ONE = pytest.mark.parametrize("place", ["aws"], indirect=True)
"""Where the code is the same for every cloud."""

Told = list[str]

Ask = Callable[[URL, str], list[tuple[object, ...]]]


@pytest.fixture(scope="module", params=CLOUDS)
def place(request: pytest.FixtureRequest, deployed: Callable[[str], Record]) -> Place:
    """The database of a stack of each cloud."""
    record = deployed(request.param)
    return Place(target.of(record), record)


@pytest.fixture(scope="module")
def control(place: Place) -> Iterator[Control]:
    """The control plane that its server is under."""
    with closing(choice.of(place.exported)) as made:
        yield made


@pytest.fixture(autouse=True)
def infra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that speaks for `python -m infra`: nothing to change."""
    monkeypatch.setattr(engine, "ROOT", tmp_path)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "__init__.py").touch()
    program = tmp_path / "infra" / "__main__.py"
    program.write_text(
        "import json, sys\n"
        "assert sys.argv[1:] == ['preview', '--stack', 'prod', '--json', '--rehearse'], sys.argv\n"
        "print(json.dumps({'changes': {}}))\n"
    )
    return program


def test_a_failover_loses_nothing_that_was_acknowledged(place: Place, control: Control) -> None:
    """Another process answers at the same address, in the other zone; the clients' pause is measured."""
    told: Told = []

    report = failover.run(place, control, SETTINGS, seconds=1, tell=told.append)

    assert (report.broken, report.held) == ((), True)
    assert (report.load.lost, report.load.duplicated) == (0, 0)
    found = report.failover
    assert found is not None
    assert found.zone.before != found.zone.after
    assert found.server_started.before != found.server_started.after
    assert 0.9 < found.requested_at < found.completed_at < report.load.seconds
    assert 0 < found.silence_seconds <= found.gap_seconds.p50 <= found.gap_seconds.p100
    assert report.load.retried > 0
    assert told[1] == f"failover of {place.exported.text('instance')}"
    assert json.loads(json.dumps(report.record()))["failover"]["preview_changes"] == {}


@ONE
def test_what_a_failover_leaves_to_change_is_a_broken_promise(place: Place, control: Control, infra: Path) -> None:
    """The second `up` would undo it."""
    infra.write_text('print(\'{"changes": {"update": 2}}\')\n')

    report = failover.run(place, control, SETTINGS, seconds=1, tell=lambda _: None)

    assert report.broken == ("the stack wants to change what the failover left: 2 to update",)
    assert not report.held


def test_a_restored_moment_has_all_before_it_and_none_after(place: Place, control: Control) -> None:
    """And the server that was restored is gone again."""
    report = Drill(place, control, SETTINGS, 1, lambda _: None).run()

    found = report.restore
    assert found is not None
    assert report.broken == ()
    assert (found.missing, found.unexpected, found.altered, found.torn) == (0, 0, 0, 0)
    assert 0 < found.expected == found.found < report.load.stored
    assert 0.9 < found.mark_at < report.load.seconds
    assert 0 < found.available_after_seconds < found.rto_seconds
    assert (found.rpo_seconds is None) == (place.exported.text("backend") == "azure")
    assert not found.kept
    assert control.find(found.server) is None


def test_a_kept_server_is_adopted_by_the_lines_that_are_shown(place: Place, control: Control) -> None:
    """A generation more in the list of the stack file."""
    report = Drill(place, control, SETTINGS, 1, lambda _: None, keep=True).run()

    found = report.restore
    assert found is not None
    there = control.find(found.server)
    assert there is not None
    assert found.kept
    assert found.stack_file == ("servers:", "  - id: g1", f"  - {{id: g2, adopt: {there.adopt}}}")
    assert MARK in there.adopt
    control.discard(found.server)


@ONE
def test_a_restore_that_differs_from_its_mark_is_told(
    place: Place, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison can fail: another moment is restored than was marked, without the last second before it."""
    restore = control.restore
    monkeypatch.setattr(control, "restore", lambda source, time: restore(source, time - dt.timedelta(seconds=1.5)))

    report = Drill(place, control, SETTINGS, 3, lambda _: None).run()

    assert report.restore is not None
    assert report.restore.missing > 0
    assert report.broken == (
        f"{report.restore.missing} events from before the mark are missing in the restored server",
    )


@ONE
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("UPDATE events SET event_data = jsonb_set(event_data, '{content,parts,0,text}', '\"1. No.\"')", "altered"),
        ("UPDATE events SET event_data = jsonb_set(event_data, '{author}', '\"model\"')", "altered"),
        ("DELETE FROM events", "missing"),
    ],
)
def test_one_wrong_row_in_the_restored_server_is_found(
    place: Place, control: Control, ask: Ask, monkeypatch: pytest.MonkeyPatch, wrong: str, field: str
) -> None:
    """Of all that it has of the load; it answers as before, and nothing else is wrong."""
    reached = restored.reached

    @contextmanager
    def falsified(place: Place, server: Server) -> Iterator[URL]:
        with reached(place, server) as url:
            ask(url, f"{wrong} WHERE id = (SELECT min(id) FROM events WHERE app_name = 'session-db-drill')")
            yield url

    monkeypatch.setattr(restored, "reached", falsified)

    report = Drill(place, control, SETTINGS, 1, lambda _: None).run()

    assert report.restore is not None
    wrongs = {name: getattr(report.restore, name) for name in ("missing", "unexpected", "altered", "torn")}
    assert wrongs == dict.fromkeys(wrongs, 0) | {field: 1}
    assert len(report.broken) == 1


@ONE
def test_a_server_without_a_standby_is_refused_before_anything_is_written(place: Place, control: Control) -> None:
    """With the setting that gives it one."""
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)  # After its first backup.
    waiting.restorable(control, place.exported.text("instance"), moment, 60)
    single = control.restore(place.exported.text("instance"), moment)
    waiting.available(control, single.instance, 60)
    record = Record("prod", dict(place.exported.outputs) | {"instance": single.instance}, "url", place.exported.reach)

    with pytest.raises(InvalidSettingError, match=r"expected a server with a standby, .* Set high_availability: true"):
        failover.run(Place(place.target, record), control, SETTINGS, seconds=1, tell=lambda _: None)

    control.discard(single.instance)


@ONE
def test_the_words_of_a_program_that_fails_are_passed_on(place: Place, infra: Path) -> None:
    """In one line."""
    infra.write_text("import sys\nsys.exit('working\\nerror: expected a state')\n")

    with pytest.raises(StackUnavailableError, match="infra preview of stack prod to succeed, but: expected a state"):
        engine.run("preview", place.exported)
