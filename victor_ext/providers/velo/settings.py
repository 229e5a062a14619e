"""Velo's environments, and a client's options from the process environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.redaction import Secret
from victor_ext.runtime.client.environments import checked_environment
from victor_ext.runtime.http.connections import checked_base_url

from .auth import VeloAuth

ENVIRONMENTS: Mapping[str, str] = {
    "sandbox": "https://api.sandbox.velopayments.com",
    "production": "https://api.payouts.velopayments.com",
}
"""The hosts that Velo's document names: one with simulated money, one with real money."""

_HOSTS = {name: {httpx.URL(url).host} for name, url in ENVIRONMENTS.items()}


def environment_and_url(environment: object, base_url: str | httpx.URL | None) -> tuple[str, httpx.URL]:
    """The environment that is asked, and the URL to call: the caller's, checked, or the environment's.

    Raises:
        ConfigurationError: There is no such environment, the URL is none that a token may be sent to, or the two
            contradict each other.
    """
    url = None if base_url is None else checked_base_url(base_url)
    chosen = checked_environment(environment, url, _HOSTS, provider="Velo")
    return chosen, url or httpx.URL(ENVIRONMENTS[chosen])


def from_process_environment(options: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options of a client: those given, and what the `VELO_...` variables say of the others.

    An empty variable counts as not set.

    Raises:
        ConfigurationError: Key or secret are missing, or a value cannot be right.
    """
    source = os.environ if variables is None else variables
    values = {name: Secret(value) for name, value in source.items() if name.startswith("VELO_") and value.strip()}
    variables = source = {}  # no frame of ours shows them from here on
    found: dict[str, Any] = {}
    if "auth" not in options:
        missing = [name for name in ("VELO_API_KEY", "VELO_API_SECRET") if name not in values]
        if missing:
            raise ConfigurationError(f"{' and '.join(missing)} not set: Velo's back office issues both.")
        found["auth"] = VeloAuth(values["VELO_API_KEY"], values["VELO_API_SECRET"])
    if "environment" not in options and "VELO_ENVIRONMENT" in values:
        name = str(values["VELO_ENVIRONMENT"]).strip()
        if name not in ENVIRONMENTS:
            raise ConfigurationError(f"VELO_ENVIRONMENT is {name!r}: set it to {' or '.join(map(repr, ENVIRONMENTS))}.")
        found["environment"] = name
    if "base_url" not in options and "VELO_BASE_URL" in values:
        found["base_url"] = str(checked_base_url(str(values["VELO_BASE_URL"]).strip(), name="VELO_BASE_URL"))
    return {**found, **options}
