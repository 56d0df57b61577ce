"""Azure Database for PostgreSQL, Flexible Server.

database    the component: a table of contents of all below
site        where everything goes: the resource group, and what the servers of a stack share
network     a delegated subnet, private endpoints or a firewall, each built or given
identity    Entra identities of the owner, the API servers and the encryption keys
server      one generation: the server itself with all that lives on it
turns       one operation at a time on a server
inputs      a server's inputs, out of the settings
access      firewall rules or a private endpoint of one server
parameters  server parameters
replicas    read replicas, and the name that follows a promoted one
secrets     the Key Vault
logs        the workspace that logs are kept in
monitoring  alerts
dashboard   the workbook
record      the exported record
runbook     commands for whoever is on call
"""

from infra.backends.azure.database import AzureDatabase

__all__ = ["AzureDatabase"]
