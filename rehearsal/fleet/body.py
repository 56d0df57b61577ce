"""What a managed server is made of, and how it comes to be: folder, state, archive, settings, processes."""

import contextlib
import datetime as dt
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from rehearsal import configuration
from rehearsal.account import Account
from rehearsal.data import claim, expect_open
from rehearsal.errors import FolderError
from rehearsal.fleet import files
from rehearsal.fleet.archive import FIRST, FOLDER, Archive
from rehearsal.fleet.pair import Pair
from rehearsal.fleet.roles import Roles
from rehearsal.fleet.settings import Settings
from rehearsal.fleet.spec import Spec
from rehearsal.fleet.state import State
from rehearsal.fleet.template import Secrets, Template
from rehearsal.fleet.vendors import VENDORS
from rehearsal.ground import ground
from rehearsal.superuser import Superuser
from rehearsal.tls import Authority


class Body:
    """The parts of one server.

    Attributes:
        state: What is known of it between two processes.
        archive: Its log of changes and its backups.
        template: What servers of its cloud and version begin with.
        settings: PostgreSQL's settings of its nodes.
        replication: Who may copy it.
        pair: Its processes.
        close: Gives the folder of its sockets back, for good; happens by itself at the latest with the process.
    """

    def __init__(self, state: State, archive: Archive, template: Template) -> None:
        """Lay out the parts of a server whose state and archive there are."""
        vendor = VENDORS[state.spec.vendor]
        self.state, self.archive, self.template = state, archive, template
        self.replication = Superuser(vendor.replication, archive.secrets.replication)
        self.settings = Settings(state, archive, template, vendor.replication)
        superuser = Superuser(vendor.superuser, archive.secrets.superuser)
        self.pair = Pair(state, self.settings, superuser, self.replication, self._sockets())

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The parts of a server that was made before.

        Raises:
            FolderError: No server is there.
        """
        try:
            state = State.load(folder)
        except OSError as error:
            message = f"expected the folder of a managed server, not {folder}"
            raise FolderError(message) from error
        body = cls(state, Archive.open(folder), Template.at(folder.parent, state.binaries, state.spec.vendor))
        body.pair.primary.known = True
        return body

    @classmethod
    @contextlib.contextmanager
    def new(cls, folder: Path, spec: Spec, binaries: Path, secrets: Secrets | None = None) -> Iterator[Self]:
        """The parts of a new server, whose data is put into them inside; nothing is left where that fails.

        Args:
            folder: Where it is to live; not there yet.
            spec: What it is to be.
            binaries: The programs.
            secrets: The passwords in its data; None for those of the template.

        Raises:
            FolderError: The folder cannot hold a server.
        """
        account = Account.unprivileged()
        _expect_reach(folder.parent, account)
        template = Template.at(folder.parent, binaries, spec.vendor)
        claim(folder, account)
        with contextlib.ExitStack() as undo:
            undo.callback(files.remove, folder)
            archive = Archive.create(folder / FOLDER, spec.vendor, binaries, secrets or template.secrets, account)
            ports = configuration.free_port(), configuration.free_port()
            body = cls(State(folder, replace(spec, owner_password=""), binaries, *ports), archive, template)
            undo.callback(body.close)
            undo.callback(body.pair.stop, "immediate")
            account.write(body.settings.passfile, f"*:*:*:{body.replication.name}:{body.replication.password}\n")
            body.pair.prepare()
            yield body
            body.state.save()
            undo.pop_all()

    @property
    def roles(self) -> Roles:
        """The roles and databases of the running server."""
        return Roles(self.pair.primary, VENDORS[self.state.spec.vendor])

    def unpack(self, data: Path, authority: Authority) -> None:
        """Put data into it, and what the server shows.

        Args:
            data: Another server's, packed.
            authority: Issues the certificate.

        Raises:
            SettingsError: PostgreSQL does not accept a parameter.
        """
        files.unpack(data, self.pair.data("a"), self.pair.account)
        self.pair.certify(authority.issue(*self.state.spec.hosts))
        self.pair.check()

    def settle_in(self, packed: Path | None = None) -> None:
        """From data that does not run: first backup, standby; then start.

        Args:
            packed: The same data, where it is packed already.
        """
        self.archive.keep(packed or self.pair.data("a"), FIRST, self.pair.account)
        self.state.save()
        if self.state.spec.standby:
            self.pair.double()
        self.pair.start()

    def hand_out(self, password: str) -> None:
        """Make the administrator and the first database.

        Args:
            password: The administrator's; empty for none.
        """
        spec = self.state.spec
        if spec.owner:
            self.roles.administrator(spec.owner, password)
        if spec.database is not None:
            self.roles.database(spec.database, spec.owner)

    def recover(self, source: Archive, moment: dt.datetime | None) -> None:
        """Bring a base backup, which is this server's data already, to a moment, and stop.

        Args:
            source: The archive with the log of changes.
            moment: The last one that counts; None for all that there is.

        Raises:
            ServerError: The log does not reach it.
        """
        target = {"recovery_target_time": moment.isoformat(sep=" ")} if moment else {}
        self.pair.recover_at_start()
        # With `always`, the source's log would be archived once more, as this server's.
        extra = {"restore_command": source.fetch_command(), "archive_mode": "on", "recovery_target_action": "promote"}
        self.pair.start(**extra, **target)
        self.pair.stop()

    def change(self, **values: Any) -> None:
        """Change what was asked for, by the names of `Spec`."""
        self.state.spec = replace(self.state.spec, **values)
        self.state.save()

    def _sockets(self) -> Path:
        rest = contextlib.ExitStack()
        folder = rest.enter_context(ground())
        self.close = weakref.finalize(self, rest.close)
        Account.unprivileged().own(folder, 0o755)
        return folder


def _expect_reach(parent: Path, account: Account) -> None:
    if not parent.is_dir():
        message = (
            f"expected a folder for managed servers that is there, for example one of rehearsal.ground, not {parent}"
        )
        raise FolderError(message)
    expect_open(parent, account)
