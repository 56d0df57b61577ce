"""The layers between a request and ADK, in the order in which a request meets them."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from app.api.bounds import crowd, limits
from app.api.bounds.bodies import Bodies
from app.api.bounds.rates import Rate, Rates
from app.api.content import targets, words
from app.api.content.documents import Reader
from app.api.door import Door
from app.api.entry import access, users


def install(app: FastAPI, entry: access.Access, asked: limits.Limits, read: Reader) -> None:
    """Put the layers around ADK's routes, inside ADK's own: CORS and host check answer browsers first.

    Args:
        app: ADK's app.
        entry: Who may come in.
        asked: How much one client may ask.
        read: Reads bodies.

    Raises:
        InvalidSettingError: A file that the settings name cannot be used.
    """
    words.install(app)
    targets.install(app)
    rates = Rates(asked)
    app.user_middleware += [
        Middleware(limits.Heads),
        Middleware(crowd.Crowd, limits=asked),
        Middleware(targets.Targets),
        Middleware(Door, tokens=access.tokens_of(entry), rates=rates, loopback=entry.access == "loopback"),
        Middleware(Rate, rates=rates),
        Middleware(crowd.Share, limits=asked),
        Middleware(users.Gate, routes=app),
        Middleware(Bodies, limits=asked),
        Middleware(words.Words, read=read),
        Middleware(users.Owners),
    ]
