"""A password in a file: whatever way it changes, the next connection has the new one."""

import os
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


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"", "it is empty"), (b"\xff", "no UTF-8")])
def test_a_file_that_cannot_be_used_from_the_start_is_told_in_one_line(
    url: URL, path: Path, content: bytes | None, reason: str
) -> None:
    """With its name."""
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(NoLoginError, match=reason) as caught:
        file.credentials(url, path).login()

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
