"""RS512 tokens: a JSON Web Token (RFC 7519) as a signature in compact form (RFC 7515, 7.1).

To write one takes the few lines below. PyJWT, which the tests read them with, also reads and fetches keys, and so loads
X.509 and the rest of `cryptography`: 13 ms in every process that signs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def signed_token(claims: Mapping[str, Any], key: RSAPrivateKey) -> str:
    """A token with these claims, as JSON data."""
    content = f"{_HEADER}.{_encoded(_json(claims))}"
    return f"{content}.{_encoded(signature(content.encode(), key))}"


def signature(content: bytes, key: RSAPrivateKey) -> bytes:
    """The signature of the algorithm RS512: RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518, 3.3)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - only signing needs it
    from cryptography.hazmat.primitives.hashes import SHA512  # noqa: PLC0415 - the same

    return key.sign(content, PKCS1v15(), SHA512())


def signs_for_its_public_half(key: RSAPrivateKey) -> bool:
    """Whether what the private half signs is what its public half verifies: the two belong together."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.hashes import SHA512  # noqa: PLC0415 - see above

    try:
        key.public_key().verify(signature(b"", key), b"", PKCS1v15(), SHA512())
    except (InvalidSignature, ValueError):
        return False
    return True


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    """Base64 for URLs, without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_HEADER = _encoded(_json({"alg": "RS512", "typ": "JWT"}))
