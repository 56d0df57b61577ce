"""Real PostgreSQL servers on this machine: what the tests stand on. Knows neither half of the project."""
