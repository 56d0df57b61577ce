"""Passwords are found where they are, packed or not, and their place is told without them."""

import gzip
from pathlib import Path

from rehearsal.run.passwords import Passwords, files, sslmode

OUTPUTS = {
    "session_db_uri": "postgresql+psycopg://adk_user:p%40ss-of-the-app@host/db?sslmode=verify-full",
    "admin_db_uri": "postgresql+psycopg://adk_owner:pass-of-the-owner@host/db",
}


def test_a_password_is_found_in_files_packed_and_plain(tmp_path: Path) -> None:
    """By the name of the file; what has none is counted as searched."""
    (tmp_path / "plain.log").write_text("as adk_user with p@ss-of-the-app")
    (tmp_path / "packed.json").write_bytes(gzip.compress(b'{"password": "pass-of-the-owner"}'))
    (tmp_path / "clean.log").write_text("nothing")
    passwords = Passwords()
    passwords.learn(OUTPUTS)

    passwords.search("logs", files(sorted(tmp_path.iterdir()), tmp_path))

    scan = passwords.scan()
    assert scan.passwords == 2
    assert scan.found == ("logs: packed.json", "logs: plain.log")
    assert list(scan.places) == ["logs"]
    assert "pass-of" not in repr(scan) + repr(passwords)


def test_a_file_that_goes_meanwhile_is_no_failure(tmp_path: Path) -> None:
    """Servers are deleted while a rehearsal looks."""
    assert list(files([tmp_path / "gone"], tmp_path)) == []


def test_how_a_uri_checks_certificates_is_read_from_it() -> None:
    """None where it does not say."""
    assert sslmode(OUTPUTS) == "verify-full"
    assert sslmode({"session_db_uri": OUTPUTS["admin_db_uri"]}) == "none"
