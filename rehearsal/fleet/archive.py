"""What a server leaves for its own restoration: its log of changes, base backups, and between which moments."""

import datetime as dt
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from rehearsal import data
from rehearsal.account import Account
from rehearsal.cluster import Cluster
from rehearsal.errors import RestorableError
from rehearsal.fleet import files
from rehearsal.fleet.template import Secrets
from rehearsal.superuser import Superuser

FOLDER: Final = "archive"
FIRST: Final = "first"
"""The label of the backup that a server has from birth."""

_INDEX: Final = "archive.json"
_DATA: Final = "base.tar"
"""As pg_basebackup names it."""


@dataclass(frozen=True)
class Backup:
    """A base backup.

    Attributes:
        label: Its name.
        started_at: When it began.
        finished_at: From when on moments can be restored from it.
        size: Its bytes.
    """

    label: str
    started_at: dt.datetime
    finished_at: dt.datetime
    size: int


@dataclass
class Archive:
    """The archive of one server; it may outlive the server.

    Attributes:
        folder: Holds the log of changes in `wal`, the backups in `base`, and the index.
        vendor: The cloud that the server was of.
        binaries: The programs that read it.
        secrets: The passwords in its data.
        latest: The last moment known to be restorable; None while there is none.
        whole: All backups, the oldest first.
    """

    folder: Path
    vendor: str
    binaries: Path
    secrets: Secrets
    latest: dt.datetime | None
    whole: list[Backup]

    @classmethod
    def create(cls, folder: Path, vendor: str, binaries: Path, secrets: Secrets, account: Account) -> Self:
        """Begin an empty archive.

        Args:
            folder: Where; not there yet.
            vendor: The cloud.
            binaries: The folder of the server's programs.
            secrets: The passwords in the server's data.
            account: Who runs the server.
        """
        for each in (folder, folder / "wal", folder / "base"):
            each.mkdir()
            account.own(each, 0o700)
        archive = cls(folder, vendor, binaries, secrets, None, [])
        archive.save()
        return archive

    @classmethod
    def open(cls, server: Path) -> Self:
        """The archive of a server, also of one that was deleted and whose archive was kept.

        Args:
            server: The server's folder.

        Raises:
            RestorableError: No archive is there.
        """
        folder = server / FOLDER
        try:
            plain = files.load(folder / _INDEX)
        except OSError as error:
            message = f"expected a server's folder whose archive was kept, not {server}"
            raise RestorableError(message) from error
        latest = plain["latest"] and dt.datetime.fromisoformat(plain["latest"])
        whole = [_backup(each) for each in plain["backups"]]
        secrets = Secrets(**plain["secrets"])
        return cls(folder, plain["vendor"], Path(plain["binaries"]), secrets, latest, whole)

    @property
    def wal(self) -> Path:
        """Where the log of changes is."""
        return self.folder / "wal"

    @property
    def earliest(self) -> dt.datetime | None:
        """The first moment that can be restored; None while there is no backup."""
        return self.whole[0].finished_at if self.whole else None

    def store_command(self, node: str) -> str:
        """PostgreSQL's `archive_command`: a segment is there as a whole or not at all, whichever node is the first."""
        target, draft = _quoted(self.wal, "%f"), _quoted(self.wal, f".%f.{node}")
        return f"test -f {target} || {{ cp %p {draft} && mv {draft} {target}; }}"

    def fetch_command(self) -> str:
        """PostgreSQL's `restore_command`."""
        return self.fetching(self.wal)

    @staticmethod
    def fetching(wal: Path) -> str:
        """The same for the log in a folder."""
        source = _quoted(wal, "%f")
        return f"test -f {source} && cp {source} %p"

    def holds(self, segment: str) -> bool:
        """Whether a segment of the log is there."""
        return (self.wal / segment).exists()

    def reaches(self, moment: dt.datetime | None) -> bool:
        """Whether everything up to a moment is known to be there; never for None, the moment that is still to come.

        Raises:
            RestorableError: The moment has no time zone.
        """
        if moment is not None and moment.tzinfo is None:
            message = f"expected a moment with its time zone, for example {moment.isoformat()}+00:00"
            raise RestorableError(message)
        return moment is not None and self.latest is not None and moment <= self.latest

    def reached(self, moment: dt.datetime) -> None:
        """Remember that everything up to a moment is there."""
        self.latest = moment
        self.save()

    def keep(self, data_: Path, label: str, account: Account) -> None:
        """Put data that is not in use here, as a backup that counts from `add` on.

        Args:
            data_: The data folder of a server that does not run, or the same packed.
            label: The backup's name; not taken yet.
            account: Who runs the server.
        """
        target = self._place(label, account)
        if data_.is_dir():
            files.pack(data_, target, account)
        else:
            files.link(data_, target)

    def back_up(self, primary: Cluster, role: Superuser, account: Account, label: str) -> Backup:
        """Make a base backup of a running server.

        Args:
            primary: The server.
            role: Who may replicate.
            account: Who runs the server.
            label: The backup's name; not taken yet.

        Raises:
            ServerError: PostgreSQL could not.
        """
        started = now()
        folder = self._place(label, account).parent
        source = str(primary.address.folder), primary.port
        data.back_up(folder, self.binaries, source, role, account, "--wal-method=fetch", "--format=tar")
        return self.add(label, started)

    def add(self, label: str, started: dt.datetime) -> Backup:
        """Let a backup count from now on."""
        backup = Backup(label, started, now(), (self.folder / "base" / label / _DATA).stat().st_size)
        self.whole.append(backup)
        self.save()
        return backup

    def base(self, moment: dt.datetime | None) -> Path:
        """The data, packed, to begin with for the restoration of a moment.

        Args:
            moment: The moment; None for the end of the archive.

        Raises:
            RestorableError: No backup is as old as that, or the archive does not reach it.
        """
        reached = moment is None or self.reaches(moment)
        fitting = [each for each in self.whole if moment is None or each.finished_at <= moment]
        if not fitting or not reached:
            between = f"between {_text(self.earliest)} and {_text(self.latest)}"
            message = f"expected a moment {between}, not {_text(moment)}: the archive does not hold it"
            raise RestorableError(message)
        return self.folder / "base" / fitting[-1].label / _DATA

    def save(self) -> None:
        """Write the index, which nobody else can read."""
        plain = {
            "vendor": self.vendor,
            "binaries": str(self.binaries),
            "secrets": asdict(self.secrets),
            "latest": self.latest and self.latest.isoformat(),
            "backups": [_plain(each) for each in self.whole],
        }
        files.save(self.folder / _INDEX, plain)

    def _place(self, label: str, account: Account) -> Path:
        """Where the data of a new backup is to be."""
        if any(each.label == label for each in self.whole) or "/" in label or label.startswith("."):
            message = f"expected a new label for a backup, for example {label.strip('./')}-2, not {label}"
            raise RestorableError(message)
        folder = self.folder / "base" / label
        files.remove(folder)  # What somebody was killed over.
        folder.mkdir()
        account.own(folder, 0o700)
        return folder / _DATA


def now() -> dt.datetime:
    """This moment, UTC; servers here have the same clock."""
    return dt.datetime.now(dt.UTC)


def _quoted(folder: Path, name: str) -> str:
    # Source: PostgreSQL's documentation, `archive_command`, which reads %% as one percent sign.
    return shlex.quote(f"{str(folder).replace('%', '%%')}/{name}")


def _text(moment: dt.datetime | None) -> str:
    return "the end" if moment is None else moment.isoformat()


def _plain(backup: Backup) -> dict[str, Any]:
    return {
        **asdict(backup),
        "started_at": backup.started_at.isoformat(),
        "finished_at": backup.finished_at.isoformat(),
    }


def _backup(plain: dict[str, Any]) -> Backup:
    times = {name: dt.datetime.fromisoformat(plain[name]) for name in ("started_at", "finished_at")}
    return Backup(**{**plain, **times})
