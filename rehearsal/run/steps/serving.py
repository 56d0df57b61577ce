"""The API server on the stack's database, and a conversation that outlives it."""

from typing import Final

from rehearsal.run.life import Life

_TURNS: Final = 4


def serve(life: Life) -> str:
    """Talk to the agent, restart the server, and find the conversation again."""
    life.serve()
    life.conversation.begin(life.http)
    for number in range(_TURNS):
        life.conversation.say(life.http, f"turn {number + 1}")
    life.serve()
    kept = life.served("a restart")
    return f"turns found after a restart: {kept.told}"
