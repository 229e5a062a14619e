"""FlexFactor's hosts, and the settings of a client in arguments or the process environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.client.settings import environment_and_url, options_from, require_variables
from victor_ext.runtime.core.validation import shown
from victor_ext.words import Word

from .auth import FlexFactorAuth, FlexFactorToken

EnvironmentWord = Literal["sandbox", "production"] | Word
HostsWord = Literal["flex-charge", "flexfactor"] | Word

HOSTS: Mapping[str, Mapping[str, str]] = {
    "flex-charge": {
        "sandbox": "https://api-sandbox.flex-charge.com",
        "production": "https://api.flex-charge.com",
    },
    "flexfactor": {
        "sandbox": "https://api-sandbox.flexfactor.io",
        "production": "https://api.flexfactor.io",
    },
}
"""By the name that the provider goes by, and by environment.

The provider's page "Payment" lists the first pair under "Endpoints". Some of its newer pages have the second.
"""

DEFAULT_HOSTS: Final = "flex-charge"

GUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def checked_place(environment: object, hosts: object, base_url: str | httpx.URL | None) -> tuple[str, httpx.URL]:
    """The environment, and the URL to call. Raises `ConfigurationError`."""
    if not isinstance(hosts, str) or hosts not in HOSTS:
        raise ConfigurationError(f"hosts={shown(hosts)} is unknown: write {' or '.join(map(repr, HOSTS))}.")
    urls = {name: (HOSTS[hosts][name], *(pair[name] for pair in HOSTS.values())) for name in HOSTS[hosts]}
    return environment_and_url(environment, base_url, urls, "v1", provider="FlexFactor")


class Merchant(NamedTuple):
    """The merchant that a client acts for; both ids are GUIDs."""

    mid: str
    site_id: str | None


def merchant_of(mid: object, site_id: object) -> Merchant:
    """The merchant of these ids. Raises `ConfigurationError`."""
    return Merchant(_guid("mid", mid), None if site_id is None else _guid("site_id", site_id))


def _guid(name: str, value: object) -> str:
    if isinstance(value, str) and GUID.fullmatch(value.strip()):
        return str(value.strip())
    # The message does not show the value, which may be the secret by mistake.
    raise ConfigurationError(f"{name} must be a GUID as text, such as '3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71'.")


def from_process_environment(options: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options of a client, from the variables `FLEXFACTOR_...` where they are not given. See `options_from`."""
    texts = ("site_id", "environment", "hosts", "base_url")
    return options_from("FLEXFACTOR_", options, variables, texts=texts, versions=("v1",), auth=_auth, mid=_mid)


_KEY, _SECRET, _TOKEN, _MID = (f"FLEXFACTOR_{name}" for name in ("APP_KEY", "APP_SECRET", "TOKEN", "MID"))
_HINT = (
    f"Set {_KEY}, {_SECRET} (or {_TOKEN} in place of both) and {_MID}; FLEXFACTOR_SITE_ID, FLEXFACTOR_ENVIRONMENT, "
    "FLEXFACTOR_HOSTS and FLEXFACTOR_BASE_URL may be left out."
)


def _auth(values: Mapping[str, str]) -> FlexFactorAuth | FlexFactorToken:
    if _TOKEN in values and (_KEY in values or _SECRET in values):
        raise ConfigurationError(f"{_TOKEN} and {_KEY} or {_SECRET} are set: set one kind of credentials alone.")
    if _TOKEN in values:
        return FlexFactorToken(values[_TOKEN])
    require_variables(values, _KEY, _SECRET, hint=_HINT)
    return FlexFactorAuth(values[_KEY], values[_SECRET])


def _mid(values: Mapping[str, str]) -> str:
    require_variables(values, _MID, hint=_HINT)
    return str(values[_MID])
