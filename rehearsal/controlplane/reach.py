"""The file that tells clients where the servers really are: the clouds' host names resolve nowhere."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rehearsal import tls
from rehearsal.controlplane import meeting
from rehearsal.controlplane.record import ServerRecord

FILE: Final = "reach.json"
_HOSTADDR: Final = "127.0.0.1"


def write(folder: Path, url: str, records: Iterable[ServerRecord]) -> None:
    """Replace the file in one step.

    Args:
        folder: The rehearsal's.
        url: The control plane's.
        records: Every server; those that have no port yet have a name only.
    """
    records = list(records)
    hosts = {
        name: {"hostaddr": _HOSTADDR, "port": record.port}
        for record in records
        if record.port
        for name in (*record.hosts, *record.addresses)
    }
    reach = {
        "control_plane": url,
        "ca": str(folder / tls.ROOT),
        "hosts": hosts,
        "servers": [record.name for record in records],
    }
    meeting.write(folder / FILE, json.dumps(reach, indent=1))
