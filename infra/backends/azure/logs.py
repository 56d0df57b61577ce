"""The workspace that the servers' logs are kept in."""

from typing import Final

import pulumi
from pulumi_azure_native import monitor, operationalinsights

from infra.backends.azure.place import Place
from infra.settings.azure import AzureSettings

SHORTEST: Final = 30
"""Days for which Azure keeps logs in any case (Microsoft, "Manage data retention in a Log Analytics workspace")."""


class AzureLogs(pulumi.ComponentResource):
    """A Log Analytics workspace.

    Args:
        name: The component's name in the stack.
        settings: The `azure` section.
        place: Where it goes.
        opts: The usual resource options.

    Attributes:
        workspace: The workspace itself.
    """

    def __init__(
        self, name: str, settings: AzureSettings, place: Place, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the component and the workspace."""
        super().__init__("sessiondb:azure:Logs", name, None, opts)
        # All groups of logs hold the query store too; its queries are what insights are made of.
        self._wanted = (
            monitor.DiagnosticsLogSettingsArgs(enabled=True, category_group="allLogs")
            if settings.query_insights
            else monitor.DiagnosticsLogSettingsArgs(enabled=True, category="PostgreSQLLogs")
        )
        self.workspace = operationalinsights.Workspace(
            name,
            resource_group_name=place.group,
            location=place.region,
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            retention_in_days=max(SHORTEST, settings.log_retention_days),
            tags=place.tags or None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def kept(self, name: str, resource: pulumi.Input[str], opts: pulumi.ResourceOptions) -> monitor.DiagnosticSetting:
        """Send a resource's logs and metrics to the workspace.

        Args:
            name: The setting's name in the stack.
            resource: The resource's id.
            opts: The setting's options.
        """
        return monitor.DiagnosticSetting(
            name,
            resource_uri=resource,
            workspace_id=self.workspace.id,
            logs=[self._wanted],
            metrics=[monitor.DiagnosticsMetricSettingsArgs(enabled=True, category="AllMetrics")],
            opts=opts,
        )
