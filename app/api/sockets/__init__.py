"""Websockets: many messages in one request, each held to what a request is held to."""
