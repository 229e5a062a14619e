"""AppKey and AppSecret, exchanged for a bearer token that lives for ten minutes."""

from __future__ import annotations

import math
from typing import Any

import httpx

from victor_ext.redaction import concealed
from victor_ext.runtime.auth.oauth import IssuedToken, OAuthToken, header_value
from victor_ext.runtime.auth.stored_credentials import UnpicklableCredentials, caller_digest, checked_secret
from victor_ext.runtime.auth.tokens import Authenticator
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.flow import Lock

TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 - a path, not a secret

_SMALLEST_MILLISECONDS = 1e11
"""The smallest number that is taken for milliseconds (the year 1973); in seconds it would be the year 5138."""

_LATEST = 7_258_118_400.0
"""The year 2200, in seconds: no token lives longer, so a larger number is not believed."""


class FlexFactorAuth(UnpicklableCredentials):
    """AppKey and AppSecret. The provider issues a token for them, which is kept until shortly before it expires.

    Args:
        app_key: From the merchant portal. The sandbox and production have keys of their own.
        app_secret: Likewise.

    Raises:
        ConfigurationError: One of them is empty or not text.
    """

    def __init__(self, app_key: str, app_secret: str) -> None:
        # A traceback shows no frame with the bare values.
        app_key, app_secret = map(concealed, (app_key, app_secret))
        self._app_key = checked_secret("app_key", app_key, source="the merchant portal")
        self._app_secret = checked_secret("app_secret", app_secret, source="the merchant portal")

    @property
    def caller(self) -> str:
        """A digest of the AppKey. It distinguishes two callers and identifies neither."""
        return caller_digest(self._app_key, product="victor-ext flexfactor")

    def __repr__(self) -> str:
        return "FlexFactorAuth(app_key='[hidden]', app_secret='[hidden]')"

    def authenticator(self, environment: str, base_url: httpx.URL, clock: ServerClock, lock: Lock) -> Authenticator:
        """The token cache of one client.

        The provider's pages mention a refresh token, but no call that takes it: the next token is fetched with the same
        pair.
        """
        url = base_url.copy_with(path=base_url.path.rstrip("/") + TOKEN_PATH)

        def token_request() -> httpx.Request:
            body = {"AppKey": self._app_key, "AppSecret": self._app_secret}
            return httpx.Request("POST", url, json=body, headers={"accept": "application/json"})

        hint = (
            f"Check FlexFactorAuth(app_key, app_secret): the {environment} was asked, and keys of one environment "
            "are not valid in the other."
        )
        return OAuthToken(token_request, issued_token, clock, lock, hint=hint)


def issued_token(body: dict[str, Any], now: float) -> IssuedToken | None:
    """Read `{accessToken, expires}`, with `expires` in epoch milliseconds. None without a token.

    Epoch seconds are understood, too. A token without a readable `expires` is kept until a call is answered 401, which
    is what the provider advises in any case.
    """
    header = header_value("Bearer", body.get("accessToken"))
    return None if header is None else IssuedToken(header, _expiry(body.get("expires")), now)


def _expiry(sent: object) -> float | None:
    if isinstance(sent, str):
        try:
            sent = float(sent)
        except ValueError:
            return None
    if isinstance(sent, bool) or not isinstance(sent, int | float) or not math.isfinite(sent) or sent <= 0:
        return None
    seconds = sent / 1000 if sent >= _SMALLEST_MILLISECONDS else float(sent)
    return seconds if seconds <= _LATEST else None
