"""The program under Pulumi's mocks: everything it registers, recorded with its inputs and options."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from infra import backends, preflight, settings

PROJECT = "session-database"

Computed = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Gives the outputs that a cloud computes, from (type, name, inputs)."""


@dataclass(frozen=True)
class Registered:
    """One resource as the engine gets it."""

    type: str
    name: str
    inputs: dict[str, Any]
    protect: bool
    ignore_changes: tuple[str, ...]
    parent: str
    dependencies: frozenset[str]
    provider: str
    import_id: str
    delete_before_replace: bool
    retain_on_delete: bool
    secret_outputs: frozenset[str]
    deleted_with: str
    create_timeout: str


@dataclass
class Recording:
    """What a program registered and exported."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)

    def of(self, kind: str) -> list[Registered]:
        """All resources of a type, in the order of registration."""
        return [each for each in self.resources if each.type == kind]

    def one(self, kind: str) -> Registered:
        """The only resource of a type."""
        (only,) = self.of(kind)
        return only

    def named(self, kind: str, name: str) -> Registered:
        """The resource of a type and a name; the order of registration is not always the program's."""
        (only,) = (each for each in self.of(kind) if each.name == name)
        return only


class Recorder(pulumi.runtime.Mocks):
    """Answers each registration with the inputs and what `computed` adds; a call of a function is a failure."""

    def __init__(self, computed: Computed) -> None:
        """Take what a cloud would compute."""
        self.computed = computed

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Answer with the inputs and the computed outputs."""
        return f"{args.name}-id", {**args.inputs, **self.computed(args.typ, args.name, args.inputs)}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """No backend looks anything up: a preview needs no account."""
        raise AssertionError(args.token)


class Monitor(mocks.MockMonitor):
    """Keeps the options too, which `Mocks` never sees."""

    def __init__(self, recorder: Recorder, recording: Recording) -> None:
        """Take where to record."""
        super().__init__(recorder)
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # The engine's own name.
        """Record the registration, then answer it."""
        if request.type != "pulumi:pulumi:Stack":
            self.recording.resources.append(_registered(request))
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # Pulumi leaves it untyped.


def _registered(request: Any) -> Registered:
    return Registered(
        type=request.type,
        name=request.name,
        inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
        protect=request.protect,
        ignore_changes=tuple(request.ignoreChanges),
        parent=request.parent,
        dependencies=frozenset(request.dependencies),
        provider=request.provider,
        import_id=request.importId,
        delete_before_replace=request.deleteBeforeReplace,
        retain_on_delete=request.retainOnDelete,
        secret_outputs=frozenset(request.additionalSecretOutputs),
        deleted_with=request.deletedWith,
        create_timeout=request.customTimeouts.create,
    )


@pytest.fixture
def loop() -> Iterator[None]:
    """Event loops of the test's own, closed in the end.

    Pulumi asks for the current one, which any `asyncio.run` before took away, and its mocks make one in each thread.
    """
    made: list[asyncio.AbstractEventLoop] = []

    def give_one() -> None:
        made.append(asyncio.new_event_loop())
        asyncio.set_event_loop(made[-1])

    give_one()
    with ThreadPoolExecutor(initializer=give_one) as executor:
        made[0].set_default_executor(executor)
        yield
    asyncio.set_event_loop(None)
    for each in made:
        each.close()


Provision = Callable[..., Recording]


@pytest.fixture
def computed() -> Computed:
    """What a cloud computes; a cloud's own conftest overrides it."""
    return lambda _kind, _name, _inputs: {}


@pytest.fixture
def provision(loop: None, computed: Computed) -> Provision:  # noqa: ARG001  # The loop is there before us.
    """Runs the program on the keys of a stack file, for example `provision(backend="gcp", gcp={"region": "x"})`."""

    def run(**keys: Any) -> Recording:
        chosen = loaded(keys)
        recording = Recording()
        recorder = Recorder(computed)
        mocks.set_mocks(recorder, preview=False, monitor=Monitor(recorder, recording))

        @pulumi.runtime.test  # type: ignore[untyped-decorator]  # Pulumi's own has no types.
        def build() -> pulumi.Output[None]:
            wrapped = {name: pulumi.Output.from_input(value) for name, value in backends.provision(chosen).outputs()}

            async def secrets() -> None:
                for name, output in wrapped.items():
                    if await output.is_secret():
                        recording.secret.add(name)

            return (
                pulumi.Output.all(**wrapped)
                .apply(recording.outputs.update)
                .apply(lambda _: pulumi.Output.from_input(secrets()))
            )

        build()
        return recording

    return run


def loaded(keys: Mapping[str, Any]) -> settings.Settings:
    """The settings of a stack file with these keys, as the engine hands them over, preflight passed."""
    texts = {f"{PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    chosen = settings.load(texts, project=PROJECT, stack="prod")
    preflight.require(chosen, project=PROJECT, stack="prod")
    return chosen
