"""PostgreSQL's settings of a server's nodes, by the part that each plays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rehearsal import configuration
from rehearsal.fleet.archive import Archive
from rehearsal.fleet.state import Source, State
from rehearsal.fleet.template import Template

STANDBY: Final = "standby"
"""The name that a synchronous standby gives itself."""

_LIBRARIES: Final = "shared_preload_libraries"

_OURS: Final = frozenset(
    """
    archive_cleanup_command archive_library cluster_name config_file data_directory external_pid_file fsync hba_file
    huge_pages ident_file listen_addresses logging_collector port recovery_end_command shared_buffers ssl_ca_file
    ssl_cert_file ssl_crl_file ssl_key_file timezone unix_socket_directories unix_socket_group unix_socket_permissions
    wal_level
    """.split()  # noqa: SIM905  # A list of so many words is read as text.
)
"""What this machine decides, and no cloud's parameter: sizes of a real server's memory among it."""


class Settings:
    """All settings of one server's nodes.

    Attributes:
        passfile: Has the replication role's password.
    """

    def __init__(self, state: State, archive: Archive, template: Template, replication: str) -> None:
        """Take what they depend on.

        Args:
            state: The server.
            archive: Its archive.
            template: What this version of PostgreSQL knows.
            replication: The name of the role by which standbys follow.
        """
        self._state, self._archive, self._template, self._replication = state, archive, template, replication
        self.passfile = state.folder / "replication.pass"

    def primary(self, node: str) -> dict[str, str]:
        """Those of the node that clients talk to."""
        return {
            **self._common(node),
            "hot_standby": "off",  # While it recovers nobody reads what is to become the primary.
            "synchronous_standby_names": STANDBY if self._state.joined else "",
            "restore_command": self._archive.fetch_command(),
        }

    def standby(self, node: str) -> dict[str, str]:
        """Those of the synchronous standby."""
        return {**self._common(node), **self._following(Source(self._state.port, self._archive.wal), STANDBY)}

    def replica(self, node: str, source: Source) -> dict[str, str]:
        """Those of a read replica: its own archive begins when it is promoted."""
        name = f"replica_{self._state.spec.name}"
        return {**self._common(node), **self._following(source, name), "archive_mode": "on"}

    def ignored(self, parameters: Mapping[str, str]) -> list[str]:
        """The parameters that have no effect here: unknown to this version, or this machine's to decide."""
        return sorted(name for name, value in parameters.items() if not self._counts(name, value))

    def _common(self, node: str) -> dict[str, str]:
        state = self._state
        asked = {name: value for name, value in state.spec.parameters.items() if self._counts(name, value)}
        if _LIBRARIES in asked:
            asked[_LIBRARIES] = self._installed(asked[_LIBRARIES])
        return {
            "max_wal_senders": "10",
            **asked,
            "cluster_name": state.spec.name,
            "ssl": "on",
            "password_encryption": "scram-sha-256",
            # A standby archives, too: with `on`, what a crashed primary had not archived yet would be missing.
            "archive_mode": "always",
            "archive_command": self._archive.store_command(node),
            "wal_level": "replica",
            "wal_keep_size": "64MB",
            "wal_retrieve_retry_interval": "100ms",
            "default_transaction_read_only": "on"
            if state.read_only
            else asked.get("default_transaction_read_only", "off"),
        }

    def _following(self, source: Source, name: str) -> dict[str, str]:
        fetch = Archive.fetching(source.archive)
        passfile = str(self.passfile).replace("\\", r"\\").replace("'", r"\'")
        login = f"host={configuration.HOST} port={source.port} user={self._replication} passfile='{passfile}'"
        return {
            "hot_standby": "on",
            "synchronous_standby_names": "",
            "restore_command": fetch,
            "primary_conninfo": f"{login} application_name={name} sslmode=require connect_timeout=5",
        }

    def _counts(self, name: str, value: str) -> bool:
        if name in _OURS or "{" in value:  # Amazon RDS's formulas count the memory of a real server.
            return False
        return "." in name or name in self._template.known

    def _installed(self, libraries: str) -> str:
        names = [name.strip() for name in libraries.split(",")]
        folder = self._template.libraries
        return ",".join(name for name in names if name and (folder / Path(name).name).with_suffix(".so").exists())
