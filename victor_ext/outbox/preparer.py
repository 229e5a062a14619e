"""A client that prepares payment requests, for outboxes without a client of Victor's."""

from functools import cache

from victor_ext import Victor, VictorOAuth


@cache
def preparer() -> Victor:
    """A client of Victor's without credentials, to check and prepare calls: it sends nothing."""
    return Victor(VictorOAuth("no-client-id", "no-client-secret"))
