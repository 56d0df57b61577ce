"""Google Cloud.

base.py        what all types have in common
api.py         Google's own models of its APIs
instance.py    Cloud SQL instances, with sql_rules.py for what Cloud SQL refuses
sql.py         what is in an instance
network.py     networks, addresses, peering
secrets.py     Secret Manager, Cloud KMS, roles
operations.py  projects, accounts, monitoring, logging
"""

from typing import Final

from rehearsal.plugin.cloud import Cloud
from rehearsal.values import Inputs
from rehearsal.vendors.declared import behaviours
from rehearsal.vendors.gcp import instance, network, operations, secrets, sql


def _client_config(arguments: Inputs, config: Inputs) -> Inputs:
    """The provider's own settings, which need no account."""
    del arguments
    known = {key: config.get(key) for key in ("project", "region", "zone")}
    return {**known, "id": "projects/{}".format(config.get("project", ""))}


CLOUD: Final = Cloud(
    "gcp",
    "pulumi_gcp",
    behaviours(instance, network, operations, secrets, sql),
    {"gcp:organizations/getClientConfig:getClientConfig": _client_config},
)
