"""One control-plane operation at a time: a flexible server refuses a second one as `ServerIsBusy`."""

from typing import TypeVar

import pulumi

Made = TypeVar("Made", bound=pulumi.Resource)


class Turns:
    """Makes what lives on a server one after the other, and takes it away in the opposite order.

    Bicep's own module chains databases, configurations, administrators and diagnostics in the same way
    (Azure/bicep-registry-modules#4289, Azure/azure-postgresql#134).

    Args:
        parent: The component that everything belongs to.
        server: The server, which everything waits for.
        after: What the first one waits for, if not the server itself.
    """

    def __init__(self, parent: pulumi.Resource, server: pulumi.Resource, after: pulumi.Resource | None = None) -> None:
        """Start with the server."""
        self.parent, self._server, self.last = parent, server, after or server

    def next(self, *, own_end: bool = False, protect: bool = False) -> pulumi.ResourceOptions:
        """The options of the next resource; read-only.

        Args:
            own_end: Whether it has to be deleted by itself. What goes with the server is left alone when the server
                goes: nothing resets parameters one by one, and a deleted server that is revived has its database.
            protect: Whether the engine refuses to delete it.
        """
        return pulumi.ResourceOptions(
            parent=self.parent,
            depends_on=[self.last],
            deleted_with=None if own_end else self._server,
            protect=protect or None,
        )

    def done(self, made: Made) -> Made:
        """Have the one after it wait for this resource, and return it."""
        self.last = made
        return made
