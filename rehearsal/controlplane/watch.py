"""The watch over servers: what crashes under nobody's hands is brought back, as a cloud does."""

import contextlib
import threading
from typing import Final

from rehearsal.controlplane.servers import Servers
from rehearsal.errors import RehearsalError

_SECONDS: Final = 1.0
"""Between two looks, which cost next to nothing: whether processes live."""


class Watch:
    """A thread that looks at every server again and again.

    Args:
        servers: The servers.
    """

    def __init__(self, servers: Servers) -> None:
        """It does not look yet."""
        self._servers = servers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; nothing begins afterwards."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_SECONDS):
            with contextlib.suppress(RehearsalError):  # A server that is deleted in this moment.
                self._servers.all()
