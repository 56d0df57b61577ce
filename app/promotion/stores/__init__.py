"""A database to promote from or to: what each kind of it can do, all of the same shape."""
