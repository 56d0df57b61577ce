"""A production stack comes to life, and is left alone by what has nothing to change."""

from rehearsal.report.findings import Up
from rehearsal.run.life import Life, counted, expect


def preview(life: Life) -> str:
    """What production would make."""
    changes = life.commands.infra("preview")["changes"]
    expect(set(changes) == {"create"}, f"expected a stack that is only made, got {counted(changes)}")
    return counted(changes)


def up(life: Life) -> str:
    """Make it; `up` bootstraps the schema and tries it with ADK."""
    answer = life.commands.infra("up")
    changes, schema = answer["changes"], answer["schema"]
    expect(set(changes) == {"create"}, f"expected a stack that is only made, got {counted(changes)}")
    expect({"bootstrap", "verify"} <= set(schema), "expected `up` to bootstrap and verify the schema")
    return f"{changes['create']} made; {len(schema['bootstrap']['steps'])} steps to the schema"


def verify(life: Life) -> str:
    """As the app role, by the name of the cloud's host and its certificate."""
    answer = life.commands.session_db("verify")
    life.look("g1")
    return f"{answer['uri']} has {len(answer['tables'])} tables, and ADK writes to it"


def refresh(life: Life) -> str:
    """What a failover leaves is read into the state, and nothing is to change then."""
    read = life.commands.infra("refresh")["changes"]
    return f"read {counted(read)}; {_unchanged(life, 'preview', 'the failover')}"


def again_after_retirement(life: Life) -> str:
    """A second `up`."""
    return _unchanged(life, "up", "restore, switch and retirement")


def again_after_rotation(life: Life) -> str:
    """And a third."""
    return _unchanged(life, "up", "the rotation")


def _unchanged(life: Life, verb: str, after: str) -> str:
    changes = life.commands.infra(verb)["changes"]
    life.findings.unchanged.append(Up(after, changes))
    return counted(changes)
