"""The provider's two kinds of credentials: API keys with signed tokens (`VictorJwt`), and OAuth
(`VictorOAuth`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import httpx

from victor_ext._privacy import Secret, concealed
from victor_ext._runtime.auth.credentials import (
    IdAndSecret,
    SecretText,
    UnpicklableCredentials,
    caller_digest,
    checked_function,
    checked_secret,
)
from victor_ext._runtime.auth.tokens import OAuthToken, SignedToken, issued_until, token_request
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.core.headers import is_token
from victor_ext._runtime.core.validation import are_seconds, shown
from victor_ext._runtime.loop.flow import Lock
from victor_ext._runtime.loop.retry import Authenticator
from victor_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from victor_ext._runtime.auth.signed_tokens import Sign

    PrivateKey = str | bytes | os.PathLike[str] | RSAPrivateKey

T = TypeVar("T")

TOKEN_PATH = "/v2/auth/token"  # noqa: S105 - a path, not a secret
TOKEN_LIMITS = {"staging": 3600, "production": 300}
"""By environment, the maximum lifetime, in seconds, of a token that the client signs."""
_ISSUER = "victor-api"
SOURCE = "the client portal"
"""Where the caller has the credentials from, for messages."""
_MARGIN = 60
"""Seconds between the default lifetime of a token and the environment's limit."""
_BACKDATED = 5
"""Seconds that are subtracted from `iat`, because the provider's clock may be behind."""


class Credentials(Protocol):
    """The type of the `auth` argument of `Victor`."""

    def authenticator(
        self, environment: str, base_url: httpx.URL, clock: ServerClock, lock: Lock, /
    ) -> Authenticator:
        """Return the authenticator of one client."""
        ...


