"""Opens psql on a session database, through the cloud's own proxy or tunnel where there is no other way to it."""
