"""What the three clouds' backends share: passwords, the URI, and how generations of a server go together."""
