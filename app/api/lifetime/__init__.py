"""How a server says that it is well, and how it ends."""
