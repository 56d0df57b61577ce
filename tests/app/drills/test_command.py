"""`session-db drill` as a person and a script run it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import URL

from app.drills import command
from app.errors import InvalidSettingError

QUICK = ("--writers", "2", "--rate", "20", "--seconds", "1")


def text(url: URL) -> str:
    """The URI with its password, for the environment."""
    return url.render_as_string(hide_password=False)


def test_a_load_is_reported_and_leaves_no_session(sessions: URL, tmp_path: Path, session_db: Any, ask: Any) -> None:
    """The same object on standard output and in the file."""
    file = tmp_path / "report.json"

    done = session_db("drill", "load", *QUICK, "--yes", "--json", "--report", str(file), uri=text(sessions))

    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert json.loads(file.read_text()) == report
    assert (report["drill"], report["stack"], report["rehearsal"], report["held"]) == ("load", None, False, True)
    assert report["load"]["acknowledged"] == report["load"]["stored"] > 10
    assert sum(report["load"]["acknowledged_per_100_ms"]) == report["load"]["acknowledged"]
    assert str(sessions.password) not in done.stdout
    assert ask(sessions, "SELECT count(*) FROM sessions") == ask(sessions, "SELECT count(*) FROM events") == [(0,)]


def test_people_read_a_few_lines(sessions: URL, session_db: Any) -> None:
    """The report on standard output, to be kept or sent; what goes on meanwhile on standard error."""
    done = session_db("drill", "load", *QUICK, "--yes", uri=text(sessions))

    assert (done.returncode, done.stderr) == (0, "2 writers for 1 s\n")
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("drill load on postgresql+psycopg://")
    assert second.startswith("load: ")
    assert second.endswith(" stored, 0 lost")


def test_nobody_is_touched_without_consent(sessions: URL, session_db: Any, ask: Any) -> None:
    """A script has to say it."""
    done = session_db("drill", "load", *QUICK, uri=text(sessions))

    assert done.returncode == 2
    assert done.stderr.endswith("and delete them again. To give it: --yes\n")
    assert str(sessions.password) not in done.stderr
    assert ask(sessions, "SELECT count(*) FROM user_states") == [(0,)]


def test_a_file_has_nothing_to_try(database: Path, session_db: Any) -> None:
    """It has neither a standby nor a point in time."""
    done = session_db("drill", "load", "--yes", uri=database)

    assert done.returncode == 2
    assert "expected a database on a PostgreSQL server" in done.stderr


def test_a_database_out_of_reach_has_its_own_exit_code(session_db: Any) -> None:
    """As with every other verb."""
    done = session_db("drill", "load", "--yes", "--json", uri="postgresql://app:s3cret@127.0.0.1:1/db")

    assert done.returncode == 11
    assert json.loads(done.stdout)["error"]["kind"] == "ClosedPortError"
    assert "s3cret" not in done.stdout + done.stderr


def test_a_broken_promise_ends_with_1_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The report comes first, so that a script has it too."""
    with pytest.raises(SystemExit) as ended:
        command.drilled(
            lambda _: {"held": False, "broken": ["1 acknowledged events are lost"]}, as_json=True, file=None
        )

    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["broken"] == ["1 acknowledged events are lost"]


@pytest.mark.parametrize("file", ["none/report.json", "file/report.json"])
def test_a_report_that_cannot_be_written_is_refused_before_the_drill(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be lost after minutes."""
    (tmp_path / "file").touch()

    with pytest.raises(SystemExit) as ended:
        command.drilled(lambda _: pytest.fail("it began"), as_json=False, file=tmp_path / file)

    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: expected --report to name a file that can be written, but ")
    assert line.endswith("For example: --report drill.json")


@pytest.mark.parametrize("before", [None, "the report before"])
def test_a_drill_that_fails_leaves_the_report_file_as_it_was(before: str | None, tmp_path: Path) -> None:
    """Whether there was one or none."""
    file = tmp_path / "report.json"
    if before is not None:
        file.write_text(before)

    def fail(_: object) -> dict[str, Any]:
        message = "expected consent"
        raise InvalidSettingError(message)

    with pytest.raises(SystemExit):
        command.drilled(fail, as_json=True, file=file)

    assert (file.read_text() if file.exists() else None) == before


@pytest.mark.parametrize("value", ["nan", "-nan", "inf"])
@pytest.mark.parametrize("option", ["--seconds", "--rate"])
@pytest.mark.parametrize("name", list(command.drill.commands))
def test_a_number_that_is_none_is_refused(name: str, option: str, value: str) -> None:
    """No comparison refuses NaN by itself."""
    done = CliRunner().invoke(command.drill, [name, f"{option}={value}"])

    assert done.exit_code == 2
    assert "is not in the range" in done.stderr.splitlines()[-1]


def test_every_option_of_every_drill_is_explained() -> None:
    """And all drills take the same ones first."""
    for name, drill in command.drill.commands.items():
        assert all(getattr(option, "help", None) for option in drill.params), name
        assert [option.name for option in drill.params][:3] == ["name", "rehearse", "writers"], name
