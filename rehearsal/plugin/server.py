"""The gRPC server of one stand-in: it says its port, serves the engine and leaves at once."""

import importlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NoReturn

import grpc
from pulumi.runtime.proto.provider_pb2_grpc import add_ResourceProviderServicer_to_server

from rehearsal.plugin.cloud import Cloud
from rehearsal.plugin.playing import CLOUDS
from rehearsal.plugin.service import Service

_LARGEST: Final = 400 * 1024 * 1024
"""The engine's own limit of a message (pulumi/pulumi, sdk/go/common/util/rpcutil)."""

_ORPHANED: Final = 1.0
"""Seconds between two looks at whether the engine is still there."""


def cloud(name: str) -> Cloud:
    """The stand-in of a name in `CLOUDS`."""
    found: Cloud = importlib.import_module(f"rehearsal.vendors.{CLOUDS[name]}").CLOUD
    return found


def serve(name: str) -> NoReturn:
    """Serve the engine until it goes.

    An engine waits up to five seconds for a plugin to leave, at the end of every preview: so this one leaves without
    a goodbye; it holds nothing that needs one.
    """
    engine = os.getppid()
    options = [("grpc.max_receive_message_length", _LARGEST), ("grpc.max_send_message_length", _LARGEST)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    add_ResourceProviderServicer_to_server(Service(cloud(name)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # An engine that was killed sends no signal.
    while os.getppid() == engine:
        threading.Event().wait(_ORPHANED)
    os._exit(0)
