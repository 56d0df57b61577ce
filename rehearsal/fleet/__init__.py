"""Managed PostgreSQL servers on this machine: standby, archive, backups, restores, replicas; knows no cloud's API."""

from rehearsal.fleet.archive import Archive, Backup
from rehearsal.fleet.server import ManagedServer
from rehearsal.fleet.spec import Spec
from rehearsal.fleet.storage import Storage

__all__ = ["Archive", "Backup", "ManagedServer", "Spec", "Storage"]
