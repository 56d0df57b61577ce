"""What is watched of an instance, and at which value somebody is told: pure, no resource."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from infra.preflight.aws.machines import is_burstable, max_connections, memory_bytes
from infra.settings.aws import AwsSettings

_GIB: Final = 2**30
_KIB_PER_GIB: Final = 2**20

_LOW_PERCENT: Final = 20
"""A balance of burst credits under this is told in time to do something."""

_OUTGROWN_PERCENT: Final = 5
"""Free, of the size that a volume starts with: RDS grows any volume before, at a tenth of what it has by then.

Source: Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling".
"""

_WRAPAROUND: Final = 1_000_000_000
"""Half of the transaction ids: PostgreSQL stops at two thousand million of them (PostgreSQL, "Routine Vacuuming")."""


@dataclass(frozen=True)
class Alarm:
    """One metric and the value at which somebody is told.

    Attributes:
        key: A short name, for the alarm's name.
        metric: The metric of AWS/RDS, or the counter.
        worse: On which side of the threshold it is bad.
        threshold: In the metric's own unit.
        meaning: What it means, for whoever is told.
        periods: How many periods of 5 minutes in a row.
        missing: What no data means (PutMetricAlarm, "TreatMissingData").
        counter: Whether it is a counter of Performance Insights instead, which CloudWatch asks for by a function.
    """

    key: str
    metric: str
    worse: Literal["above", "below"]
    threshold: float
    meaning: str
    periods: int = 1
    missing: Literal["missing", "notBreaching", "breaching"] = "missing"
    counter: bool = False


def alarms(settings: AwsSettings, *, replica: bool) -> Iterator[Alarm]:
    """What is watched of an instance; read-only.

    Args:
        settings: The section.
        replica: Whether it is a read replica.
    """
    wanted, machine = settings.alerts, settings.instance_class
    yield Alarm("cpu", "CPUUtilization", "above", wanted.cpu_percent, "percent of the CPU are used", periods=3)
    yield from _storage(settings)
    free = memory_bytes(machine) * (100 - wanted.memory_percent) / 100
    yield Alarm("memory", "FreeableMemory", "below", free, "bytes of memory can be freed", periods=3)
    most = max_connections(machine) * wanted.connections_percent // 100
    yield Alarm("connections", "DatabaseConnections", "above", most, "connections are open")
    for key, metric in (("ebs-bytes", "EBSByteBalance%"), ("ebs-io", "EBSIOBalance%")):
        # Machines without a burst balance have no such metric, which is no alarm.
        yield Alarm(key, metric, "below", _LOW_PERCENT, "percent of the burst are left", missing="notBreaching")
    if is_burstable(machine):
        yield Alarm("cpu-credits", "CPUCreditBalance", "below", _LOW_PERCENT, "CPU credits are left")
    if replica:
        yield Alarm("lag", "ReplicaLag", "above", wanted.replication_lag_seconds, "seconds behind", periods=2)
    else:
        yield Alarm("wraparound", "MaximumUsedTransactionIDs", "above", _WRAPAROUND, "transaction ids are used")


def _storage(settings: AwsSettings) -> Iterator[Alarm]:
    """What is left up to `max_gib`, and growth that does not come.

    No metric says how far a volume has grown, so free bytes alone cannot say how much is left. The bytes in use can,
    which enhanced monitoring counts and insights keep. Without those RDS's own events tell: growth that failed or would
    reach the maximum (category `failure`), 80 percent of the maximum (`notification`), 90 percent in use (`low
    storage`; Amazon RDS User Guide, "Amazon RDS event categories and event messages").
    """
    storage, percent = settings.storage, settings.alerts.storage_percent
    if not storage.max_gib:
        free = storage.size_gib * _GIB * (100 - percent) / 100
        yield Alarm("storage", "FreeStorageSpace", "below", free, "bytes of storage are free")
        return
    free = storage.size_gib * _GIB * _OUTGROWN_PERCENT / 100
    meaning = "bytes of storage are free, which growth should have prevented"
    yield Alarm("storage", "FreeStorageSpace", "below", free, meaning, periods=3)
    if settings.query_insights and settings.monitoring_interval:
        used = storage.max_gib * _KIB_PER_GIB * percent / 100
        meaning = f"KiB are in use, of the {storage.max_gib} GiB that storage may grow to"
        yield Alarm("storage-cap", "os.fileSys.used.avg", "above", used, meaning, counter=True)
