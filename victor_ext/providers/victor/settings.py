"""The provider's environments, and client options from environment variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.auth.credentials import checked_secret
from victor_ext.runtime.client.settings import options_from, require_variables

from .auth import SOURCE, Credentials, VictorJwt, VictorOAuth, key_source

_BOTH_KINDS = (
    "Set VICTOR_API_KEY with VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE, or set VICTOR_CLIENT_ID with "
    "VICTOR_CLIENT_SECRET."
)
_OAUTH = ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
_PASSWORD = "VICTOR_PRIVATE_KEY_PASSWORD"  # noqa: S105 - the name of a variable

ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "staging": ["https://api.stage.victorfi.com"],
    "production": ["https://api.victorfi.com"],
}
VERSION = "v2"


def _auth(values: Mapping[str, str]) -> Credentials:
    jwt = [name for name in ("VICTOR_API_KEY", "VICTOR_PRIVATE_KEY", "VICTOR_PRIVATE_KEY_FILE") if name in values]
    oauth = [name for name in _OAUTH if name in values]
    if jwt and oauth:
        raise ConfigurationError(
            f"Two kinds of credentials are set ({', '.join(jwt + oauth)}): keep VICTOR_CLIENT_ID and "
            "VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with a private key, and unset the others."
        )
    if oauth:
        require_variables(values, *_OAUTH, hint=_BOTH_KINDS)
        # Checked here, so that messages contain the variables' names.
        return VictorOAuth(*(checked_secret(name, values[name], source=SOURCE) for name in _OAUTH))
    if "VICTOR_PRIVATE_KEY" in values and "VICTOR_PRIVATE_KEY_FILE" in values:
        raise ConfigurationError("VICTOR_PRIVATE_KEY and VICTOR_PRIVATE_KEY_FILE are both set: unset one of them.")
    is_file = "VICTOR_PRIVATE_KEY_FILE" in values
    variable = "VICTOR_PRIVATE_KEY_FILE" if is_file else "VICTOR_PRIVATE_KEY"
    require_variables(values, "VICTOR_API_KEY", variable, hint=_BOTH_KINDS)
    key = Path(str(values[variable])) if is_file else values[variable]
    source = key_source(key, password=values.get(_PASSWORD), name=variable, opened_with=_PASSWORD)
    return VictorJwt(checked_secret("VICTOR_API_KEY", values["VICTOR_API_KEY"], source=SOURCE), source)


from_process_environment = partial(
    options_from, "VICTOR_", environments=ENVIRONMENTS, versions=[VERSION], exact=[_PASSWORD], auth=_auth
)


def credentials_in(variables: Mapping[str, str]) -> str:
    """Say which credentials the variables hold: their kind, and the end of the public part's name."""
    oauth = variables.get("VICTOR_CLIENT_ID", "").strip()
    kind = "OAuth client" if oauth else "API key with a private key that can be read,"
    name = oauth or variables.get("VICTOR_API_KEY", "").strip()
    return f"{kind} {'...' + name[-4:] if len(name) > 8 else ''}".rstrip(" ,")
