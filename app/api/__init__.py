"""What the API server adds around ADK's routes; `app.server` puts it together.

`layers` stand between a request and ADK: how much may run (`bounds`), who asks and for whose sessions (`entry`), what
it says (`content`); `sockets` holds websockets to the same. `storage` is where ADK keeps what it has, `lifetime` the
health and the end of a server, `telemetry` what is seen of it from outside.
"""
