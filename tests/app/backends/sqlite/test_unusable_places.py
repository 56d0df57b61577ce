"""Places where no database can be: whatever the file system says, it ends in one of our own errors."""

from pathlib import Path
from typing import Any

import pytest

from app import dsn, verbs
from app.backends.interface import Target
from app.errors import InsufficientRightsError, MissingDatabaseError


def at(place: Path | str) -> Target:
    """The database at a path."""
    return Target.of(dsn.parse(f"sqlite:///{place}"))


@pytest.mark.parametrize("verb", [verbs.bootstrap, verbs.plan])
@pytest.mark.parametrize(
    "name",
    ["text.db/sessions.db", "circle", "circle/sessions.db", "x" * 300],
    ids=["below a file", "a link to itself", "below a link to itself", "a name too long"],
)
def test_a_place_that_cannot_be_is_one_error(name: str, verb: Any, tmp_path: Path) -> None:
    """Whatever the file system says, it ends in our own error, and nothing is made."""
    (tmp_path / "text.db").write_text("text")
    (tmp_path / "circle").symlink_to("circle")
    before = sorted(place.name for place in tmp_path.iterdir())

    with pytest.raises(InsufficientRightsError, match="expected to use the database"):
        verb(at(f"{tmp_path}/{name}"))

    assert sorted(place.name for place in tmp_path.iterdir()) == before


def test_a_folder_that_is_not_to_be_written_is_one_error(powerless: Path) -> None:
    """The file cannot be made there."""
    powerless.chmod(0o500)

    with pytest.raises(InsufficientRightsError, match=r"it cannot be made \(Permission denied\)"):
        verbs.bootstrap(at(f"{powerless}/sessions.db"))
    with pytest.raises(InsufficientRightsError, match="folder is yours, or set SESSION_DB_URI"):
        verbs.bootstrap(at(f"{powerless}/new/sessions.db"))


@pytest.mark.parametrize("verb", [verbs.bootstrap, verbs.plan, verbs.differences])
def test_a_folder_that_is_not_to_be_entered_is_one_error(verb: Any, powerless: Path) -> None:
    """Not even whether there is a file can be told."""
    powerless.chmod(0o000)

    with pytest.raises(InsufficientRightsError, match="Permission denied"):
        verb(at(f"{powerless}/sessions.db"))


@pytest.mark.parametrize(
    ("bits", "words"), [(0o000, r"it cannot be read \(Permission denied\)"), (0o400, "it cannot be written")]
)
def test_a_file_that_is_not_to_be_used_is_one_error(bits: int, words: str, powerless: Path) -> None:
    """Neither read nor written: the message says which."""
    file = powerless / "sessions.db"
    file.touch()
    file.chmod(bits)

    with pytest.raises(InsufficientRightsError, match=words):
        verbs.bootstrap(at(file))


@pytest.mark.parametrize("verb", [verbs.verify, verbs.differences])
def test_a_missing_file_is_told_with_what_makes_it(verb: Any, path: Path, target: Target) -> None:
    """To look at a database makes none."""
    with pytest.raises(MissingDatabaseError) as caught:
        verb(target)

    reason = "there is no such file. To make it: make up, or session-db bootstrap"
    assert str(caught.value) == f"expected to use the database {path}, but {reason}."
    assert not path.parent.exists()
