"""The provider's hosts, and a client's settings from arguments or the process environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.redaction import Secret
from victor_ext.runtime.client.settings import checked_environment
from victor_ext.runtime.client.validation import shown
from victor_ext.runtime.http.connections import checked_base_url

from .auth import FlexFactorAuth

HOSTS: Mapping[str, Mapping[str, str]] = {
    "flexfactor": {
        "sandbox": "https://api-sandbox.flexfactor.io",
        "production": "https://api.flexfactor.io",
    },
    "flex-charge": {
        "sandbox": "https://api-sandbox.flex-charge.com",
        "production": "https://api.flex-charge.com",
    },
}
"""By the name that the provider goes by, and by environment. Its pages use both pairs; the first is the newer one."""

GUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PREFIX = "FLEXFACTOR_"

_HOSTS = {name: {httpx.URL(pair[name]).host for pair in HOSTS.values()} for name in HOSTS["flexfactor"]}


def environment_and_url(environment: object, hosts: object, base_url: str | httpx.URL | None) -> tuple[str, httpx.URL]:
    """The environment that is asked, and the URL to call: the caller's, checked, or the environment's.

    Raises:
        ConfigurationError: An environment or hosts of no known name, a URL that cannot be called, or one of the other
            environment.
    """
    if not isinstance(hosts, str) or hosts not in HOSTS:
        raise ConfigurationError(f"hosts={shown(hosts)} is unknown: write {' or '.join(map(repr, HOSTS))}.")
    url = None if base_url is None else checked_base_url(base_url)
    if url is not None and url.path.rstrip("/").endswith("/v1"):
        raise ConfigurationError(f"base_url {str(url)!r}: leave /v1 out, every path of the API begins with it.")
    chosen = checked_environment(environment, url, _HOSTS, provider="FlexFactor")
    return chosen, url or httpx.URL(HOSTS[hosts][chosen])


class Merchant(NamedTuple):
    """For whom a client acts; both are GUIDs."""

    mid: str
    site_id: str | None


def merchant_of(mid: object, site_id: object) -> Merchant:
    """The merchant of these ids. Raises `ConfigurationError`."""
    return Merchant(_guid("mid", mid), None if site_id is None else _guid("site_id", site_id))


def _guid(name: str, value: object) -> str:
    if isinstance(value, str) and GUID.fullmatch(value.strip()):
        return str(value.strip())
    # Without the value: by mistake it may be the secret.
    raise ConfigurationError(f"{name} must be a GUID as text, such as '3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71'.")


def from_process_environment(options: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options of a client: those given, and what the `FLEXFACTOR_...` variables say of the others.

    An empty variable counts as not set.

    Raises:
        ConfigurationError: A variable that is needed is not set.
    """
    values = _set_variables(os.environ if variables is None else variables)
    variables = None  # no frame of ours shows them from here on
    found: dict[str, Any] = {}
    if "auth" not in options:
        _require(values, "APP_KEY", "APP_SECRET")
        found["auth"] = FlexFactorAuth(values[f"{_PREFIX}APP_KEY"], values[f"{_PREFIX}APP_SECRET"])
    if "mid" not in options:
        _require(values, "MID")
    for name in ("mid", "site_id", "environment", "hosts", "base_url"):
        variable = f"{_PREFIX}{name.upper()}"
        if variable in values:
            found[name] = str(values[variable])
    return {**found, **options}


def _set_variables(source: Mapping[str, str]) -> dict[str, str]:
    return {name: Secret(value.strip()) for name, value in source.items() if name.startswith(_PREFIX) and value.strip()}


def _require(values: Mapping[str, str], *names: str) -> None:
    missing = [f"{_PREFIX}{name}" for name in names if f"{_PREFIX}{name}" not in values]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. Set {_PREFIX}APP_KEY, "
            f"{_PREFIX}APP_SECRET and {_PREFIX}MID; {_PREFIX}SITE_ID, {_PREFIX}ENVIRONMENT, {_PREFIX}HOSTS and "
            f"{_PREFIX}BASE_URL may be left out."
        )
