"""How a database is reached: directly, or through programs of its cloud."""
