"""The Pulumi program: settings, preflight, resources, outputs. Run by plain `pulumi` and by `python -m infra` alike."""

from dataclasses import replace

import pulumi
from pulumi.runtime import config, get_config_env

from infra import backends, preflight, settings
from infra.policy.enforcement import Gate


def main() -> None:
    """Provision what the stack file asks for and export the record; the only caller of `pulumi.export`.

    Raises:
        SettingsError: The stack file has something that cannot be, or is under a floor of its profile; the engine
            shows it as one line.
        ToolError: The chosen cloud's provider package is not installed.
    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    chosen = settings.load(_config(), project=project, stack=stack)
    preflight.require(chosen, project=project, stack=stack)
    gate = Gate(chosen, project=project, stack=stack) if chosen.managed else None
    record = replace(backends.provision(chosen), waivers=chosen.waivers)
    if gate:
        gate.require()
    for name, value in record.outputs():
        pulumi.export(name, value)


def _config() -> dict[str, str]:
    """All keys, so that an unknown one is seen: the CLI passes them by environment, the driver by call."""
    return get_config_env() | config.CONFIG.get()
