"""The cloud of a rehearsal: one process that owns its servers, remembers all else, and speaks the vendors' HTTP."""
