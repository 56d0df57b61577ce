"""The engine gets the stack file without ever writing into a tracked one."""

from pathlib import Path

import pytest
import yaml

from infra import stack_file
from infra.errors import SettingsError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own, with a stack file."""
    monkeypatch.setattr(stack_file, "ROOT", tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: session-database\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("# kept\nconfig:\n  session-database:backend: sqlite\n")
    return tmp_path


def test_the_engines_salt_never_reaches_the_tracked_stack_file(root: Path) -> None:
    """It goes into a copy, where it survives a change of the tracked file."""
    tracked = root / "Pulumi.dev.yaml"
    before = tracked.read_text()
    copy = stack_file.for_engine("dev", root / ".state")
    copy.write_text(copy.read_text() + "\nencryptionsalt: v1:salt\n")
    assert tracked.read_text() == before

    tracked.write_text(before + "  session-database:sqlite: {path: other.db}\n")

    assert yaml.safe_load(stack_file.for_engine("dev", root / ".state").read_text()) == {
        "config": {"session-database:backend": "sqlite", "session-database:sqlite": {"path": "other.db"}},
        "encryptionsalt": "v1:salt",
    }


def test_a_damaged_copy_is_made_anew(root: Path) -> None:
    """It holds nothing but a salt, and the engine makes another."""
    copy = stack_file.for_engine("dev", root / ".state")
    copy.write_text("config: [")

    assert stack_file.for_engine("dev", root / ".state").read_text() == (root / "Pulumi.dev.yaml").read_text()


@pytest.mark.parametrize("key", ["encryptionsalt", "secretsprovider", "encryptedkey"])
def test_a_stack_file_with_encryption_of_its_own_is_used_as_it_is(root: Path, key: str) -> None:
    """A team shares its salt or its key."""
    tracked = root / "Pulumi.dev.yaml"
    tracked.write_text(f"{tracked.read_text()}{key}: gcpkms://projects/x\n")

    assert stack_file.for_engine("dev", root / ".state") == tracked


@pytest.mark.parametrize(
    ("content", "words"),
    [("config: [", "Pulumi.dev.yaml: line"), ("- a\n", "expected a mapping"), ("text", "expected a mapping")],
)
def test_a_stack_file_that_is_no_mapping_is_refused_by_name(root: Path, content: str, words: str) -> None:
    """In one line, without a traceback."""
    (root / "Pulumi.dev.yaml").write_text(content)
    with pytest.raises(SettingsError, match=words):
        stack_file.for_engine("dev", root / ".state")


def test_a_missing_stack_file_is_refused_with_those_there_are(root: Path) -> None:
    """A typo must not create a stack."""
    with pytest.raises(SettingsError, match=r"Pulumi\.devv\.yaml; there are: dev"):
        stack_file.for_engine("devv", root / ".state")


def test_a_rehearsal_never_sees_a_secret_nor_its_encryption(root: Path) -> None:
    """It could not decrypt it, and has no use for it."""
    tracked = root / "Pulumi.dev.yaml"
    secure = {"secure": "v1:ciphertext"}
    config = {"session-database:postgres": {"password": secure, "hosts": [secure, "a"]}, "aws:token": secure}
    tracked.write_text(yaml.safe_dump({"encryptionsalt": "v1:theirs", "config": config}))
    before = tracked.read_text()

    copy = stack_file.for_rehearsal("dev", root / ".state" / "rehearsal")

    assert yaml.safe_load(copy.read_text()) == {
        "config": {
            "session-database:postgres": {"password": "rehearsal", "hosts": ["rehearsal", "a"]},
            "aws:token": "rehearsal",
        }
    }
    assert tracked.read_text() == before
    assert copy.is_relative_to(root / ".state" / "rehearsal")


def test_a_rehearsal_keeps_its_own_salt(root: Path) -> None:
    """Its state is encrypted with it."""
    folder = root / ".state" / "rehearsal"
    copy = stack_file.for_rehearsal("dev", folder)
    copy.write_text(copy.read_text() + "\nencryptionsalt: v1:ours\n")

    assert yaml.safe_load(stack_file.for_rehearsal("dev", folder).read_text())["encryptionsalt"] == "v1:ours"


@pytest.mark.parametrize(
    ("stack", "project", "backend"),
    [
        ("config: {session-database:backend: aws}", "", "aws"),
        ("config: {backend: aws}", "", "aws"),
        ("config: {'session-database:config:backend': aws}", "", "aws"),
        ("config: {}", "config: {backend: {type: string, default: aws}}", "aws"),
        ("config: {}", "config: {backend: {value: aws}}", "aws"),
        ("config: {}", "config: {'session-database:backend': aws}", "aws"),
        ("config: {backend: gcp}", "config: {backend: {default: aws}}", "gcp"),
        ("", "config: {backend: {type: string, default: ''}}", ""),
        ("config: {}", "", ""),
    ],
)
def test_the_backend_is_read_as_the_engine_reads_it(root: Path, stack: str, project: str, backend: str) -> None:
    """With or without the project's name in front, else from Pulumi.yaml."""
    (root / "Pulumi.dev.yaml").write_text(stack)
    (root / "Pulumi.yaml").write_text(f"name: session-database\nruntime: python\n{project}\n")

    assert stack_file.backend("dev") == backend
