"""Azure.

base.py          what all types have in common
api.py           Microsoft's own model of the PostgreSQL API
server.py        flexible servers and what is on them, with server_rules.py for what the service refuses
surroundings.py  groups, networks, names, vaults, identities, monitoring
"""

from typing import Final

from rehearsal.plugin.cloud import Cloud
from rehearsal.vendors.azure import server, surroundings
from rehearsal.vendors.declared import behaviours

CLOUD: Final = Cloud("azure-native", "pulumi_azure_native", behaviours(server, surroundings))
