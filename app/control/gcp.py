"""Cloud SQL by the Google API client."""

import datetime as dt
import time as clock
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Self

import httplib2  # type: ignore[import-untyped]  # It ships without types.
from google.auth.exceptions import GoogleAuthError
from googleapiclient.discovery import build  # type: ignore[import-untyped]  # It ships without types.
from googleapiclient.errors import Error, HttpError  # type: ignore[import-untyped]  # As above.

from app.control import waiting
from app.control.interface import Backup, Server, beside, newest_first, require_made_here
from app.control.leftover import made_or_discarded
from app.errors import CloudRefusedError
from app.stack import Record

_LONGEST_NAME: Final = 84
"""With its project an instance's name has at most 98 letters. Source: Cloud SQL, "Instance settings"."""

_ABSENT: Final = (403, 404)
"""Cloud SQL answers 403 to whoever may not see an instance, and so for one that does not exist, too."""


class _Name(NamedTuple):
    """A connection name, `project:region:name`; the project may have a domain in front."""

    project: str
    region: str
    name: str

    @classmethod
    def of(cls, instance: str) -> "_Name":
        return cls(*instance.rsplit(":", 2))

    def __str__(self) -> str:
        return ":".join(self)


class GcpControl:
    """Cloud SQL.

    Args:
        service: The Google API client's `sqladmin`.
        poll: How long to wait between two looks, in seconds.
    """

    def __init__(self, service: Any, poll: float) -> None:
        """Nothing is asked yet."""
        self._service = service
        self._instances = service.instances()
        self._recovery = service.projects().instances()
        self.poll = poll

    @classmethod
    def of(cls, record: Record) -> Self:
        """Cloud SQL by Application Default Credentials; a rehearsal's asks for none.

        Args:
            record: The stack's.
        """
        if record.control_plane is None:
            with _asking():
                return cls(build("sqladmin", "v1", cache_discovery=False), poll=5)
        options = {"api_endpoint": f"{record.control_plane}/gcp/"}
        direct = httplib2.Http(proxy_info=None)  # A proxy cannot reach our loopback; and no credentials are looked for.
        return cls(build("sqladmin", "v1", http=direct, client_options=options, cache_discovery=False), poll=0.2)

    def find(self, instance: str) -> Server | None:
        """See `Control`."""
        try:
            with _asking():
                found = self._described(_Name.of(instance))
                return _server(_Name.of(instance), found, self._latest(_Name.of(instance), found))
        except _AbsentError:
            return None

    def backups(self, instance: str) -> list[Backup]:
        """See `Control`."""
        at = _Name.of(instance)
        with _asking():
            found = self._service.backupRuns().list(project=at.project, instance=at.name).execute().get("items", [])
        return newest_first(Backup(str(each["id"]), _moment(each.get("endTime")), each["status"]) for each in found)

    def failover(self, instance: str) -> None:
        """See `Control`."""
        at = _Name.of(instance)
        with _asking():
            version = self._described(at)["settings"]["settingsVersion"]
            context = {"kind": "sql#failoverContext", "settingsVersion": version}
            asked = self._instances.failover(
                project=at.project, instance=at.name, body={"failoverContext": context}
            ).execute()
            self._done(at.project, asked["name"])

    def restore(self, source: str, time: dt.datetime) -> Server:
        """See `Control`; Cloud SQL makes a clone with all settings of its source, its standby and protection too."""
        at = _Name.of(source)
        to = at._replace(name=beside(at.name, _LONGEST_NAME))
        with made_or_discarded(self, str(to)), _asking():
            address = self._described(at)["settings"].get("ipConfiguration", {})
            context = {
                "kind": "sql#cloneContext",
                "destinationInstanceName": to.name,
                "pointInTime": time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
            }
            if ranged := address.get("allocatedIpRange"):
                context["allocatedIpRange"] = ranged
            asked = self._instances.clone(
                project=at.project, instance=at.name, body={"cloneContext": context}
            ).execute()
            self._done(at.project, asked["name"])
            return _server(to, self._described(to), None)

    def discard(self, instance: str) -> None:
        """See `Control`."""
        at = _Name.of(instance)
        require_made_here(at.name)
        with _asking():
            if self._described(at)["settings"].get("deletionProtectionEnabled"):
                lifted = {"settings": {"deletionProtectionEnabled": False}}
                asked = self._instances.patch(project=at.project, instance=at.name, body=lifted).execute()
                self._done(at.project, asked["name"])
            asked = self._instances.delete(project=at.project, instance=at.name, enableFinalBackup=False).execute()
            self._done(at.project, asked["name"])

    def close(self) -> None:
        """See `Control`."""
        self._service.close()

    def _described(self, at: _Name) -> dict[str, Any]:
        return dict(self._instances.get(project=at.project, instance=at.name).execute())

    def _latest(self, at: _Name, found: Mapping[str, Any]) -> dt.datetime | None:
        backup = found.get("settings", {}).get("backupConfiguration", {})
        if not backup.get("pointInTimeRecoveryEnabled") or found.get("state") != "RUNNABLE":
            return None
        try:
            told = self._recovery.getLatestRecoveryTime(project=at.project, instance=at.name).execute()
        except HttpError:  # There is no log yet.
            return None
        return _moment(told.get("latestRecoveryTime"))

    def _done(self, project: str, operation: str) -> None:
        deadline = clock.monotonic() + waiting.BOUND
        while True:
            found = self._service.operations().get(project=project, operation=operation).execute()
            if found["status"] == "DONE":
                break
            if clock.monotonic() > deadline:
                message = f"expected Cloud SQL to end operation {operation} within {waiting.BOUND:.0f} s"
                raise CloudRefusedError(message)
            clock.sleep(self.poll)
        if errors := found.get("error", {}).get("errors"):
            told = "; ".join(f"{each.get('code')}: {each.get('message')}" for each in errors)
            message = f"expected Cloud SQL to do what was asked, but its operation ends with {told}"
            raise CloudRefusedError(message)


class _AbsentError(CloudRefusedError):
    """There is no such instance; it leaves this module as what it derives from."""


def _server(at: _Name, found: Mapping[str, Any], latest: dt.datetime | None) -> Server:
    settings = found.get("settings", {})
    addresses = {each.get("type"): each.get("ipAddress") for each in found.get("ipAddresses", [])}
    address = addresses.get("PRIVATE") or addresses.get("PRIMARY")
    return Server(
        instance=str(at),
        host=_host(found) or address or "",
        port=5432,
        status=found["state"],
        available=found["state"] == "RUNNABLE",
        zone=found.get("gceZone"),
        standby=settings.get("availabilityType") == "REGIONAL",
        latest_restorable=latest,
        adopt=f"projects/{at.project}/instances/{at.name}",
        failed=found["state"] in ("FAILED", "SUSPENDED"),
        address=address,
        ca=found.get("serverCaCert", {}).get("cert", ""),
    )


def _host(found: Mapping[str, Any]) -> str:
    """The instance's own DNS name, without the final dot; the older field where there is no list of them."""
    own = (each["name"] for each in found.get("dnsNames", []) if each.get("dnsScope") == "INSTANCE")
    return str(next(own, None) or found.get("dnsName") or "").rstrip(".")


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except HttpError as error:
        message = f"expected Cloud SQL to do what was asked, but it answers {error.status_code}: {error.reason}"
        kind = _AbsentError if error.status_code in _ABSENT else CloudRefusedError
        raise kind(message) from None
    except (Error, GoogleAuthError, OSError) as error:
        message = f"expected an answer of Cloud SQL, but: {error}. To log in: gcloud auth application-default login"
        raise CloudRefusedError(message) from None
