"""What an administrator does: look, map, decide about people who wait, set up, be accounted for.

Each verb is a function that takes the `Office` and plain values, and answers with a frozen
dataclass: the doors only parse and answer. Nothing here speaks to the world but through the
office's ports.
"""
