"""Velo's environments, and the settings of a client in the process environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.client.settings import (
    environment_and_url,
    provider_variables,
    require_variables,
    unversioned_url,
)

from .auth import VeloAuth

ENVIRONMENTS: Mapping[str, str] = {
    "sandbox": "https://api.sandbox.velopayments.com",
    "production": "https://api.payouts.velopayments.com",
}
"""The hosts that Velo's document names: one with simulated money, one with real money."""


def checked_place(environment: object, base_url: str | httpx.URL | None) -> tuple[str, httpx.URL]:
    """The environment, and the URL to call. Raises `ConfigurationError`."""
    urls = {name: [url] for name, url in ENVIRONMENTS.items()}
    return environment_and_url(environment, base_url, urls, "v1", "v2", "v3", "v4", provider="Velo")


def from_process_environment(options: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options of a client: those given, and for the others the variables `VELO_...`.

    An empty variable counts as not set.

    Raises:
        ConfigurationError: Key or secret are missing, or a value cannot be right.
    """
    values = provider_variables("VELO_", variables)
    variables = None  # a traceback shows no frame with the bare values
    from_variables: dict[str, Any] = {}
    if "auth" not in options:
        require_variables(values, "VELO_API_KEY", "VELO_API_SECRET", hint="Velo's back office issues both.")
        from_variables["auth"] = VeloAuth(values["VELO_API_KEY"], values["VELO_API_SECRET"])
    if "environment" not in options and "VELO_ENVIRONMENT" in values:
        name = str(values["VELO_ENVIRONMENT"])
        if name not in ENVIRONMENTS:
            raise ConfigurationError(f"VELO_ENVIRONMENT is {name!r}: set it to {' or '.join(map(repr, ENVIRONMENTS))}.")
        from_variables["environment"] = name
    if "base_url" not in options and "VELO_BASE_URL" in values:
        from_variables["base_url"] = str(unversioned_url(str(values["VELO_BASE_URL"]), name="VELO_BASE_URL"))
    return {**from_variables, **options}
