"""The engine's calls, handed to a cloud's behaviours."""

import importlib.metadata
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from google.protobuf.message import Message  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from rehearsal.errors import HalfMadeError, RehearsalError
from rehearsal.plugin.behaviour import Call, Difference, State
from rehearsal.plugin.changes import Change
from rehearsal.plugin.cloud import Cloud
from rehearsal.plugin.wire import decode, encode
from rehearsal.refusal import Refusal

if TYPE_CHECKING:
    from rehearsal.values import Inputs

_Answer = TypeVar("_Answer")

_KINDS = {
    ("add", False): pb.PropertyDiff.ADD,
    ("add", True): pb.PropertyDiff.ADD_REPLACE,
    ("delete", False): pb.PropertyDiff.DELETE,
    ("delete", True): pb.PropertyDiff.DELETE_REPLACE,
    ("update", False): pb.PropertyDiff.UPDATE,
    ("update", True): pb.PropertyDiff.UPDATE_REPLACE,
}


def _answering(method: Callable[..., _Answer]) -> Callable[..., _Answer]:
    """Turns what a stand-in refuses into the engine's form; anything else keeps its traceback."""

    @wraps(method)
    def answer(self: "Service", request: Any, context: grpc.ServicerContext) -> _Answer:
        try:
            return method(self, request, context)
        except HalfMadeError as error:
            context.abort_with_status(_half_made(error))
        except RehearsalError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    return answer


class Service(ResourceProviderServicer):
    """Pulumi's `ResourceProvider` for one cloud.

    Args:
        cloud: What to answer with.
    """

    def __init__(self, cloud: Cloud) -> None:
        """Nothing of the SDK is imported yet."""
        self._cloud = cloud
        self._configs: dict[str, Inputs] = {}

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """The version of the SDK that the schema comes from."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version(self._cloud.package))

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> pb.ProviderHandshakeResponse:  # noqa: ARG002, N802
        """Secrets come marked, so that none can be taken for a plain value."""
        return pb.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Empty:  # noqa: ARG002, N802
        """An engine that was told of a stand-in already running (PULUMI_DEBUG_PROVIDERS) joins it."""
        return Empty()

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:  # noqa: ARG002, N802
        """The provider's own inputs."""
        news = decode(request.news)
        return pb.CheckResponse(inputs=encode(news), failures=_failures(self._cloud.check_provider(news)))

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:  # noqa: ARG002, N802
        """A change of the provider's own inputs replaces nothing."""
        changed = decode(request.old_inputs) != decode(request.news)
        return pb.DiffResponse(changes=pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE)

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:  # noqa: N802
        """Keeps the provider's inputs, for regions and projects in ids.

        By the connection: an engine that joins a running stand-in opens one for each provider of the stack.
        """
        self._configs[context.peer()] = decode(request.args)
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_answering
    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:  # noqa: N802
        """Names and defaults filled in; refusals."""
        behaviour = self._cloud.behaviour(_type(request.urn))
        inputs, refusals = behaviour.check(self._call(request, context), decode(request.olds), decode(request.news))
        return pb.CheckResponse(inputs=encode(inputs), failures=_failures(refusals))

    @_answering
    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:  # noqa: ARG002, N802
        """Changes, and which of them replace."""
        behaviour = self._cloud.behaviour(_type(request.urn))
        old, new = behaviour.there(decode(request.old_inputs), decode(request.olds)), decode(request.news)
        found = behaviour.diff(old, new, list(request.ignoreChanges))
        return _diff(found)

    @_answering
    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:  # noqa: N802
        """A new resource."""
        identity, outputs = self._cloud.behaviour(_type(request.urn)).create(
            self._call(request, context), decode(request.properties), preview=request.preview
        )
        return pb.CreateResponse(id=identity, properties=encode(outputs))

    @_answering
    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:  # noqa: N802
        """A refresh, or an import; an answer without an id says that it is gone."""
        found = self._cloud.behaviour(_type(request.urn)).read(
            self._call(request, context), request.id, decode(request.inputs), decode(request.properties)
        )
        if found is None:
            return pb.ReadResponse()
        inputs, outputs = found
        return pb.ReadResponse(id=request.id, inputs=encode(inputs), properties=encode(outputs))

    @_answering
    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:  # noqa: N802
        """An update in place."""
        old = State(decode(request.old_inputs), decode(request.olds))
        outputs = self._cloud.behaviour(_type(request.urn)).update(
            self._call(request, context), old, decode(request.news), preview=request.preview
        )
        return pb.UpdateResponse(properties=encode(outputs))

    @_answering
    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """The end of a resource."""
        self._cloud.behaviour(_type(request.urn)).delete(
            self._call(request, context), request.id, decode(request.properties)
        )
        return Empty()

    @_answering
    def Invoke(self, request: pb.InvokeRequest, context: grpc.ServicerContext) -> pb.InvokeResponse:  # noqa: N802
        """A function that needs no account; any other is refused by name."""
        answer = self._cloud.invoke(request.tok, decode(request.args), self._configs.get(context.peer(), {}))
        return pb.InvokeResponse(**{"return": encode(answer)})

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:  # noqa: ARG002, N802
        """Nothing runs long enough to be cut off."""
        return Empty()

    def _call(self, request: Any, context: grpc.ServicerContext) -> Call:
        name = request.urn.rsplit("::", 1)[-1]
        fresh = not getattr(request, "olds", None)
        seed, identity = getattr(request, "randomSeed", b""), getattr(request, "id", "")
        return Call(request.urn, self._configs.get(context.peer(), {}), name, seed, fresh, identity)


def _type(urn: str) -> str:
    """The resource's own type.

    >>> _type("urn:pulumi:prod::session-database::sessiondb:aws:Database$aws:rds/instance:Instance::g1")
    'aws:rds/instance:Instance'
    """
    return urn.split("::")[2].rsplit("$", 1)[-1]


class _Status(grpc.Status):
    """An answer with a detail (gRPC, "Richer error model")."""

    def __init__(self, code: grpc.StatusCode, text: str, detail: Message) -> None:
        """As grpc.Status is to be filled."""
        self.code, self.details = code, text
        told = status_pb2.Status(code=code.value[0], message=text)
        told.details.add().Pack(detail)
        self.trailing_metadata = (("grpc-status-details-bin", told.SerializeToString()),)


def _half_made(error: HalfMadeError) -> _Status:
    """By which the engine keeps a resource that is there, and tries to mend it in the next run."""
    detail = pb.ErrorResourceInitFailed(
        id=error.identity, properties=encode(error.outputs), inputs=encode(error.inputs), reasons=[str(error)]
    )
    return _Status(grpc.StatusCode.UNKNOWN, str(error), detail)


def _failures(refusals: list[Refusal]) -> list[pb.CheckFailure]:
    """Without the property's name of its own the engine does not print the value, which may be a secret's parent."""
    return [pb.CheckFailure(reason=str(refusal)) for refusal in refusals]


def _diff(found: Difference) -> pb.DiffResponse:
    def detail(change: Change) -> pb.PropertyDiff:
        return pb.PropertyDiff(kind=_KINDS[change.kind, change in found.replacing], inputDiff=True)

    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if found.changes else pb.DiffResponse.DIFF_NONE,
        diffs=sorted({str(change.path[0]) for change in found.changes}),
        replaces=sorted({str(change.path[0]) for change in found.replacing}),
        detailedDiff={change.where: detail(change) for change in found.changes},
        hasDetailedDiff=True,
        deleteBeforeReplace=found.delete_first,
    )
