"""Every backend exports the same record, its secrets wrapped."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from infra import backends, contract
from infra.settings import Settings

RECORD = {
    *("session_db_uri", "admin_db_uri", "backend", "engine_version", "region", "host", "port", "database", "user"),
    *(
        "instance",
        "auth",
        "ca_certificate",
        "secret_ref",
        "availability",
        "backup_policy",
        "runbook",
        "servers",
        "waivers",
    ),
}


class Recorded(pulumi.runtime.Mocks):
    """Stands in for the engine: every resource gets what it asked for."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Answer with the inputs."""
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """No backend looks anything up."""
        raise AssertionError(args.token)


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


@pytest.fixture(params=["sqlite"])
def outputs(request: pytest.FixtureRequest, loop: None) -> dict[str, object]:  # noqa: ARG001  # Ordered before us.
    """The outputs of a backend with default settings, as (value, is it secret)."""
    mocks.set_mocks(Recorded(), preview=False)
    found: dict[str, object] = {}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # Pulumi's own has no types.
    def build() -> pulumi.Output[None]:
        record = backends.provision(Settings(backend=request.param))
        wrapped = {name: pulumi.Output.from_input(value) for name, value in record.outputs()}

        def keep(values: dict[str, object]) -> None:
            found.update(values)

        async def secrets() -> None:
            for name, output in wrapped.items():
                found[f"{name} is secret"] = await output.is_secret()

        return pulumi.Output.all(**wrapped).apply(keep).apply(lambda _: pulumi.Output.from_input(secrets()))

    build()
    return found


def test_the_record_is_the_whole_record_and_nothing_else(outputs: dict[str, object]) -> None:
    """Whatever reads it works on every backend."""
    assert {name for name in outputs if not name.endswith(" is secret")} == RECORD
    assert {field.name for field in fields(contract.SessionDatabase)} == RECORD


def test_the_uris_are_secret_and_nothing_else_is(outputs: dict[str, object]) -> None:
    """People need the rest in clear."""
    assert {name.split()[0] for name in outputs if name.endswith(" is secret") and outputs[name]} == contract.SECRET


def test_the_runbook_answers_every_question_of_a_night_on_call(outputs: dict[str, object]) -> None:
    """Connect, restore, fail over, rotate: a command or the reason why there is none."""
    runbook = outputs["runbook"]
    assert isinstance(runbook, dict)
    assert set(runbook) == {"connect", "restore", "failover", "rotate"}
    assert all(runbook.values())


def test_the_sqlite_uri_is_absolute(outputs: dict[str, object]) -> None:
    """It serves from whichever folder a process runs in; owner and app role are one."""
    assert str(outputs["session_db_uri"]).startswith("sqlite:////")
    assert str(outputs["session_db_uri"]).endswith("/data/sessions/sessions.db")
    assert outputs["admin_db_uri"] == outputs["session_db_uri"]
