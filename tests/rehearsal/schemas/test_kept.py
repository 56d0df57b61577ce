"""What is kept of an SDK's schemas is what the SDK says, without the SDK."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.schemas import kept, sdk
from rehearsal.schemas.kinds import ListOf, MapOf, Object, OneOf

ROOT = Path(__file__).parents[3]
TOKENS = [
    ("pulumi_gcp", "gcp:sql/databaseInstance:DatabaseInstance"),
    ("pulumi_aws", "aws:rds/instance:Instance"),
    ("pulumi_azure_native", "azure-native:monitor:MetricAlert"),
    ("pulumi_random", "random:index/randomPassword:RandomPassword"),
]


def told(kind: Any) -> Any:
    """All that a schema says, however deep, as plain values."""
    if isinstance(kind, sdk.ResourceSchema):
        secrets = kind.secret_inputs, kind.secret_outputs
        return kind.token, told(kind.inputs), kind.outputs, *secrets
    if isinstance(kind, Object):
        fields = {name: told(each) for name, each in kind.fields.items()}
        return kind.name, fields, kind.required, kind.constants
    if isinstance(kind, ListOf | MapOf):
        return type(kind), told(kind.item)
    return [told(each) for each in kind.kinds] if isinstance(kind, OneOf) else kind


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where schemas are kept: nothing yet."""
    kept.resource_schema.cache_clear()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(kept, "_folder", lambda _package: tmp_path / "__pycache__")
    (tmp_path / "__init__.py").touch()
    return tmp_path / "__pycache__"


@pytest.mark.parametrize(("package", "token"), TOKENS)
def test_a_kept_schema_says_all_that_the_sdk_says(folder: Path, package: str, token: str) -> None:
    """Nested objects, enums, constants and secrets."""
    kept.resource_schema(package, token)
    kept.resource_schema.cache_clear()
    (file,) = folder.iterdir()

    found = kept.resource_schema(package, token)

    assert not hasattr(found, "resource"), f"out of {file.name}, not out of the SDK"
    assert told(found) == told(sdk.resource_schema(package, token))


def test_another_sdk_is_read_anew(folder: Path) -> None:
    """What is kept is for the one that it was read out of."""
    package, token = TOKENS[-1]
    kept.resource_schema(package, token)
    (folder.parent / "__init__.py").write_text("# Another version.")
    kept.resource_schema.cache_clear()

    assert hasattr(kept.resource_schema(package, token), "resource")
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("left", [b"", b"half a file"])
def test_what_is_broken_is_read_anew(folder: Path, left: bytes) -> None:
    """A disk that was full, for example."""
    package, token = TOKENS[-1]
    schema = kept.resource_schema(package, token)
    (file,) = folder.iterdir()
    file.write_bytes(left)
    kept.resource_schema.cache_clear()

    assert told(kept.resource_schema(package, token)) == told(schema)
    assert file.read_bytes() != left, "and kept again"


def test_where_nothing_may_be_written_the_sdk_is_asked(folder: Path) -> None:
    """An environment that somebody else owns."""
    folder.write_text("no folder")

    assert hasattr(kept.resource_schema(*TOKENS[-1]), "resource")


def test_with_what_is_kept_no_sdk_is_imported() -> None:
    """Which is what it is for."""
    script = """
import sys
from rehearsal.schemas import kept
kept.provider_schema("pulumi_aws"), kept.resource_schema("pulumi_aws", "aws:rds/instance:Instance")
sys.exit("pulumi_aws" in sys.modules)
"""
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=ROOT, check=False)

    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
