"""The clouds: what each calls things, what it refuses and in which words, and its HTTP."""
