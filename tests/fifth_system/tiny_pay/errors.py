"""As in a generated package."""


class UnexpectedStatus(Exception):
    """A status that the document does not list."""
