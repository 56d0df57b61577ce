"""What the server says of its folder of agents before anybody asks for one."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.api import agents
from tests.app.conftest import nobody


@pytest.fixture
def folder() -> Iterator[Path]:
    """With an agent, what it shares with others, and what is no module."""
    with TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        for each in ("booking", ".git", "__pycache__", "not a module"):
            (made / each).mkdir()
        (made / "booking" / "agent.py").touch()
        (made / "shared.py").touch()
        (made / "README.md").touch()
        yield made


def test_modules_are_what_python_can_import(folder: Path) -> None:
    """Their loggers are named so."""
    assert agents.modules(folder) == ["booking", "shared"]


@pytest.mark.parametrize(
    ("part", "mode"), [("booking", 0o000), ("booking", 0o100), ("booking", 0o400), ("booking/agent.py", 0o000)]
)
def test_an_agent_that_may_not_be_read_is_named(
    folder: Path, part: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    """ADK says that there is none, with the first request, and to the client alone."""
    (folder / part).chmod(mode)
    with nobody():
        agents.tell_unreadable(folder)
    (folder / part).chmod(0o755)

    (record,) = caplog.records
    assert record.getMessage().startswith("the agent booking cannot be served, since user ")
    assert record.getMessage().endswith(f"chmod -R a+rX {folder / 'booking'}")


def test_of_agents_that_may_be_read_nothing_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Which is the usual case."""
    with nobody():
        agents.tell_unreadable(folder)

    assert not caplog.records
