"""The credentials that payment APIs ask for. Each kind makes the authenticator of one client.

`credentials_of` checks what a caller passes as `auth`.
"""

from collections.abc import Callable, Mapping

import httpx

from victor_ext._privacy import Secret, SecretBytes, concealed, kind_of
from victor_ext._runtime.auth.credentials import (
    IdAndSecret,
    SecretText,
    UnpicklableCredentials,
    caller_digest,
    checked_function,
    checked_secret,
    secret_source,
)
from victor_ext._runtime.auth.tokens import (
    FixedToken,
    OAuthToken,
    basic,
    issued_for,
    token_request,
)
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.core.headers import is_token
from victor_ext._runtime.http.options import checked_base_url
from victor_ext._runtime.loop.flow import Flow, Lock, done
from victor_ext._runtime.loop.retry import Authenticator, Exchange
from victor_ext.errors import ConfigurationError

SignRequest = Callable[[httpx.Request], None]


class _HeaderAuth(UnpicklableCredentials):
    """One header, with the same value for all clients, or what a function returns.

    A function may return another secret of the same account: nothing is known of the account.
    """

    caller: str | None = None

    def __init__(self, current: Callable[[], str], header: str, account: object) -> None:
        self._authenticator = FixedToken(current, header=header)
        if isinstance(account, str):
            self.caller = caller_digest(account, product="connect")

    def authenticator(
        self, _base_url: httpx.URL, _clock: ServerClock, _lock: Lock, /
    ) -> Authenticator:
        return self._authenticator


class BearerAuth(_HeaderAuth):
    """A token that was issued elsewhere: `Authorization: Bearer <token>`.

    Args:
        token: The token; or a function that returns it, which is called for each attempt.

    Raises:
        ConfigurationError: The token is empty, or not text that a header can hold.
    """

    def __init__(self, token: SecretText) -> None:
        token = concealed(token)
        current = secret_source("token", token)
        super().__init__(lambda: f"Bearer {current()}", "Authorization", token)


class BasicAuth(_HeaderAuth):
    """User name and password (RFC 7617). Where the API key is the user name, the password stays
    empty.

    Args:
        username: The user name, without a colon.
        password: The password, or an empty text; or a function, as for `BearerAuth`.

    Raises:
        ConfigurationError: One of them is not text that a header can hold, or the user name has a
            colon.
    """

    def __init__(self, username: str, password: SecretText = "") -> None:
        username, password = map(concealed, (username, password))
        user = checked_secret("username", username)
        if ":" in user:
            raise ConfigurationError(
                "username holds a colon: pass user name and password as two arguments."
            )
        current = secret_source("password", password) if password else lambda: Secret("")
        super().__init__(lambda: basic(user, current()), "Authorization", user)


class ApiKeyAuth(_HeaderAuth):
    """A key in a header of the provider's.

    Args:
        key: The key; or a function, as for `BearerAuth`.
        header: The header's name.

    Raises:
        ConfigurationError: The key or the name cannot be sent.
    """

    def __init__(self, key: SecretText, *, header: str = "X-API-Key") -> None:
        key = concealed(key)
        current = secret_source("key", key)
        if not is_token(header):
            raise ConfigurationError(
                "header must be the name that the provider's documentation has."
            )
        super().__init__(current, header, key)


