"""Amazon RDS for PostgreSQL.

database.py    the component: what a stack consists of
server.py      one generation of the server, with its parameter group, its log groups and its replicas
instance.py    the inputs of an instance: as maps, so that a generation and a replica share what they share
parameters.py  the server's parameters
network.py     the network, built or given
secrets.py     the secrets and who may read them
identity.py    IAM: who may log in with a token, and the role of enhanced monitoring
copies.py      what is kept in another region: keys, copies of backups, a read replica
alarms.py      what is watched of an instance, and at which value somebody is told
monitoring.py  the alarms and events of a region, and whom they are told
dashboard.py   one dashboard for all instances
runbook.py     the exact commands
record.py      the exported record
"""

from infra.backends.aws.database import AwsDatabase

__all__ = ["AwsDatabase"]
