"""Where a server's logs are kept, for as long as the stack file says."""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import logging

from infra.backends.gcp.server import GcpServer
from infra.settings.gcp import GcpSettings


class GcpLogs(pulumi.ComponentResource):
    """A log bucket of one generation and the sink that fills it.

    The bucket has the instance's name, which nobody had before: the name of a deleted bucket is taken for a week
    (Cloud Logging, "Configure log buckets").

    Args:
        name: The component's name in the stack.
        settings: The `gcp` section.
        server: The generation.
        after: What must be there before.
        opts: The usual resource options.
    """

    def __init__(
        self,
        name: str,
        settings: GcpSettings,
        server: GcpServer,
        *,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component, the bucket and the sink."""
        super().__init__("sessiondb:gcp:Logs", name, None, opts)
        names = [server.instance.name, *(replica.name for replica in server.replicas)]
        bucket = logging.ProjectBucketConfig(
            name,
            project=settings.project,
            location=settings.region,
            bucket_id=server.instance.name,
            retention_days=settings.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
        logging.ProjectSink(
            name,
            destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
            filter=pulumi.Output.all(*names).apply(lambda known: _of(settings.project, known)),
            # In its own project a sink needs no identity, and nobody has to let it write.
            unique_writer_identity=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _of(project: str, names: Sequence[str]) -> str:
    ids = " OR ".join(f'"{project}:{name}"' for name in names)
    return f'resource.type="cloudsql_database" AND resource.labels.database_id=({ids})'
