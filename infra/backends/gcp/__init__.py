"""Cloud SQL for PostgreSQL.

`database` composes: `apis` switches on what the project needs, `encryption` lets Google's services use a key of one's
own, `network` builds or takes the network, `server` is one generation with its `instance` inputs, `identity` is who may
log in with a token, `secrets` keeps passwords, `monitoring`, `alarms`, `dashboard` and `logs` watch, and `record` with
`runbook` is what the stack exports.
"""

from infra.backends.gcp.database import GcpDatabase

__all__ = ["GcpDatabase"]
