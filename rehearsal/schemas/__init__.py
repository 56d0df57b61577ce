"""A provider's schema, derived at run time from the installed SDK's classes.

kinds.py     the types of values: scalars, enums, lists, maps, objects, unions
sdk.py       a type token's classes in a package, and its inputs, outputs and secrets
judge.py     holds a tree of inputs to a schema
"""
