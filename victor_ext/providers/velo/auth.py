"""Key and secret for a bearer token of half an hour."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from victor_ext.redaction import Secret, concealed
from victor_ext.runtime.auth.oauth import IssuedToken, OAuthToken, header_value
from victor_ext.runtime.auth.stored_credentials import UnpicklableCredentials, caller_digest, checked_secret
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.flow import Lock

TOKEN_PATH = "/v1/authenticate"  # noqa: S105 - a path, not a secret
_LONGEST = 1e9
"""Seconds that a token can be believed to live."""
_SOURCE = "what Velo's back office gave you"


class VeloAuth(UnpicklableCredentials):
    """API key and secret: Velo issues a token for them, which is kept until shortly before it ends.

    They are sent as user and password of Basic, with an empty body, to `/v1/authenticate` alone. (The address that
    Velo's own document names for it, `/v1/login`, is none of its paths.) However many threads or tasks ask, the token
    is fetched once. There is no refresh: when a token ends, or is refused, the next one is asked for in the same way.

    Args:
        api_key: The API key.
        api_secret: Its secret.

    Raises:
        ConfigurationError: One of them is empty or not text, or the key has a colon, which Basic cannot carry.
    """

    def __init__(self, api_key: str, api_secret: str) -> None:
        # Whatever is raised from here on, no frame of ours shows them.
        api_key, api_secret = map(concealed, (api_key, api_secret))
        self._api_key = checked_secret("api_key", api_key, source=_SOURCE)
        self._api_secret = checked_secret("api_secret", api_secret, source=_SOURCE)
        if ":" in self._api_key:
            from victor_ext.errors import ConfigurationError  # noqa: PLC0415 - the one place that needs it

            raise ConfigurationError("api_key holds a colon: pass key and secret as two arguments.")

    @property
    def caller(self) -> str:
        """A digest of the API key: it tells two callers apart, and does not tell who they are."""
        return caller_digest(self._api_key, product="velo")

    def __repr__(self) -> str:
        return "VeloAuth(api_key='[hidden]', api_secret='[hidden]')"

    def authenticator(self, environment: str, base_url: httpx.URL, clock: ServerClock, lock: Lock) -> OAuthToken:
        """A token cache of the client's own."""
        url = base_url.copy_with(
            path=base_url.path.rstrip("/") + TOKEN_PATH, params={"grant_type": "client_credentials"}
        )

        def ask() -> httpx.Request:
            pair = Secret(f"{self._api_key}:{self._api_secret}")
            basic = Secret("Basic " + base64.b64encode(pair.encode()).decode())
            headers = {"authorization": basic, "accept": "application/json", "content-type": "application/json"}
            return httpx.Request("POST", url, headers=headers, content=b"")

        hint = (
            f"Check VeloAuth(api_key, api_secret): {environment} was asked, and keys of one environment are not valid "
            "in the other."
        )
        return OAuthToken(ask, issued_token, clock, lock, hint=hint)


def issued_token(body: dict[str, Any], now: float) -> IssuedToken | None:
    """Read `{access_token, token_type, expires_in}`; `expires_in` is in seconds from now. None without a token.

    A token that does not say how long it lives is kept until it is refused.
    """
    # Velo calls the type `bearer` in its answer, and writes `Bearer` in what it shows of requests.
    header = header_value("Bearer", body.get("access_token"))
    return None if header is None else IssuedToken(header, _end(body.get("expires_in"), now), now)


def _end(lives: object, now: float) -> float | None:
    if isinstance(lives, bool) or not isinstance(lives, int | float) or not 0 < lives < _LONGEST:
        return None
    return now + lives
