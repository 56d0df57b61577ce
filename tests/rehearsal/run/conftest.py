"""A clone of the tests' own, as far as a rehearsal's modules look at one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from rehearsal.run import layout
from rehearsal.run.command import Commands
from rehearsal.run.processes import Processes

Script = Callable[[str], Commands]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone, in which everything of a rehearsal lies."""
    home = tmp_path / ".rehearsal"
    places = {"ROOT": tmp_path, "HOME": home, "REPORTS": home / "reports", "RUNS": home / "runs"}
    for name, path in {**places, "STATE": tmp_path / ".state" / "rehearsal"}.items():
        monkeypatch.setattr(layout, name, path)
    return tmp_path


@pytest.fixture
def script(root: Path) -> Iterator[Script]:
    """Gives commands whose `python -m infra` is a script of the test's own."""
    known = Processes("gcp")

    def make(body: str) -> Commands:
        (root / "infra.py").write_text(dedent(body))
        return Commands("rehearse-gcp", root / "ground", known, root / "logs", lambda _: None)

    with known.alone():
        yield make
