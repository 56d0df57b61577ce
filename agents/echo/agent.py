"""An agent without a model: it repeats what it hears and counts the turns in the session's state."""

from collections.abc import AsyncGenerator

from google.adk.agents import BaseAgent, InvocationContext
from google.adk.events import Event, EventActions
from google.genai.types import Content, Part


class EchoAgent(BaseAgent):
    """Answers the same to the same words, so that a newcomer and a test know what to expect."""

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        parts = (ctx.user_content.parts if ctx.user_content else None) or []
        heard = " ".join(part.text for part in parts if part.text)
        counted = ctx.session.state.get("turns")
        turns = counted + 1 if isinstance(counted, int) else 1  # A client may have put anything there.
        yield Event(
            invocation_id=ctx.invocation_id,
            author=self.name,
            content=Content(role="model", parts=[Part(text=f"You said: {heard}")]),
            actions=EventActions(state_delta={"turns": turns}),
        )


root_agent = EchoAgent(name="echo", description="Repeats what it hears.")
