"""One package for each kind of database, all of the same shape, and the choice among them."""
