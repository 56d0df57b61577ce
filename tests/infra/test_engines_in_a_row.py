"""One process drives many engines, here: what one of them leaves behind does not touch the next."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime.proto.engine_pb2 import LogRequest
from pulumi.runtime.proto.engine_pb2_grpc import EngineServicer, add_EngineServicer_to_server
from pulumi.runtime.settings import Settings


class Engine(EngineServicer):
    """Takes what a program logs."""

    def Log(self, _request: LogRequest, _context: grpc.ServicerContext) -> Empty:  # noqa: N802  # The engine's word.
        """Take a line."""
        return Empty()


@contextmanager
def engine(port: int = 0) -> Iterator[int]:
    """An engine on a port, until the body ends."""
    server = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    add_EngineServicer_to_server(Engine(), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


def test_an_engine_is_heard_on_the_port_of_one_that_is_gone() -> None:
    """Ports come round: a program that had lost its engine is still there, and knows that nobody listens."""
    with engine() as port:
        before = Settings("project", "stack", engine=f"127.0.0.1:{port}").engine
        before.Log(LogRequest(message="heard"))
    with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
        before.Log(LogRequest(message="lost"))

    with engine(port):
        after = Settings("project", "stack", engine=f"127.0.0.1:{port}").engine

        assert after.Log(LogRequest(message="heard")) == Empty()
