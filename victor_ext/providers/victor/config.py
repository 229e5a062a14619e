"""From the arguments of `Victor` and `AsyncVictor` to their parts."""

from __future__ import annotations

from typing import Any

import httpx

from victor_ext._version import PRODUCT
from victor_ext.errors import ConfigurationError
from victor_ext.redaction import kind_of
from victor_ext.runtime.client.config import ClientConfig
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.flow import Lock

from .auth import Credentials
from .profile import profile_of
from .settings import environment_and_url


def victor_parts(
    auth: Credentials, *, environment: str, base_url: str | httpx.URL | None, lock: Lock, **limits: Any
) -> ClientConfig:
    """Everything of a client of this provider but its sockets.

    Args:
        auth: Its credentials.
        environment: `"staging"` or `"production"`.
        base_url: Another URL than the environment's.
        lock: A lock of the world, blocking or awaited, that the client lives in.
        limits: `timeout`, `deadline`, `retry` and `on_event`, as of `ClientConfig`.

    Raises:
        ConfigurationError: One of them cannot work.
    """
    if isinstance(auth, type) or not callable(getattr(auth, "authenticator", None)):
        raise ConfigurationError(
            f"auth must be VictorJwt(api_key, private_key) or VictorOAuth(client_id, client_secret), not "
            f"{'the class itself' if isinstance(auth, type) else kind_of(auth)}."
        )
    world, url = environment_and_url(environment, base_url)
    clock = ServerClock()
    return ClientConfig(
        profile=profile_of(world, url),
        authenticator=auth.authenticator(world, url, clock, lock),
        base_url=url,
        environment=world.name,
        product=PRODUCT,
        caller=getattr(auth, "caller", None),
        clock=clock,
        **limits,
    )
