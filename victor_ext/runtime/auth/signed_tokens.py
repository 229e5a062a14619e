"""RS512 tokens: JSON Web Tokens (RFC 7519) in compact form, by PyJWT, with a key of this process or one elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt import PyJWS
from jwt.algorithms import RSAAlgorithm

from victor_ext.errors import ConfigurationError, DeadlineExceeded
from victor_ext.privacy import Secret, SecretBytes, concealed, kind_of
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.loop.flow import Flow, Invoke, Lock, NotInTime
from victor_ext.runtime.loop.unauthorized import Exchange

from .tokens import IssuedToken, TokenCache

Sign = Callable[[bytes], bytes] | Callable[[bytes], Awaitable[bytes]]
"""Signs bytes elsewhere, such as in a KMS: RSASSA-PKCS1-v1_5 with SHA-512."""

_RENEWAL_SECONDS = 5.0
"""Most seconds for a signature while the kept token can still be used; at most half of what is left."""


class _Rs512(RSAAlgorithm):
    """RS512 for keys whose length was checked when they were read: PyJWT would warn of it in each call."""

    def check_key_length(self, key: Any) -> str | None:  # noqa: ARG002 - see above
        return None


_JWS = PyJWS(algorithms=[])
_JWS.register_algorithm("RS512", _Rs512(RSAAlgorithm.SHA512))


def signed_token(claims: Mapping[str, Any], key: RSAPrivateKey) -> str:
    """A token with these claims, as JSON data."""
    return _JWS.encode(_json(claims), key, algorithm="RS512")


def _json(claims: Mapping[str, Any]) -> bytes:
    return json.dumps(claims, separators=(",", ":")).encode()


def _base64url(data: bytes | bytearray) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SignedElsewhere(TokenCache):
    """Tokens of one client whose key is elsewhere. One token serves all calls for `reuse` seconds from its issue.

    `claims` makes the claims from the time of issue: the provider's, in seconds since the epoch.
    """

    def __init__(
        self,
        sign: Sign,
        claims: Callable[[float], Mapping[str, Any]],
        clock: ServerClock,
        lock: Lock,
        *,
        prefix: str,
        reuse: float,
    ) -> None:
        super().__init__(clock, lock)
        self._sign, self._claims, self._prefix, self._reuse = sign, claims, prefix, reuse

    renewal_may_fail_with = Exception

    def _obtain(self, exchange: Exchange, seconds: float | None, *, best_effort: bool) -> Flow[IssuedToken]:  # noqa: ARG002 - a function needs no exchange
        if best_effort:
            seconds = _RENEWAL_SECONDS if seconds is None else min(_RENEWAL_SECONDS, seconds / 2)
        skew, now = self._clock.skew, self._clock.now()
        # Header and claims, as they are signed (RFC 7515, 5.1).
        content = Secret(
            ".".join(_base64url(_json(each)) for each in ({"alg": "RS512", "typ": "JWT"}, self._claims(now)))
        )
        try:
            signature: object = concealed((yield Invoke(self._sign, SecretBytes(content.encode()), seconds)))
        except NotInTime:
            raise DeadlineExceeded(
                f"No token: sign did not return within the {seconds:.3g} s that were left for it."
            ) from None
        if not isinstance(signature, bytes | bytearray) or not signature:
            given = "no bytes" if isinstance(signature, bytes | bytearray) else kind_of(signature)
            raise ConfigurationError(f"sign must return the bytes of an RS512 signature, not {given}.")
        header = Secret(f"{self._prefix} {content}.{_base64url(signature)}")
        return IssuedToken(header, now + self._reuse, now, skew)
