"""A rehearsal has a state and plugins of its own, and no way to an account."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from infra import stack_file, stage, state
from infra.errors import SettingsError
from infra.layout import PLUGINS
from rehearsal.plugin import playing


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own, with a stack on a cloud and one on this machine."""
    monkeypatch.setattr(stack_file, "ROOT", tmp_path)
    monkeypatch.setattr(stage, "STATE", tmp_path / ".state")
    (tmp_path / "Pulumi.yaml").write_text(
        "name: session-database\nruntime: python\nbackend: {url: 's3://team-state'}\n"
    )
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  session-database:backend: gcp\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  session-database:backend: sqlite\n")
    return tmp_path


def test_what_leads_to_a_state_or_an_account_is_taken_out_of_the_environment(root: Path) -> None:
    """For good, so that no child process has it either; the rest stays."""
    environ = {
        "AWS_SECRET_ACCESS_KEY": "change-me",
        "AWS_PROFILE": "production",
        "GOOGLE_APPLICATION_CREDENTIALS": "key.json",
        "CLOUDSDK_CORE_PROJECT": "production",
        "ARM_CLIENT_SECRET": "change-me",
        "AZURE_CLIENT_SECRET": "change-me",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "change-me",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com",
        "SYSTEM_ACCESSTOKEN": "change-me",
        "CI_JOB_JWT_V2": "change-me",
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "PULUMI_ACCESS_TOKEN": "change-me",
        "PULUMI_BACKEND_URL": "s3://team-state",
        "PULUMI_CONFIG_PASSPHRASE": "change-me",
        "HOME": str(root),
    }

    stage.rehearsal("prod", environ)

    assert environ == {"HOME": str(root)}


def test_its_state_is_its_own_whatever_the_project_says(root: Path) -> None:
    """Neither the team's backend nor the user's passphrase is used."""
    played = stage.rehearsal("prod", {"PULUMI_BACKEND_URL": "s3://team-state"})

    assert played.rehearsal
    assert played.backend == f"file://{root}/.state/rehearsal"
    variables = played.variables("/opt/pulumi/bin/pulumi")
    assert variables["PULUMI_BACKEND_URL"] == played.backend
    assert Path(variables["PULUMI_CONFIG_PASSPHRASE_FILE"]).parent == played.folder
    assert Path(variables["PULUMI_HOME"]).parent == played.folder


@pytest.mark.parametrize("before", [None, 0o755], ids=["first", "later"])
def test_nobody_else_may_enter_the_state(root: Path, before: int | None) -> None:
    """Whether a rehearsal makes its folders or finds them open: the state of the real thing will be beside it."""
    for folder in (root / ".state", root / ".state" / "rehearsal") if before else ():
        folder.mkdir(mode=before or 0)

    played = stage.rehearsal("prod", {})
    for folder in (played.project(played.folder), played.config_file("prod", played.folder).parent, played.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / ".state").stat().st_mode) == 0o700


def test_of_the_project_it_has_nothing_that_leads_elsewhere(root: Path) -> None:
    """The engine takes a plugin that the project names before any other, and a real deployment shall."""
    with (root / "Pulumi.yaml").open("a") as project:
        project.write("plugins: {providers: [{name: gcp, path: /opt/gcp}]}\npackages: {gcp: /opt/gcp}\nconfig: {}\n")

    played = stage.rehearsal("prod", {})

    folder = played.project(played.folder)
    assert folder.is_relative_to(played.folder)
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text()) == {
        "name": "session-database",
        "config": {},
        "runtime": "python",
    }


def test_stand_ins_come_first_in_a_rehearsal_and_not_at_all_in_a_real_deployment(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    """A real deployment without a provider's plugin fails; it never falls back on them."""
    monkeypatch.setattr(state, "STATE", root / ".state")
    stand_ins = str(PLUGINS / "rehearsal")

    path = stage.rehearsal("prod", {}).variables("/opt/pulumi/bin/pulumi")["PATH"].split(os.pathsep)
    assert path.index(stand_ins) < path.index(os.environ["PATH"].split(os.pathsep)[0])

    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{root}")
    assert stand_ins not in stage.real().variables("/opt/pulumi/bin/pulumi")["PATH"].split(os.pathsep)


def test_what_is_on_this_machine_is_not_rehearsed() -> None:
    """A destroy would really move the database away."""
    with pytest.raises(SettingsError, match=r"Pulumi\.dev\.yaml: session-database:backend: expected one of gcp, aws"):
        stage.rehearsal("dev", {})


def test_stand_ins_on_the_users_own_path_are_no_plugins_of_a_real_deployment(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    """Or fake servers would end up in a real state."""
    monkeypatch.setattr(state, "STATE", root / ".state")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{root}")
    stand_ins = PLUGINS / "rehearsal"
    (root / "link").symlink_to(stand_ins)
    (root / "tools").symlink_to(PLUGINS)
    monkeypatch.chdir(stand_ins.parent)
    spellings = [
        *(str(stand_ins), f"{stand_ins}/", f"{stand_ins}/../rehearsal", f"/{stand_ins}"),
        *(str(root / "link"), str(root / "tools" / "rehearsal"), "rehearsal", "./rehearsal"),
    ]
    others = ["/usr/bin", str(root / "nowhere")]
    monkeypatch.setenv("PATH", os.pathsep.join([*spellings, *others]))

    path = stage.real().variables("/opt/pulumi/bin/pulumi")["PATH"].split(os.pathsep)
    monkeypatch.chdir(stand_ins)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", *others]))
    here = stage.real().variables("/opt/pulumi/bin/pulumi")["PATH"].split(os.pathsep)

    assert path == here == ["/opt/pulumi/bin", *others, str(PLUGINS)]


def test_stand_ins_serve_the_engine_of_a_rehearsal_only(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Whatever the user has exported."""
    monkeypatch.setattr(state, "STATE", root / ".state")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{root}")
    monkeypatch.setenv(playing.VARIABLE, "yes")

    assert playing.refusal("aws", stage.rehearsal("prod", {}).variables("/opt/pulumi/bin/pulumi")) is None
    assert playing.refusal("aws", stage.real().variables("/opt/pulumi/bin/pulumi"))


def test_a_stack_that_was_never_rehearsed_is_made_in_a_rehearsal(root: Path) -> None:
    """Whoever rehearses must not be led to the command that makes it with their credentials."""
    assert root.exists()
    assert stage.rehearsal("prod", {}).making("prod") == "python -m infra up --stack prod --rehearse"
    assert stage.real().making("prod") == "make up STACK=prod"
