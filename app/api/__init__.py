"""What the API server adds around ADK's routes, one concern a module; `app.server` puts them together."""