class VictorJwt(UnpicklableCredentials):
    """Credentials with an API key. Short-lived RS512 tokens are signed with its private key, here
    or elsewhere.

    Args:
        api_key: The API key, from the client portal.
        private_key: The RSA private key of the API key: PEM, base64 of PKCS#8, the path of a file
            with one of them, or a key object of `cryptography`. To replace it without a new
            process, pass a function that returns the key in one of these forms, such as
            `Path("key.pem").read_text`: it is called for each token. A key is validated when it is
            first read.
        sign: In place of the private key, for one that never leaves its KMS or HSM: a function that
            takes the bytes to be signed and returns their RS512 signature (RSASSA-PKCS1-v1_5 with
            SHA-512). `AsyncVictor` also takes one that is awaited. It is called once for all
            threads or tasks that wait for the token, and may take what the deadline of the call
            leaves. What it raises is raised as it is, and nothing more is sent; after an attempt,
            it has a note that says what to do.
        password: The password of an encrypted PEM, or None.
        prefix: The word before the token in the `Authorization` header.
        lifetime: Seconds from `iat` to `exp`, at least 1. None: 60 less than the environment's
            limit, which is 300 in production and 3600 in staging.
        reuse: Seconds for which a token is used again. None: with `sign`, the lifetime less 10 s;
            without, 0: a token is signed for the second of each attempt, as the provider recommends
            for production.

    Raises:
        ConfigurationError: A key, the password, the prefix or a number is invalid; or `private_key`
            and `sign` are both passed, or neither.
    """

    def __init__(
        self,
        api_key: str,
        private_key: PrivateKey | Callable[[], PrivateKey] | None = None,
        *,
        sign: Sign | None = None,
        password: str | None = None,
        prefix: str = "Token",
        lifetime: float | None = None,
        reuse: float | None = None,
    ) -> None:
        # Tracebacks must not show the secrets.
        api_key, private_key, password = map(concealed, (api_key, private_key, password))
        self._api_key = checked_secret("api_key", api_key, source=SOURCE)
        self.caller: Final = caller_digest(self._api_key, product="victor-ext")
        """A digest of the API key. It distinguishes callers without revealing the key."""
        if (private_key is None) is (sign is None):
            raise ConfigurationError(
                "Pass private_key, or sign for a key that is kept elsewhere: one of the two."
            )
        if sign is not None and not callable(sign):
            raise ConfigurationError("sign must be a function that returns the signature of bytes.")
        self._sign = sign
        self._key = None if private_key is None else _key_source(private_key, password)
        if not is_token(prefix):
            raise ConfigurationError(
                f"prefix={shown(prefix)} must be a word of ASCII characters, such as 'Token'."
            )
        self._prefix = prefix
        for name, seconds, least in (("lifetime", lifetime, 1), ("reuse", reuse, 0)):
            is_number = seconds is None or are_seconds(seconds, above_zero=False)
            if not is_number or (seconds is not None and seconds < least):
                raise ConfigurationError(
                    f"{name}={shown(seconds)} must be a number of seconds, {least} or more."
                )
        self._lifetime = lifetime
        self._reuse = reuse

    def authenticator(
        self, environment: str, _base_url: httpx.URL, clock: ServerClock, lock: Lock, /
    ) -> Authenticator:
        """Return a signer for this environment.

        Raises:
            ConfigurationError: `lifetime` is above the environment's limit, or `reuse` is too long
                for it.
        """
        # Who signs loads cryptography.
        from victor_ext._runtime.auth.signed_tokens import (  # noqa: PLC0415 - issued tokens (OAuth) need no cryptography
            SignedElsewhere,
            signed_token,
        )

        limit = TOKEN_LIMITS[environment]
        lifetime = limit - _MARGIN if self._lifetime is None else self._lifetime
        if lifetime > limit:
            raise ConfigurationError(
                f"lifetime={lifetime:g} is above the {limit} s that {environment} permits: leave "
                "it out."
            )
        # Issued in the past, and the clock of the provider may be ahead by as much.
        longest = max(0.0, lifetime - 2 * _BACKDATED)
        if self._reuse is not None and self._reuse > longest:
            raise ConfigurationError(
                f"reuse={self._reuse:g} is too long for tokens that live {lifetime:g} s: write at "
                f"most {longest:g}."
            )

        def claims(now: float) -> dict[str, Any]:
            # A short token is backdated by half of its life at most: the rest is for its use.
            issued = math.floor(now) - min(_BACKDATED, int(lifetime) // 2)
            expires = issued + int(lifetime)
            return {"sub": self._api_key, "iss": _ISSUER, "iat": issued, "exp": expires}

        key = self._key
        if key is not None:
            # To sign once more would give the same bytes for the same claims and key: RS512 has no
            # random part (RFC 8017, 8.2.1).
            def header_of(parts: dict[str, Any], key: RSAPrivateKey) -> Secret:
                return Secret(f"{self._prefix} {signed_token(parts, key)}")

            headers = _Latest(header_of)
            return SignedToken(
                lambda now: headers.of(claims(now), key()), clock, reuse=self._reuse or 0
            )
        assert self._sign is not None
        reuse = longest if self._reuse is None else self._reuse
        return SignedElsewhere(self._sign, claims, clock, lock, prefix=self._prefix, reuse=reuse)


class _Latest(Generic[T]):
    """Keeps what was made last, and makes it again from other sources only."""

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._last: tuple[Any, T] | None = None

    def of(self, *sources: Any) -> T:
        """What is made of these sources."""
        last = self._last  # another thread may replace it
        if last is None or last[0] != sources:
            last = (sources, self._make(*sources))
            self._last = last
        return last[1]


class VictorOAuth(IdAndSecret):
    """OAuth credentials. The provider issues a token, which is used until shortly before it
    expires.

    One call requests a token, and the others wait for it. If the request fails, all of them fail
    with its error. If only the renewal of a token fails, the calls use the current one.

    Args:
        client_id: The client id, from the client portal.
        client_secret: The client secret; the client portal shows it once. To replace it without a
            new process, pass a function that returns it, such as `Path("secret.txt").read_text`:
            it is called for each new token. For another id, make another client.

    Raises:
        ConfigurationError: An argument is empty or not text.
    """

    def __init__(self, client_id: str, client_secret: SecretText) -> None:
        client_id, client_secret = map(concealed, (client_id, client_secret))
        super().__init__("victor-ext", SOURCE, client_id=client_id, client_secret=client_secret)

    def authenticator(
        self, environment: str, base_url: httpx.URL, clock: ServerClock, lock: Lock
    ) -> Authenticator:
        url = base_url.copy_with(path=base_url.path.rstrip("/") + TOKEN_PATH)

        def new_token_request() -> httpx.Request:
            # The document describes only the body. The provider's samples send it as JSON with
            # POST.
            pair = {"client_id": self._id, "client_secret": self._secret()}
            return token_request(url, pair)

        hint = (
            f"Check the client id and secret: {environment} was asked, and keys of one environment "
            "are not valid in the other."
        )
        return OAuthToken(new_token_request, issued_until, clock, lock, hint=hint)


def _key_source(key: Any, password: str | None) -> Callable[[], RSAPrivateKey]:
    """A function that returns the private key of this moment; the arguments are those of
    `VictorJwt`.
    """
    # Who signs loads cryptography.
    from victor_ext._runtime.auth.signed_tokens import (  # noqa: PLC0415 - as said
        key_material,
        load_rsa_key,
    )

    if not callable(key):
        loaded = load_rsa_key(key, password=password)
        return lambda: loaded
    function = checked_function("private_key", key)
    # A key that is known already is not validated again, which takes 27 ms.
    keys = _Latest(partial(load_rsa_key, password=password))
    return lambda: keys.of(key_material(function(), "private_key"))
