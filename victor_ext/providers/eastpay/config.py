"""From the arguments of `EastPay` and `AsyncEastPay` to their parts."""

from __future__ import annotations

from typing import Any

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.runtime.auth.stored_credentials import caller_digest, checked_secret
from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.client.config import ClientConfig
from victor_ext.runtime.loop.clock import ServerClock

from .profile import profile_of
from .settings import Entity, checked_gateway

_TOKEN_LENGTHS = range(32, 2049)


def eastpay_parts(token: object, *, base_url: object, entity: Entity, **limits: Any) -> ClientConfig:
    """Everything of a client but its sockets.

    Args:
        token: The access token.
        base_url: The bank's gateway.
        entity: For whom payments are made.
        limits: `timeout`, `deadline`, `retry` and `on_event`, as of `ClientConfig`.

    Raises:
        ConfigurationError: One of them cannot work.
    """
    url = checked_gateway(base_url)
    secret = checked_secret("token", token, source="the bank's back office (account data)")
    if len(secret) not in _TOKEN_LENGTHS:
        raise ConfigurationError("token must have 32 to 2048 characters: copy it whole from the bank's back office.")
    return ClientConfig(
        profile=profile_of(url),
        authenticator=FixedToken(f"Bearer {secret}"),
        base_url=url,
        caller=caller_digest(f"{url.host} {entity.id}", product="eastpay"),
        about=entity,
        product=PRODUCT,
        clock=ServerClock(),
        **limits,
    )
