"""What a request may say: the same to whoever reads it, and nothing that a database cannot keep."""
