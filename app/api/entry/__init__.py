"""Who may come in, and whose sessions are theirs."""
