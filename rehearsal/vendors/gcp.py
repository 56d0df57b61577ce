"""The stand-in for gcp; so far every type of resource is held to the SDK's schema only."""

from typing import Final

from rehearsal.plugin.behaviour import Behaviour
from rehearsal.plugin.cloud import Cloud


class _Echo(dict[str, Behaviour]):
    """Any type of the SDK, answered with its own inputs."""

    def __contains__(self, token: object) -> bool:
        """The schema says whether there is such a type."""
        return True

    def __missing__(self, token: str) -> Behaviour:
        """A behaviour with nothing of its own."""
        behaviour = self[token] = Behaviour()
        behaviour.package, behaviour.token = "pulumi_gcp", token
        return behaviour


CLOUD: Final = Cloud("gcp", "pulumi_gcp", _Echo())
