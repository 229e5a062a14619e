"""The credentials that payment APIs ask for. Each kind makes the authenticator of one client.

`credentials_of` checks what a caller passes as `auth`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, cast
from urllib.parse import urlencode

import httpx

from victor_ext._privacy import Secret, SecretBytes, concealed, kind_of
from victor_ext._runtime.auth.credentials import (
    IdAndSecret,
    RotatingSecret,
    SecretText,
    UnpicklableCredentials,
    caller_digest,
    checked_function,
    checked_secret,
)
from victor_ext._runtime.auth.tokens import (
    FixedToken,
    OAuthToken,
    SignedToken,
    basic,
    issued_for,
    token_request,
)
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.core.headers import header_complaint, is_token
from victor_ext._runtime.core.validation import are_seconds, seconds_complaint, shown
from victor_ext._runtime.http.options import checked_base_url
from victor_ext._runtime.loop.flow import Flow, Lock, done
from victor_ext._runtime.loop.retry import Authenticator, Exchange
from victor_ext.errors import ConfigurationError

SignRequest = Callable[[httpx.Request], None]
SIGNED_QUERY = "victor_ext.signed_query"
"""The extension of a request with the query that is sent, with its credentials.

Errors, events and logs have the URL of the request, whose query has no credentials.
"""


class ApiCredentials(Protocol):
    """What `auth` takes: one of the classes here, or anything with this method.

    A text in its attribute `caller`, if there is one, tells its account from others: see `connect`.
    """

    def authenticator(
        self, base_url: httpx.URL, clock: ServerClock, lock: Lock, /
    ) -> Authenticator:
        """The authenticator of one client."""
        ...


def _caller_of(secret_of_caller: object, secret: RotatingSecret) -> str | None:
    """A digest that tells the account of a secret from others: that of a secret which stays.

    None: the secret comes from a file or a function, and may change while the account stays the
    same.
    """
    if not isinstance(secret_of_caller, str):
        return None
    return caller_digest(secret.last, product="connect")


class _FixedCredentials(UnpicklableCredentials):
    """Credentials that are the same for all clients, at any time."""

    _authenticator: Authenticator

    def authenticator(
        self, _base_url: httpx.URL, _clock: ServerClock, _lock: Lock, /
    ) -> Authenticator:
        return self._authenticator


class BearerAuth(_FixedCredentials):
    """A token that was issued elsewhere: `Authorization: Bearer <token>`.

    Args:
        token: The token. To replace it without a new process, pass the `Path` of a file that holds
            it, which is read again when it has changed, or a function that returns it, which is
            called for each attempt.

    Raises:
        ConfigurationError: The token is empty, or not text that a header can hold.
    """

    def __init__(self, token: SecretText) -> None:
        token = concealed(token)
        self._token = RotatingSecret("token", token)
        self.caller = _caller_of(token, self._token)
        self._authenticator = FixedToken(lambda: f"Bearer {self._token.current()}")


class BasicAuth(_FixedCredentials):
    """User name and password (RFC 7617). Where the API key is the user name, the password stays
    empty.

    Args:
        username: The user name, without a colon.
        password: The password, or an empty text; or a `Path` or a function, as for `BearerAuth`.

    Raises:
        ConfigurationError: One of them is not text that a header can hold, or the user name has a
            colon.
    """

    def __init__(self, username: str, password: SecretText = "") -> None:
        username, password = map(concealed, (username, password))
        self._username = checked_secret("username", username)
        self._password = RotatingSecret("password", password) if password else None
        if ":" in self._username:
            raise ConfigurationError(
                "username holds a colon: pass user name and password as two arguments."
            )
        self.caller = caller_digest(self._username, product="connect")
        self._authenticator = FixedToken(self._header)

    def _header(self) -> Secret:
        password = Secret("") if self._password is None else self._password.current()
        return basic(self._username, password)


class ApiKeyAuth(_FixedCredentials):
    """A key in a header of the provider's, or in the query.

    Args:
        key: The key; or a `Path` or a function, as for `BearerAuth`.
        header: The header's name.
        query: The parameter's name, if the provider takes the key in the URL. Servers and proxies
            log URLs: prefer a header where there is a choice. No URL of this package's errors,
            events and logs has the key. Those of httpx's own log have it where calls go through
            httpx (a proxy, `transport=` or a tracer).

    Raises:
        ConfigurationError: The key or the name cannot be sent.
    """

    def __init__(
        self, key: SecretText, *, header: str = "X-API-Key", query: str | None = None
    ) -> None:
        key = concealed(key)
        self._key = RotatingSecret("key", key)
        self.caller = _caller_of(key, self._key)
        self._name = header if query is None else query
        if not is_token(self._name):
            raise ConfigurationError(
                "header (or query) must be the name that the provider's documentation has."
            )
        if query is None:
            self._authenticator = FixedToken(self._key.current, header=self._name)
        else:
            self._authenticator = RequestSigner(self._add_to_query)

    def _add_to_query(self, request: httpx.Request) -> None:
        parameter = Secret(urlencode([(self._name, self._key.current())])).encode()
        # The other parameters stay as they are written: httpx would encode them again.
        parts = filter(None, (request.url.query, parameter))
        request.url = request.url.copy_with(query=SecretBytes(b"&".join(parts)))


class SignedAuth(UnpicklableCredentials):
    """A token that is signed locally for each attempt, by the provider's clock.

    Args:
        sign: Makes the header's value from the time of issue, in seconds since the epoch:
            `lambda now: "Token " + ...`. What it raises is raised as it is, and nothing more is
            sent; after an attempt, it has a note that says what to do.
        header: The header's name.
        reuse: Seconds for which one token serves all calls; 0 signs each attempt.

    Raises:
        ConfigurationError: An argument cannot work.
    """

    def __init__(
        self, sign: Callable[[float], str], *, header: str = "Authorization", reuse: float = 0.0
    ) -> None:
        self._sign = checked_function("sign", sign)
        if not is_token(header):
            raise ConfigurationError(f"header={shown(header)} is not the name of a header.")
        if not are_seconds(reuse, above_zero=False):
            raise ConfigurationError(seconds_complaint("reuse", reuse, "0 or more"))
        self._header, self._reuse = header, reuse

    def authenticator(
        self, _base_url: httpx.URL, clock: ServerClock, _lock: Lock, /
    ) -> Authenticator:
        return SignedToken(self._signed, clock, reuse=self._reuse, header=self._header)

    def _signed(self, now: float) -> str:
        """The header's value that `sign` makes. Raises `ConfigurationError`: it cannot be sent."""
        value: object = concealed(self._sign(now))
        if not isinstance(value, str):
            raise ConfigurationError(
                f"sign must return the text of the header, not {kind_of(value)}."
            )
        complaint = header_complaint(value.encode("utf-8", "replace"))
        if complaint is not None:
            raise ConfigurationError(f"sign made a header that cannot be sent: it {complaint}.")
        return value


