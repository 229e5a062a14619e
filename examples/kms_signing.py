"""Sign with a key that never leaves its service. `KeyService` stands in for a KMS: it signs, and
keeps the key.

Call a real one in its place. For AWS KMS, `sign` is:

    def sign(content: bytes) -> bytes:
        return kms.sign(
            KeyId=KEY_ID,
            Message=content,
            MessageType="RAW",
            SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_512",
        )["Signature"]

It takes messages of up to 4,096 bytes; the client signs about 200. Run: python
examples/kms_signing.py
"""

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from victor_ext import Victor, VictorJwt
from victor_ext.sandbox import Sandbox


class KeyService:
    """Has the private key of the API key, and signs with it."""

    def __init__(self, private_key: str) -> None:
        key = load_pem_private_key(private_key.encode(), None)
        assert isinstance(key, RSAPrivateKey)
        self._key = key
        self.signatures = 0

    def sign(self, content: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-512, which is RS512."""
        self.signatures += 1
        return self._key.sign(content, PKCS1v15(), SHA512())


with Sandbox() as sandbox:
    api_key, private_key = sandbox.new_api_key()
    service = KeyService(private_key)
    with Victor(VictorJwt(api_key, sign=service.sign), base_url=sandbox.url) as victor:
        for _ in range(5):
            print(f"The provider accepts the token: {victor.ping()}")
    print(f"The key service has signed {service.signatures} token for 5 calls.")