class ClientCredentialsAuth(IdAndSecret):
    """OAuth 2.0 client credentials (RFC 6749, 4.4): a token that is fetched, kept, and replaced
    before it expires.

    All threads or tasks of a client share one token, which is fetched once however many of them
    need it.

    Args:
        token_url: Of the token endpoint: a URL, or a path (`/oauth/token`) below the host of
            `base_url`.
        client_id: The client's id.
        client_secret: Its secret; or a function, as for `BearerAuth`: it is called for each new
            token.
        scope: The scopes to ask for, with blanks between them.
        in_body: True sends id and secret in the form. False sends them as user and password of
            Basic authentication.
        more: Further fields of the form, such as `{"audience": "https://api.bank.example"}`.

    Raises:
        ConfigurationError: An argument cannot work.
    """

    def __init__(
        self,
        token_url: str | httpx.URL,
        client_id: str,
        client_secret: SecretText,
        *,
        scope: str = "",
        in_body: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> None:
        client_id, client_secret = map(concealed, (client_id, client_secret))
        super().__init__("connect", client_id=client_id, client_secret=client_secret)
        is_path = isinstance(token_url, str) and token_url.startswith("/")
        if is_path:
            self._token_url = httpx.URL(str(token_url))
        else:
            self._token_url = checked_base_url(token_url, name="token_url")
        self._form = {"grant_type": "client_credentials"}
        if scope:
            self._form["scope"] = scope
        self._form |= more or {}
        self._in_body = in_body

    def token_url(self, base_url: httpx.URL) -> httpx.URL:
        """The URL of the token endpoint for a client of this base URL."""
        return base_url.join(self._token_url)

    def authenticator(self, base_url: httpx.URL, clock: ServerClock, lock: Lock) -> Authenticator:
        url = self.token_url(base_url)

        def new_token_request() -> httpx.Request:
            secret = self._secret()
            if self._in_body:
                form = {**self._form, "client_id": self._id, "client_secret": secret}
                return token_request(url, form, as_form=True, headers={})
            headers = {"authorization": basic(self._id, secret)}
            return token_request(url, self._form, as_form=True, headers=headers)

        hint = (
            "Check ClientCredentialsAuth(token_url, client_id, client_secret) and its scope: "
            f"{url.host} was asked."
        )
        return OAuthToken(new_token_request, issued_for, clock, lock, hint=hint)


class NoAuth:
    """Sends requests as they are."""

    caller: str | None = ""  # all who send no credentials are one account

    def authenticator(
        self, _base_url: httpx.URL, _clock: ServerClock, _lock: Lock, /
    ) -> Authenticator:
        return self

    def authorize(
        self, _request: httpx.Request, _exchange: Exchange, _seconds: float | None, /
    ) -> Flow[None]:
        return done()

    def should_retry_unauthorized(self, _request: httpx.Request, /) -> bool:
        return False


class RequestSigner(NoAuth):
    """A function of the caller's that sets headers of the request, at each attempt."""

    caller = None  # nothing is known of the account

    def __init__(self, sign: SignRequest) -> None:
        self._sign = checked_function("auth", sign)

    def authorize(
        self, request: httpx.Request, _exchange: Exchange, _seconds: float | None, /
    ) -> Flow[None]:
        url = request.url
        fields = request.headers.raw
        self._sign(request)
        if request.url != url:
            request.url = url
            raise ConfigurationError(
                "auth changed the URL of the request: it may set headers only."
            )
        # What was set may be a secret.
        request.headers = httpx.Headers(
            [
                (name, value if (name, value) in fields else SecretBytes(value))
                for name, value in request.headers.raw
            ]
        )
        return done()


ApiCredentials = _HeaderAuth | ClientCredentialsAuth | NoAuth


def credentials_of(auth: ApiCredentials | SignRequest | None) -> ApiCredentials:
    """The credentials that a caller passes as `auth`. Raises `ConfigurationError`."""
    auth = concealed(auth)  # a bare token, by mistake
    if auth is None:
        return NoAuth()
    if isinstance(auth, ApiCredentials):
        return auth
    if callable(auth) and not isinstance(auth, type | httpx.Auth):
        return RequestSigner(auth)
    what = "the class itself" if isinstance(auth, type) else kind_of(auth)
    raise ConfigurationError(
        "auth must be BearerAuth(...), BasicAuth(...), ApiKeyAuth(...), "
        f"ClientCredentialsAuth(...) or a function that sets headers of a request, not {what}."
    )
