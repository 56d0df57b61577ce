"""The stack file of a rehearsal is production's, on another cloud."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from infra import settings
from rehearsal.run.stack_file import StackFile

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("cloud", ["gcp", "aws", "azure"])
def test_it_is_production_on_the_cloud_and_goes_without_a_trace(cloud: str, root: Path) -> None:
    """With every setting, as the program reads them; an edit leaves the others alone."""
    shutil.copy(REPOSITORY / "Pulumi.prod.yaml", root)
    file = StackFile(cloud)
    file.begin()
    before = file.section
    file.set(rotation=1)
    file.waive("deletion-protection", "the rehearsal is over")

    config = yaml.safe_load(file.path.read_text())["config"]
    # As the engine hands it to a program.
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    loaded = settings.load(texts, project="session-database", stack=f"rehearse-{cloud}")
    assert loaded.backend == cloud
    assert loaded.profile == "prod"
    assert file.section == {**before, "rotation": 1}
    file.remove()
    assert sorted(path.name for path in root.iterdir()) == ["Pulumi.prod.yaml"]
