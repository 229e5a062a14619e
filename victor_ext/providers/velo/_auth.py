"""API key and secret, exchanged for a bearer token that lives for half an hour."""

import httpx

from victor_ext._privacy import concealed
from victor_ext._runtime.auth.credentials import IdAndSecret, SecretText
from victor_ext._runtime.auth.tokens import OAuthToken, basic, issued_for
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.loop.flow import Lock
from victor_ext.errors import ConfigurationError

from ._operations import OPERATIONS, TOKEN_PATH


class VeloAuth(IdAndSecret):
    """API key and secret. Velo issues a token for them, which is kept until shortly before it
    expires.

    Key and secret are sent to `/v1/authenticate` alone, as user and password of Basic
    authentication, with an empty body. All threads or tasks of a client share one token. There is
    no refresh token.

    Args:
        api_secret: The secret of the key; or a function, as for the secret of `VictorOAuth`.

    Raises:
        ConfigurationError: One of them is empty or not text, or the key has a colon, which Basic
            cannot carry.
    """

    def __init__(self, api_key: str, api_secret: SecretText) -> None:
        api_key, api_secret = map(concealed, (api_key, api_secret))
        super().__init__(
            "velo", "what Velo's back office gave you", api_key=api_key, api_secret=api_secret
        )
        if ":" in self._id:
            raise ConfigurationError("api_key holds a colon: pass key and secret as two arguments.")

    def authenticator(
        self, environment: str, base_url: httpx.URL, clock: ServerClock, lock: Lock
    ) -> OAuthToken:
        """The token cache of one client."""
        url = base_url.copy_with(
            path=base_url.path.rstrip("/") + TOKEN_PATH, params={"grant_type": "client_credentials"}
        )

        def new_token_request() -> httpx.Request:
            headers = {
                "authorization": basic(self._id, self._secret()),
                "accept": "application/json",
                "content-type": "application/json",
            }
            return httpx.Request("POST", url, headers=headers, content=b"")

        hint = (
            f"Check VeloAuth(api_key, api_secret): {environment} was asked, whose keys no "
            "other environment takes."
        )
        row = OPERATIONS[f"POST {TOKEN_PATH}"]
        return OAuthToken(new_token_request, issued_for, clock, lock, hint=hint, row=row)
