"""The order in which a stack's servers are made: whatever is restored comes after what it is restored from."""

from collections.abc import Iterator, Sequence

from infra.settings.servers import Server


def in_order(servers: Sequence[Server]) -> Iterator[Server]:
    """The servers, each after the one whose backups it is made of, otherwise as listed; read-only.

    Of a circle, which no server can have come from, each follows as listed.

    >>> from infra.settings.servers import Restore
    >>> g2 = Server(id="g2", restore=Restore(source="g1", time="latest"))
    >>> [server.id for server in in_order([g2, Server(id="g1")])]
    ['g1', 'g2']
    """
    waiting = list(servers)
    while waiting:
        ids = {server.id for server in waiting}
        ready = [server for server in waiting if server.restore is None or server.restore.source not in ids]
        yield from ready or waiting
        waiting = [server for server in waiting if ready and server not in ready]
