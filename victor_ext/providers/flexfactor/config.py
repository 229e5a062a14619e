"""From the arguments of `FlexFactor` and `AsyncFlexFactor` to their parts."""

from __future__ import annotations

from typing import Any

import httpx

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.runtime.client.config import ClientConfig
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.flow import Lock

from .auth import FlexFactorAuth
from .profile import profile_of
from .settings import HOSTS, Merchant, environment_and_url


def flexfactor_parts(
    auth: FlexFactorAuth,
    *,
    merchant: Merchant,
    environment: str,
    hosts: str,
    base_url: str | httpx.URL | None,
    lock: Lock,
    **limits: Any,
) -> ClientConfig:
    """Everything of a client of FlexFactor but its sockets.

    Args:
        auth: Its credentials.
        merchant: For whom it acts.
        environment: `"sandbox"` or `"production"`.
        hosts: Which pair of hosts.
        base_url: Another URL than theirs.
        lock: A lock of the world, blocking or awaited, that the client lives in.
        limits: `timeout`, `deadline`, `retry` and `on_event`, as of `ClientConfig`.

    Raises:
        ConfigurationError: One of them cannot work.
    """
    if not isinstance(auth, FlexFactorAuth):
        raise ConfigurationError(f"auth must be FlexFactorAuth(app_key, app_secret), not {type(auth).__name__}.")
    name, url = environment_and_url(environment, hosts, base_url)
    own = url == httpx.URL(HOSTS[hosts][name])
    clock = ServerClock()
    return ClientConfig(
        profile=profile_of(name, "" if own else str(url)),
        authenticator=auth.authenticator(name, url, clock, lock),
        base_url=url,
        environment=name,
        product=PRODUCT,
        caller=auth.caller,
        clock=clock,
        about=merchant,
        **limits,
    )
