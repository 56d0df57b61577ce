"""The session tables as SQLAlchemy metadata: one module for each layout, and the comparison with what is there."""
