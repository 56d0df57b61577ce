"""Azure Database for PostgreSQL Flexible Server by its management SDK."""

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import DefaultAzureCredential
from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient
from azure.mgmt.postgresqlflexibleservers import models as api

from app.control.interface import Backup, Server, beside, newest_first, require_made_here
from app.control.leftover import made_or_discarded
from app.errors import CloudRefusedError, InvalidSettingError
from app.stack import Record

SUBSCRIPTION: Final = "AZURE_SUBSCRIPTION_ID"

_REHEARSED: Final = "00000000-0000-0000-0000-000000000000"
"""The subscription of a rehearsal where none is named."""

_LONGEST_NAME: Final = 63

_GROUP: Final = 4
"""The place of the resource group in `/subscriptions/S/resourceGroups/G/…`."""


class AzureControl:
    """The flexible servers of a subscription.

    Args:
        client: The SDK's.
        poll: How long to wait between two looks, in seconds.
    """

    def __init__(self, client: PostgreSQLManagementClient, poll: float) -> None:
        """Nothing is asked yet."""
        self._client = client
        self._servers = client.servers
        self._ids: dict[str, str] = {}
        self.poll = poll

    @classmethod
    def of(cls, record: Record, environ: Mapping[str, str] = os.environ) -> Self:
        """The subscription of AZURE_SUBSCRIPTION_ID, by the credential that azure-identity finds; a rehearsal's any.

        Args:
            record: The stack's.
            environ: The process environment.

        Raises:
            InvalidSettingError: No subscription is named.
        """
        subscription = environ.get(SUBSCRIPTION, "").strip()
        if record.control_plane is None:
            if not subscription:
                message = (
                    f"expected {SUBSCRIPTION} to name the subscription of {record.text('instance')}. "
                    f'For example: export {SUBSCRIPTION}="$(az account show --query id --output tsv)"'
                )
                raise InvalidSettingError(message)
            return cls(PostgreSQLManagementClient(DefaultAzureCredential(), subscription, polling_interval=5), poll=5)
        # The SDK sends no token where TLS does not hide it, and this one hides nothing.
        rehearsed = PostgreSQLManagementClient(
            _NoCredential(),
            subscription or _REHEARSED,
            base_url=f"{record.control_plane}/azure",
            authentication_policy=SansIOHTTPPolicy(),
            polling_interval=0.2,
            use_env_settings=False,  # A proxy cannot reach our loopback.
        )
        return cls(rehearsed, poll=0.2)

    def find(self, instance: str) -> Server | None:
        """See `Control`."""
        try:
            with _asking():
                return _server(self._described(instance))
        except _AbsentError:
            return None

    def backups(self, instance: str) -> list[Backup]:
        """See `Control`."""
        with _asking():
            found = list(self._client.backups_automatic_and_on_demand.list_by_server(self._group(instance), instance))
        return newest_first(Backup(str(each.name), each.completed_time, "Completed") for each in found)

    def failover(self, instance: str) -> None:
        """See `Control`; the primary is killed, as a zone that fails would."""
        forced = api.RestartParameter(restart_with_failover=True, failover_mode=api.FailoverMode.FORCED_FAILOVER)
        with _asking():
            self._servers.begin_restart(self._group(instance), instance, forced).result()

    def restore(self, source: str, time: dt.datetime) -> Server:
        """See `Control`; it comes into the network of its source."""
        name = beside(source, _LONGEST_NAME)
        with made_or_discarded(self, name), _asking():
            known = self._described(source)
            wanted = api.Server(
                location=known.location,
                create_mode=api.CreateMode.POINT_IN_TIME_RESTORE,
                source_server_resource_id=known.id,
                point_in_time_utc=time,
                network=_network(known),
            )
            group = self._group(source)
            made = self._servers.begin_create_or_update(group, name, wanted).result()
        return _server(made)

    def discard(self, instance: str) -> None:
        """See `Control`."""
        require_made_here(instance)
        with _asking():
            self._servers.begin_delete(self._group(instance), instance).result()

    def close(self) -> None:
        """See `Control`."""
        self._client.close()

    def _described(self, instance: str) -> api.Server:
        return self._servers.get(self._group(instance), instance)

    def _group(self, instance: str) -> str:
        """The resource group, which the record does not name; a server's name is one in the world."""
        if instance not in self._ids:
            self._ids |= {str(each.name): str(each.id) for each in self._servers.list_by_subscription()}
        if instance not in self._ids:
            message = f"expected a server {instance} in subscription {self._client._config.subscription_id}"  # noqa: SLF001
            raise _AbsentError(message)
        return self._ids[instance].split("/")[_GROUP]


class _NoCredential:
    """What a rehearsal is asked with."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("rehearsal", 2**31)


class _AbsentError(CloudRefusedError):
    """There is no such server; it leaves this module as what it derives from."""


def _server(found: api.Server) -> Server:
    mode = found.high_availability.mode if found.high_availability else None
    return Server(
        instance=str(found.name),
        host=str(found.fully_qualified_domain_name or ""),
        port=5432,
        status=str(found.state),
        available=found.state == api.ServerState.READY,
        zone=found.availability_zone or None,
        standby=mode in (api.HighAvailabilityMode.ZONE_REDUNDANT, api.HighAvailabilityMode.SAME_ZONE),
        # Azure tells the earliest moment alone, and takes any until now.
        latest_restorable=None,
        adopt=str(found.id),
        failed=found.state in (api.ServerState.DISABLED, api.ServerState.INACCESSIBLE),
    )


def _network(known: api.Server) -> api.Network | None:
    """A private server can be restored into a network only, a public one to a public one."""
    if known.network is None or known.network.delegated_subnet_resource_id is None:
        return None
    return api.Network(
        delegated_subnet_resource_id=known.network.delegated_subnet_resource_id,
        private_dns_zone_arm_resource_id=known.network.private_dns_zone_arm_resource_id,
    )


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except ResourceNotFoundError as error:
        raise _AbsentError(_told(error)) from None
    except HttpResponseError as error:
        raise CloudRefusedError(_told(error)) from None
    except AzureError as error:
        message = f"expected an answer of Azure, but: {str(error).splitlines()[0]}. To log in: az login"
        raise CloudRefusedError(message) from None


def _told(error: HttpResponseError) -> str:
    code = error.error.code if error.error else error.status_code
    words = error.error.message if error.error else error.reason
    return f"expected Azure to do what was asked, but it answers {code}: {words}"