class ClientCredentialsAuth(IdAndSecret):
    """OAuth 2.0 client credentials (RFC 6749, 4.4): a token that is fetched, kept, and replaced
    before it expires.

    All threads or tasks of a client share one token, which is fetched once however many of them
    need it.

    Args:
        token_url: Of the token endpoint: a URL, or a path (`/oauth/token`) below the host of
            `base_url`.
        client_id: The client's id.
        client_secret: Its secret; or a `Path` or a function, as for `BearerAuth`: it is asked for
            each new token.
        scope: The scopes to ask for, as text with blanks between them or one by one; None asks for
            no scope.
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
        scope: str | Iterable[str] | None = None,
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
        if scope is not None and not isinstance(scope, str):
            scope = " ".join(scope)
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
            secret = self._secret.current()
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
    """Credentials that are a function, such as one of the caller's, which signs the request of each
    attempt in place.

    The request keeps its URL. The query that the function has signed is an extension, with which
    `Wire` sends the request.
    """

    caller = None  # nothing is known of the account

    def __init__(self, sign: SignRequest) -> None:
        self._sign = checked_function("auth", sign)

    def authorize(
        self, request: httpx.Request, _exchange: Exchange, _seconds: float | None, /
    ) -> Flow[None]:
        url = request.url
        fields = request.headers.raw
        self._sign(request)
        signed_url = request.url
        request.url = url
        if signed_url.copy_with(query=None) != url.copy_with(query=None):
            raise ConfigurationError(
                "auth changed the address of the request: it may set headers and the query only."
            )
        request.extensions[SIGNED_QUERY] = SecretBytes(signed_url.query)
        signed_fields: list[tuple[bytes, bytes]] = []
        for name, value in request.headers.raw:
            if (name, value) in fields:
                # A field from before keeps its object, which hides itself if it is a secret.
                signed_fields.append(fields[fields.index((name, value))])
            else:
                signed_fields.append((name, SecretBytes(value)))
        request.headers = httpx.Headers(signed_fields)
        return done()


def credentials_of(auth: ApiCredentials | SignRequest | None) -> ApiCredentials:
    """The credentials that a caller passes as `auth`. Raises `ConfigurationError`."""
    auth = concealed(auth)  # a bare token, by mistake
    if auth is None:
        return NoAuth()
    if not isinstance(auth, type):
        if callable(getattr(auth, "authenticator", None)):
            return cast("ApiCredentials", auth)
        if callable(auth) and not isinstance(auth, httpx.Auth):
            return RequestSigner(auth)
    what = "the class itself" if isinstance(auth, type) else kind_of(auth)
    raise ConfigurationError(
        "auth must be BearerAuth(...), BasicAuth(...), ApiKeyAuth(...), SignedAuth(...), "
        f"ClientCredentialsAuth(...) or a function that signs a request, not {what}."
    )
