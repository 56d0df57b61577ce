"""Azure.

base.py          what all types have in common
api.py           Microsoft's own model of the PostgreSQL API
server.py        flexible servers, with server_rules.py for what the service refuses
on_server.py     what is on a server
network.py       groups, networks, private names
access.py        vaults, identities, roles, locks
monitoring.py    logs, alarms, dashboards
"""

from typing import Final

from rehearsal.plugin.cloud import Cloud
from rehearsal.vendors.azure import access, monitoring, network, on_server, server
from rehearsal.vendors.declared import behaviours

CLOUD: Final = Cloud("azure-native", "pulumi_azure_native", behaviours(access, monitoring, network, on_server, server))
