"""Where the password of the app role comes from: the URI, a file, a secret store or a cloud's tokens."""
