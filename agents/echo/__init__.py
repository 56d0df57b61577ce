"""The sample agent, found by ADK by the name of its folder."""

from . import agent

__all__ = ["agent"]
