"""One whole rehearsal: the life of a production stack, by the commands that an operator types."""
