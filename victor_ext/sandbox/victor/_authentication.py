"""Authentication by client-signed tokens (RS512 JWT) and issued ones, from the provider's
documentation alone.
"""

import base64
import json
import secrets
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from victor_ext.sandbox.engine import Refused
from victor_ext.sandbox.server import Clock, JsonObject, digest
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import Store, read_public_key

_LEEWAY = 5
"""Seconds that `iat` and `exp` of a token may be off."""
_TOKEN_LIFE = 3600
"""Seconds, of a token that is issued."""


def _refused(code: str, message: str) -> Refused:
    """Why a caller is refused: a code for programs and a sentence for people."""
    return Refused(401, message, code=code)


class Authenticator:
    def __init__(self, settings: SandboxSettings, clock: Clock, store: Store) -> None:
        self._settings, self._clock, self._store = settings, clock, store

    def caller(self, authorization: str | None) -> str:
        """The API key or client id behind the header; raises `Refused`."""
        if not authorization:
            raise _refused("missing_authorization", "The Authorization header is missing.")
        prefix, _, token = authorization.partition(" ")
        if prefix == "Token" and token:
            return self._signed(token)
        if prefix == "Bearer" and token:
            client_id = self._store.tokens.owner(token)
            if client_id is None:
                raise _refused(
                    "invalid_token", "This token was not issued here, has expired, or was revoked."
                )
            return client_id
        known = "'Token <jwt>' (signed by the client) or 'Bearer <token>' (issued here)"
        raise _refused("wrong_prefix", f"Authorization must be {known}.")

    def _signed(self, token: str) -> str:
        parts = token.split(".")
        if len(parts) != 3:
            raise _refused("malformed_token", "A JWT has three parts joined by dots.")
        header_text, claims_text, signature = parts[0], parts[1], _decode(parts[2])
        _check_header(_json_part(header_text, "header"))
        claims = _json_part(claims_text, "claims")
        issued, expires = _times(claims)
        if claims.get("iss") != "victor-api":
            raise _refused("wrong_issuer", "iss must be 'victor-api'.")
        api_key = claims.get("sub")
        if not isinstance(api_key, str) or api_key not in self._store.public_keys:
            raise _refused("unknown_api_key", "sub is not an API key of this environment.")
        key = read_public_key(self._store.public_keys[api_key])
        try:
            key.verify(
                signature, f"{header_text}.{claims_text}".encode("ascii"), PKCS1v15(), SHA512()
            )
        except InvalidSignature:
            raise _refused(
                "bad_signature", "The signature does not match the key of this API key."
            ) from None
        self._check_times(issued, expires)
        return api_key

    def _check_times(self, issued: int, expires: int) -> None:
        if expires <= issued:
            raise _refused("wrong_lifetime", "exp must be later than iat.")
        if expires - issued > self._settings.longest_token:
            allowed = f"{self._settings.environment} allows {self._settings.longest_token} s"
            raise _refused(
                "lifetime_too_long", f"exp is {expires - issued} s after iat; {allowed}."
            )
        now = self._clock.wall()
        if issued > now + _LEEWAY:
            raise _refused(
                "issued_in_the_future",
                "iat is later than this server's clock; see the Date header.",
            )
        if expires < now - _LEEWAY:
            raise _refused(
                "expired_token", "exp has passed by this server's clock; see the Date header."
            )

    def issue(self, client_id: str, client_secret: str) -> JsonObject:
        """A new token for a client, in the provider's shape; raises `Refused` for a wrong pair."""
        known = self._store.clients.get(client_id)
        if known is None or not secrets.compare_digest(known, digest(client_secret)):
            raise _refused(
                "invalid_client", "client_id and client_secret are not a pair of this environment."
            )
        token, expires = self._store.tokens.issue(client_id, _TOKEN_LIFE)
        return {"access_token": token, "token_type": "Bearer", "expires": int(expires * 1000)}


_FOREIGN = str.maketrans("=+/", "???")
"""`b64decode` would take these of the caller's, too."""


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(
            part.translate(_FOREIGN) + "=" * (-len(part) % 4), b"-_", validate=True
        )
    except ValueError:
        raise _refused(
            "malformed_token", "A part of the JWT is not base64url without padding."
        ) from None


def _json_part(part: str, what: str) -> JsonObject:
    try:
        value = json.loads(_decode(part))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _refused("malformed_token", f"The {what} of the JWT are not a JSON object.")
    return cast("JsonObject", value)


def _check_header(header: JsonObject) -> None:
    if header.get("alg") != "RS512":
        raise _refused("wrong_algorithm", "alg must be RS512.")
    if header.get("typ") != "JWT":
        raise _refused("wrong_type", "typ must be JWT.")
    if "crit" in header or "b64" in header:
        # RFC 7797: with b64 the claims would be signed as they are, and no JWT may have that
        # (section 7).
        raise _refused("malformed_token", "crit and b64 must not be in the header of a JWT.")


def _times(claims: JsonObject) -> tuple[int, int]:
    for name in ("iss", "sub", "iat", "exp"):
        if name not in claims:
            raise _refused("missing_claim", f"{name} is missing.")
        if name in ("iat", "exp") and type(claims[name]) is not int:
            raise _refused("wrong_claim", f"{name} must be a whole number of epoch seconds.")
    return claims["iat"], claims["exp"]


def new_key_pair() -> tuple[str, str]:
    """An RSA key pair: the private key (PKCS#8) and the public key, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii"), public.decode("ascii")
