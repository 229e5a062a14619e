"""A client that prepares payment requests, for outboxes that have none of Victor's."""

from functools import cache

from victor_ext import Victor, VictorOAuth


@cache
def preparer() -> Victor:
    """It has no credentials, and sends nothing."""
    return Victor(VictorOAuth("no-client-id", "no-client-secret"))
