"""The clouds that there are: the only place that names all three."""

from typing import Final

from rehearsal.controlplane.vendors.aws import http as aws
from rehearsal.controlplane.vendors.aws.rules import RdsRules
from rehearsal.controlplane.vendors.azure import http as azure
from rehearsal.controlplane.vendors.azure.rules import FlexibleServerRules
from rehearsal.controlplane.vendors.gcp import http as gcp
from rehearsal.controlplane.vendors.gcp.rules import CloudSqlRules

RULES: Final = (RdsRules(), CloudSqlRules(), FlexibleServerRules())
"""What each calls things, and what it refuses."""

ROUTES: Final = (aws.routes, gcp.routes, azure.routes)
"""The HTTP of each."""
