"""From the arguments of `Velo` and `AsyncVelo` to their parts."""

from __future__ import annotations

from typing import Any

import httpx

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.redaction import kind_of
from victor_ext.runtime.client.config import ClientConfig
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.flow import Lock

from .auth import VeloAuth
from .profile import profile_of
from .settings import environment_and_url


def velo_parts(
    auth: VeloAuth, *, environment: str, base_url: str | httpx.URL | None, lock: Lock, **limits: Any
) -> ClientConfig:
    """Everything of a client of Velo but its sockets.

    Args:
        auth: Its credentials.
        environment: `"sandbox"` or `"production"`.
        base_url: Another URL than the environment's.
        lock: A lock of the world, blocking or awaited, that the client lives in.
        limits: `timeout`, `deadline`, `retry` and `on_event`, as of `ClientConfig`.

    Raises:
        ConfigurationError: One of them cannot work.
    """
    if not isinstance(auth, VeloAuth):
        raise ConfigurationError(f"auth must be VeloAuth(api_key, api_secret), not {kind_of(auth)}.")
    name, url = environment_and_url(environment, base_url)
    clock = ServerClock()
    return ClientConfig(
        profile=profile_of(name, url),
        authenticator=auth.authenticator(name, url, clock, lock),
        base_url=url,
        environment=name,
        product=PRODUCT,
        caller=auth.caller,
        clock=clock,
        **limits,
    )
