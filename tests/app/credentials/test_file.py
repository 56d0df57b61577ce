"""A password in a file: whatever way it changes, the next connection has the new one."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from app.credentials import file
from app.credentials.failures import NoLoginError
from app.credentials.interface import Login


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file, with a password and the newline of an editor."""
    path = tmp_path / "password"
    path.write_text("first\n")
    return path


def test_the_password_is_the_file_without_its_last_newline(url: URL, path: Path) -> None:
    """Of the role that SESSION_DB_URI names."""
    path.write_text(" p@ss:w/or%d?#& \r\n")

    assert file.credentials(url, path).login() == Login("adk_user", " p@ss:w/or%d?#& ")


def test_a_change_that_no_time_shows_is_seen(url: URL, path: Path) -> None:
    """Written over in place, of the same length, with the same times."""
    credentials = file.credentials(url, path)
    credentials.login()
    before = path.stat()
    path.write_text("other\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert credentials.login().password == "other"


def test_a_mount_of_kubernetes_is_followed(url: URL, tmp_path: Path) -> None:
    """The file is a link through a link to a folder, and that one is replaced."""
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "password").write_text(f"of {number}")
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "password").symlink_to("..data/password")
    credentials = file.credentials(url, tmp_path / "password")
    assert credentials.login().password == "of 1"

    (tmp_path / "..data_tmp").symlink_to("2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    assert credentials.login().password == "of 2"


def test_a_uri_in_the_file_brings_the_role_as_well(url: URL, path: Path) -> None:
    """As the stack's secret has it, whose rotation changes both."""
    path.write_text("postgresql+psycopg://adk_user_2:p%40ss@db.example.org/adk_sessions?sslmode=verify-full\n")

    assert file.credentials(url, path).login() == Login("adk_user_2", "p@ss")


def test_json_of_a_rotated_secret_brings_the_role_as_well(url: URL, path: Path) -> None:
    """As RDS keeps it."""
    path.write_text('{"username": "adk_user_2", "password": "other"}')

    assert file.credentials(url, path).login() == Login("adk_user_2", "other")


@pytest.mark.parametrize("text", ["{", '{"user": "x"}', "[1]", "12345", "null"])
def test_a_password_that_looks_like_something_else_is_a_password(url: URL, path: Path, text: str) -> None:
    """Only an object with a password is none."""
    path.write_text(text)

    assert file.credentials(url, path).login() == Login("adk_user", text)


def test_a_uri_that_comes_to_lead_elsewhere_is_not_followed(url: URL, path: Path) -> None:
    """Some connections would write to the restored server, and others to the old one."""
    path.write_text("postgresql://adk_user:one@g1.example.org/adk_sessions")
    credentials = file.credentials(url, path)
    assert credentials.login().password == "one"

    path.write_text("postgresql://adk_user:two@g2.example.org/adk_sessions")

    assert credentials.login().password == "one"
    credentials.refused(Login("adk_user", "one"))
    with pytest.raises(NoLoginError, match="Restart to follow") as caught:
        credentials.login()
    assert "two" not in str(caught.value)


def test_while_the_file_is_being_written_the_password_before_is_used(url: URL, path: Path) -> None:
    """An empty file is none that anybody meant."""
    credentials = file.credentials(url, path)
    credentials.login()
    path.write_text("")

    assert credentials.login().password == "first"


def fifo(path: Path) -> None:
    """A pipe that nobody writes to."""
    os.mkfifo(path)


UNUSABLE = {
    "nothing there": (lambda _: None, "No such file or directory"),
    "a folder": (Path.mkdir, "Is a directory"),
    "a pipe": (fifo, "it is a pipe"),
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "no UTF-8": (lambda path: path.write_bytes(b"hunter\xff"), "it is no UTF-8 text"),
    "UTF-16": (lambda path: path.write_text("hunter", encoding="utf-16"), "it has a NUL in it"),
    "UTF-16 without a BOM": (lambda path: path.write_text("hunter", encoding="utf-16-le"), "it has a NUL in it"),
    "too long": (lambda path: path.write_text("hunter2" * 20_000), "it is longer than 65536 bytes"),
    "deep JSON": (lambda path: path.write_text('{"password":' * 5_000), "it is JSON of too many levels"),
    "half a pair": (lambda path: path.write_text('{"password": "hunter\\ud800"}'), "it is no UTF-8 text"),
    "half a pair in the role": (
        lambda path: path.write_text('{"username": "hunter\\ud800", "password": "hunter"}'),
        "it is no UTF-8 text",
    ),
    "a role that is a number": (
        lambda path: path.write_text('{"username": 7301, "password": "hunter"}'),
        "the username in its JSON is no text",
    ),
    "a password that is a number": (lambda path: path.write_text('{"password": 7301}'), "the password in its JSON"),
    "a password that is none": (lambda path: path.write_text('{"password": ""}'), "it is empty"),
    "a URI that is none": (lambda path: path.write_text("postgresql://a:hun@ter2@b/c"), "an @ in the user"),
}
"""What may be in the place of a password, and what is said of it."""


@pytest.mark.parametrize(("make", "reason"), list(UNUSABLE.values()), ids=list(UNUSABLE))
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    url: URL, path: Path, make: Callable[[Path], object], reason: str
) -> None:
    """With its name, the variable that names it and what it may hold, and nothing of what it holds."""
    path.unlink()
    make(path)

    with pytest.raises(NoLoginError, match=reason) as caught:
        file.credentials(url, path).login()

    said = str(caught.value)
    assert f"{path}, which SESSION_DB_PASSWORD_FILE names" in said
    assert "or example" in said
    assert "\n" not in said
    assert not any(word in said.replace(str(path), "") for word in ("hun", "ter2", "7301", "0xff"))


def test_a_file_that_may_not_be_read_is_told_in_one_line(url: URL, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads every file, so the refusal is the system's as another user gets it."""

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(NoLoginError, match="SESSION_DB_PASSWORD_FILE names, but: Permission denied"):
        file.credentials(url, path).login()


def test_the_mark_that_an_editor_puts_in_front_is_none_of_the_password(url: URL, path: Path) -> None:
    """A byte order mark, which nobody sees."""
    path.write_text("first\n", encoding="utf-8-sig")

    assert file.credentials(url, path).login().password == "first"
