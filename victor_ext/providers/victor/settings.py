"""The provider's environments, and client options from environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.privacy import Secret
from victor_ext.runtime.auth.credentials import checked_secret
from victor_ext.runtime.client.settings import environment_and_url, require_variables, unversioned_url

from .auth import Credentials, Environment, VictorJwt, VictorOAuth, key_source

CREATE_PATH = "/v2/payment-requests/request-payment"
TOKEN_PATH = "/v2/auth/token"  # noqa: S105 - a path, not a secret
_BOTH_KINDS = (
    "Set VICTOR_API_KEY with VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE, or set VICTOR_CLIENT_ID with "
    "VICTOR_CLIENT_SECRET."
)
_PASSWORD = "VICTOR_PRIVATE_KEY_PASSWORD"  # noqa: S105 - the name of a variable


ENVIRONMENTS: Mapping[str, Environment] = {
    "staging": Environment("staging", "https://api.stage.victorfi.com", 3600),
    "production": Environment("production", "https://api.victorfi.com", 300),
}


def checked_place(environment: object, base_url: str | httpx.URL | None) -> tuple[Environment, httpx.URL]:
    """The environment, and the URL to call. Raises `ConfigurationError`."""
    urls = {name: [known.base_url] for name, known in ENVIRONMENTS.items()}
    name, url = environment_and_url(environment, base_url, urls, "v2", provider="Victor")
    return ENVIRONMENTS[name], url


def from_process_environment(options: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the given options of a client, with missing ones from the `VICTOR_...` variables.

    Empty variables are ignored. `variables` None: the process environment.

    Raises:
        ConfigurationError: Credentials are missing, two kinds are set, or a value is invalid.
    """
    values = _set_variables(os.environ if variables is None else variables)
    variables = None  # tracebacks must not show the secrets
    readers: dict[str, Callable[[Mapping[str, str]], object]] = {
        "auth": _auth, "environment": _environment, "base_url": _base_url,
    }  # fmt: skip
    return {**{name: read(values) for name, read in readers.items() if name not in options}, **options}


def _set_variables(source: Mapping[str, str]) -> dict[str, str]:
    return {name: Secret(value) for name, value in source.items() if name.startswith("VICTOR_") and value.strip()}


def _auth(values: Mapping[str, str]) -> Credentials:
    jwt: list[str] = [
        name for name in ("VICTOR_API_KEY", "VICTOR_PRIVATE_KEY", "VICTOR_PRIVATE_KEY_FILE") if name in values
    ]
    oauth: list[str] = [name for name in ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET") if name in values]
    if jwt and oauth:
        raise ConfigurationError(
            f"Two kinds of credentials are set ({', '.join(jwt + oauth)}): keep VICTOR_CLIENT_ID and "
            "VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with a private key, and unset the others."
        )
    return _oauth(values) if oauth else _jwt(values)


def _environment(values: Mapping[str, str]) -> str:
    name = str(values.get("VICTOR_ENVIRONMENT", "staging")).strip()
    if name not in ENVIRONMENTS:
        raise ConfigurationError(f"VICTOR_ENVIRONMENT is {name!r}: set it to {' or '.join(map(repr, ENVIRONMENTS))}.")
    return name


def _base_url(values: Mapping[str, str]) -> str | None:
    url = values.get("VICTOR_BASE_URL")
    return None if url is None else str(unversioned_url(str(url).strip(), "v2", name="VICTOR_BASE_URL"))


def _oauth(values: Mapping[str, str]) -> VictorOAuth:
    require_variables(values, "VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET", hint=_BOTH_KINDS)
    client_id, client_secret = (
        checked_secret(name, values[name], source="the client portal")
        for name in ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
    )
    return VictorOAuth(client_id, client_secret)


def _jwt(values: Mapping[str, str]) -> VictorJwt:
    if "VICTOR_PRIVATE_KEY" in values and "VICTOR_PRIVATE_KEY_FILE" in values:
        raise ConfigurationError("VICTOR_PRIVATE_KEY and VICTOR_PRIVATE_KEY_FILE are both set: unset one of them.")
    password = values.get(_PASSWORD)
    variable: str
    key: str | Path
    if "VICTOR_PRIVATE_KEY_FILE" in values:
        require_variables(values, "VICTOR_API_KEY", hint=_BOTH_KINDS)
        variable, key = "VICTOR_PRIVATE_KEY_FILE", Path(str(values["VICTOR_PRIVATE_KEY_FILE"]))
    else:
        require_variables(values, "VICTOR_API_KEY", "VICTOR_PRIVATE_KEY", hint=_BOTH_KINDS)
        variable, key = "VICTOR_PRIVATE_KEY", values["VICTOR_PRIVATE_KEY"]
    # Checked here so that messages contain the variables' names.
    api_key = checked_secret("VICTOR_API_KEY", values["VICTOR_API_KEY"], source="the client portal")
    return VictorJwt(api_key, key_source(key, password=password, name=variable, opened_with=_PASSWORD))


def credentials_in(variables: Mapping[str, str]) -> str:
    """Say which credentials the variables hold: their kind, and the end of the public part's name."""
    oauth = variables.get("VICTOR_CLIENT_ID", "").strip()
    kind = "OAuth client" if oauth else "API key with a private key that can be read,"
    name = oauth or variables.get("VICTOR_API_KEY", "").strip()
    return f"{kind} {'...' + name[-4:] if len(name) > 8 else ''}".rstrip(" ,")
