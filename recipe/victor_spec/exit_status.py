"""With what a command ends."""

COMPLETE = 0
INCOMPLETE = 1
"""Something is missing or breaks, or a person has to decide."""
MISUSE = 2
"""A wrong command line, or a document that cannot be read: nothing was done."""
INTERRUPTED = 130
"""Ctrl-C, as in shells."""
