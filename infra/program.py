"""The Pulumi program: settings, resources, outputs. Run by plain `pulumi` and by `python -m infra` alike."""

import pulumi
from pulumi.runtime import config, get_config_env

from infra import backends, settings


def main() -> None:
    """Provision what the stack file asks for and export the record; the only caller of `pulumi.export`.

    Raises:
        SettingsError: The stack file has something that cannot be; the engine shows it as one line.
    """
    chosen = settings.load(_config(), project=pulumi.get_project(), stack=pulumi.get_stack())
    for name, value in backends.provision(chosen).outputs():
        pulumi.export(name, value)


def _config() -> dict[str, str]:
    """All keys, so that an unknown one is seen: the CLI passes them by environment, the driver by call."""
    return get_config_env() | config.CONFIG.get()
