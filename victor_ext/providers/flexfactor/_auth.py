"""AppKey and AppSecret, exchanged for a bearer token that lives for ten minutes; or a key or token
that is ready.
"""

from functools import partial

import httpx

from victor_ext._privacy import Secret, concealed
from victor_ext._runtime.auth.credentials import (
    IdAndSecret,
    SecretText,
    UnpicklableCredentials,
    secret_source,
)
from victor_ext._runtime.auth.tokens import FixedToken, OAuthToken, issued_until, token_request
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.core.headers import is_scheme, is_token
from victor_ext._runtime.loop.flow import Lock
from victor_ext._runtime.loop.retry import Authenticator
from victor_ext.errors import ConfigurationError

from ._operations import TOKEN, TOKEN_PATH
from ._problems import read_problems
from ._responses import split_code


class FlexFactorAuth(IdAndSecret):
    """AppKey and AppSecret. The provider issues a token for them, which is kept until shortly
    before it expires.

    Args:
        app_key: From the merchant portal. The sandbox and production have keys of their own.
        app_secret: Likewise; or a function, as for the secret of `VictorOAuth`.

    Raises:
        ConfigurationError: One of them is empty or not text.
    """

    def __init__(self, app_key: str, app_secret: SecretText) -> None:
        app_key, app_secret = map(concealed, (app_key, app_secret))
        super().__init__(
            "victor-ext flexfactor", "the merchant portal", app_key=app_key, app_secret=app_secret
        )

    def hint(self, environment: str) -> str:
        """What an error adds about credentials that the provider rejected."""
        return (
            f"The {environment} was asked: check that the AppKey and the AppSecret belong to it "
            "(keys of one environment are not valid in the other)."
        )

    def authenticator(
        self, environment: str, base_url: httpx.URL, clock: ServerClock, lock: Lock
    ) -> Authenticator:
        """The token cache of one client.

        No documented call takes a refresh token: each token is fetched with AppKey and AppSecret.
        """
        url = base_url.copy_with(path=base_url.path.rstrip("/") + TOKEN_PATH)

        def new_token_request() -> httpx.Request:
            return token_request(url, {"AppKey": self._id, "AppSecret": self._secret()})

        def code_of(response: httpx.Response) -> str:
            # The response may repeat the credentials: only a six-digit code of it is shown, and
            # only one that is no part of them.
            credentials = f"{self._id} {self._secret()}"
            for problem in read_problems(response):
                if split_code(problem.code) and problem.code not in credentials:
                    return problem.code
            return ""

        read = partial(issued_until, member="accessToken", scheme="Bearer")
        return OAuthToken(
            new_token_request,
            read,
            clock,
            lock,
            hint=self.hint(environment),
            code_of=code_of,
            row=TOKEN,
        )


class FlexFactorToken(UnpicklableCredentials):
    """An API key or a token that is ready, as the provider's page "Payment" has it ("authorization:
    Api key/Token").

    It is sent as it is: a call that is refused raises `AuthenticationError`. A token from
    `/v1/oauth2/token` ends after ten minutes; `FlexFactorAuth` renews it.

    Args:
        token: The key or the token, without a word before it; or a function, as for
            `BearerAuth`.
        scheme: The word before it in the header. The page does not name one; the newer pages write
            `Bearer`, and some older examples none at all: None sends the token alone.

    Raises:
        ConfigurationError: The token or the scheme is not text that the header can hold. No message
            shows either.
    """

    caller = ""
    """Empty: nothing public is known of the caller."""

    def __init__(self, token: SecretText, *, scheme: str | None = "Bearer") -> None:
        token = concealed(token)
        scheme = concealed(scheme)  # it may be the token by mistake
        self._token = secret_source(
            "token", token, source="the merchant portal", check=_checked_token
        )
        if scheme is not None and not (isinstance(scheme, str) and is_scheme(scheme)):
            raise ConfigurationError(
                "scheme must be one word such as 'Bearer', or None to send the token alone."
            )
        self._prefix = "" if scheme is None else f"{scheme} "

    def authenticator(self, *_: object) -> Authenticator:
        return FixedToken(lambda: f"{self._prefix}{self._token()}")

    def hint(self, environment: str) -> str:
        """What an error adds about a token that the provider rejected."""
        return (
            "The token is sent as it is and never renewed: check that it was made in the "
            f"{environment}, that it has not ended (one from /v1/oauth2/token lives ten minutes), "
            "and its scheme ('Bearer', or None)."
        )


def _checked_token(secret: Secret) -> Secret:
    if not is_token(secret):
        raise ConfigurationError(
            "token holds a blank, or is too long for a header: leave out the word before it, "
            "which is the scheme."
        )
    return secret
