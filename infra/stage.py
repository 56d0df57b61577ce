"""Where a deployment plays: for real, on the user's state and accounts, or as a rehearsal that can touch neither."""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import reach, stack_file, state
from infra.errors import SettingsError, ToolError
from infra.layout import PLUGINS, PROJECT, ROOT, STATE
from infra.settings.profiles import CLOUDS

_FOREIGN: Final = (
    *("PULUMI_", "AWS_", "ECS_", "GOOGLE_", "GCLOUD_", "GCP_", "GCE_", "CLOUDSDK_"),
    *("AZURE_", "ARM_", "MSI_", "IDENTITY_"),
    *("ACTIONS_", "GITHUB_TOKEN", "CI_JOB_JWT", "CI_JOB_TOKEN", "SYSTEM_ACCESSTOKEN", "SYSTEM_OIDC"),
    *("BITBUCKET_STEP_OIDC", "CIRCLE_OIDC", "KUBERNETES_SERVICE_"),
)
"""How the names of variables begin that lead to a state or an account.

Those of Pulumi, of the providers' SDKs, and those by which a CI job or a pod says who it is (GitHub, "OpenID Connect";
GitLab, "Predefined CI/CD variables"; Azure Pipelines, "Predefined variables").
"""

_STAND_INS: Final = PLUGINS / "rehearsal"
"""Never on the PATH of a real deployment, not even where a user put it there, by whatever spelling or link."""

PLAYING: Final = "SESSION_DB_STAND_INS"
"""The variable without which stand-ins serve nobody, however an engine found them."""

_PACKAGES: Final = {"gcp": "pulumi_gcp", "aws": "pulumi_aws", "azure": "pulumi_azure_native"}

_MODELS: Final = ("botocore", "googleapiclient", "azure.mgmt.postgresqlflexibleservers")
"""The vendors' own API models, to which stand-ins hold every request."""


@dataclass(frozen=True)
class Stage:
    """Everything by which a rehearsal differs from the real thing.

    Attributes:
        folder: Where the driver keeps locks, copies of stack files and, if it is local, the state.
        backend: The URL of the state.
        environment: Variables that the engine gets besides the process's own.
        plugins: Folders of provider plugins that come before the user's PATH, and those that come after it.
        config_file: Gives the file that the engine reads, from a stack's name and `folder`.
        project: Gives the folder whose Pulumi.yaml the engine reads, from `folder`.
        rehearsal: Whether stand-in plugins answer in the clouds' place.
        ground: The folder of the servers that a rehearsal plays on; None for the real thing, and where it has none.
    """

    folder: Path
    backend: str
    environment: dict[str, str]
    plugins: tuple[tuple[Path, ...], tuple[Path, ...]]
    config_file: Callable[[str, Path], Path]
    project: Callable[[Path], Path]
    rehearsal: bool = False
    ground: Path | None = None

    def variables(self, cli: str) -> dict[str, str]:
        """What the engine gets: state, plugins, and this interpreter for dynamic providers.

        Args:
            cli: The path of the Pulumi CLI.
        """
        before, after = ([str(folder) for folder in folders] for folders in self.plugins)
        users = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if not _of_stand_ins(Path(entry))]
        path = [str(Path(cli).parent), *before, *users, *after]
        return self.environment | {
            PLAYING: "yes" if self.rehearsal else "",
            "PATH": os.pathsep.join(path),
            "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def making(self, stack: str) -> str:
        """The command that makes a stack; of a rehearsal never the one that makes it for real; read-only."""
        return f"python -m infra up --stack {stack} --rehearse" if self.rehearsal else f"make up STACK={stack}"


def real() -> Stage:
    """The user's backend, login and passphrase, else this clone's own state.

    Raises:
        StateError: There is a local state, and its passphrase is gone.
    """
    return Stage(STATE, state.backend(), state.environment(), ((), (PLUGINS,)), stack_file.for_engine, lambda _: ROOT)


def rehearsal(stack: str, environ: MutableMapping[str, str] = os.environ) -> Stage:
    """A state of its own, stand-in plugins, and no way to an account.

    Args:
        stack: The stack's name.
        environ: The process environment; whatever leads to a state or an account is taken out of it for good.

    Raises:
        SettingsError: The stack is on no cloud: what it has is on this machine, where a rehearsal would touch it.
        StateError: There is a rehearsal's state, and its passphrase is gone.
        ToolError: A package is missing, of the cloud or of the vendors' models.
    """
    if stack_file.backend(stack) not in CLOUDS:
        message = (
            f"Pulumi.{stack}.yaml: {PROJECT}:backend: expected one of {', '.join(CLOUDS)} for a rehearsal: "
            "nothing stands in for what is on this machine. For example: --stack prod --rehearse"
        )
        raise SettingsError(message)
    _require_packages(stack_file.backend(stack))
    for name in [name for name in environ if name.startswith(_FOREIGN)]:
        del environ[name]
    folder = STATE / "rehearsal"
    state.private(STATE)
    backend = f"file://{folder}"
    ground = reach.folder(environ, STATE.parent)
    environment = {
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(state.passphrase_file(folder)),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        reach.VARIABLE: str(ground or ""),
    }
    plugins = ((_STAND_INS,), (PLUGINS,))
    files = (stack_file.for_rehearsal, stack_file.project_for_rehearsal)
    return Stage(folder, backend, environment, plugins, *files, rehearsal=True, ground=ground)


def _of_stand_ins(folder: Path) -> bool:
    """Whether they are what this folder of a PATH has; read-only."""
    with contextlib.suppress(OSError):  # There is no such folder.
        return folder.samefile(_STAND_INS)
    return False


def _require_packages(cloud: str) -> None:
    """Refuse before the engine starts, not in the middle of a plan."""
    wanted = [_PACKAGES[cloud], "pulumi_random", *_MODELS]
    missing = [name for name in wanted if not _installed(name)]
    if missing:
        message = (
            f"expected the packages of a rehearsal of {cloud}, but {', '.join(missing)} cannot be found. "
            f'To install them: make environment EXTRAS="{cloud} rehearsal"'
        )
        raise ToolError(message)


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # A parent of it is missing.
        return False
