"""The steps of a rehearsal: each runs real commands, adds to what was found, and tells in a line what came of it."""
