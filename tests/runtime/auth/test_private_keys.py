"""Every form in which a team keeps its RSA key, and every file that is none."""

import base64
import json
import textwrap
import time
from datetime import UTC, datetime

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from victor_ext._runtime.auth.signed_tokens import load_rsa_key, signed_token
from victor_ext.errors import ConfigurationError

pytestmark = pytest.mark.slow
PASSWORD = "correct horse"
PKCS8 = serialization.PrivateFormat.PKCS8
PKCS1 = serialization.PrivateFormat.TraditionalOpenSSL
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
OPEN = serialization.NoEncryption()


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(PEM, SPKI).decode()
LOCKED = KEY.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(PASSWORD.encode()))
TEXT = KEY.private_bytes(PEM, PKCS8, OPEN).decode()
BYTES = KEY.private_bytes(DER, PKCS8, OPEN)
BASE64 = base64.b64encode(BYTES).decode()
FORMS = {
    "pkcs8": TEXT,
    "pkcs8-bytes": TEXT.encode(),
    "pkcs8-with-crlf": TEXT.replace("\n", "\r\n"),
    "pkcs8-between-blank-lines": f"\n\n{TEXT}\n\n",
    "pkcs8-with-escaped-breaks": TEXT.replace("\n", "\\n"),
    "pem-in-base64": base64.b64encode(TEXT.encode()),
    "pem-in-base64-with-breaks": base64.encodebytes(TEXT.encode()).decode(),
    "pem-after-a-preface-in-base64": base64.b64encode(f"Bag\n{TEXT}".encode()).decode(),
    "pem-in-base64-in-quotes": f'"{base64.b64encode(TEXT.encode()).decode()}"',
    "pkcs1": KEY.private_bytes(PEM, PKCS1, OPEN).decode(),
    "pkcs1-in-base64": base64.b64encode(KEY.private_bytes(PEM, PKCS1, OPEN)).decode(),
    "pkcs1-der": KEY.private_bytes(DER, PKCS1, OPEN),
    "base64": BASE64,
    "base64-with-breaks": "\n".join(textwrap.wrap(BASE64, 64)),
    "base64-with-crlf": "\r\n".join(textwrap.wrap(BASE64, 76)) + "\r\n",
    "base64-bytes-in-quotes": f"'{BASE64}'".encode(),
    "base64-with-escaped-breaks": "\\n".join(textwrap.wrap(BASE64, 64)),
    "der": BYTES,
    "der-bytearray": bytearray(BYTES),
    "key-object": KEY,
}


def is_the_key(loaded):
    return loaded.private_numbers() == KEY.private_numbers()


def verified_by_the_standard(token):
    """The claims of a token, verified as RFC 7518 says, without the library that has signed it."""
    header, claims, signature = token.split(".")
    assert json.loads(decoded(header))["alg"] == "RS512"
    signed = f"{header}.{claims}".encode()
    KEY.public_key().verify(decoded(signature), signed, padding.PKCS1v15(), hashes.SHA512())
    return decoded(claims)


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified_by_pyjwt(token):
    return jwt.api_jws.decode(token, PUBLIC, ["RS512"])


@pytest.mark.parametrize("verified", [verified_by_pyjwt, verified_by_the_standard])
@pytest.mark.parametrize("form", FORMS)
def test_a_token_signed_with_any_form_of_the_key_is_verified(form, verified):
    now = int(time.time())
    claims = {"sub": "key-1", "iss": "victor-api", "iat": now, "exp": now + 240}
    token = signed_token(claims, load_rsa_key(FORMS[form]))
    assert json.loads(verified(token)) == claims


@pytest.mark.parametrize("password", [PASSWORD, PASSWORD.encode()])
def test_an_encrypted_private_key_is_read_with_its_password(password, tmp_path):
    path = tmp_path / "locked.pem"
    path.write_bytes(LOCKED)
    for given in (LOCKED.decode(), path):
        assert is_the_key(load_rsa_key(given, password=password))


def pkcs1(public_exponent, private_exponent):
    """The key with other exponents, as PKCS#1 in DER: libraries make no such key."""
    numbers = KEY.private_numbers()
    p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
    ends = (private_exponent % (p - 1), private_exponent % (q - 1), pow(q, -1, p))
    values = (0, n, public_exponent, private_exponent, p, q, *ends)
    return der(0x30, b"".join(der(0x02, signed_bytes(value)) for value in values))


def signed_bytes(value):
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def der(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def refusal(key, **options):
    with pytest.raises(ConfigurationError) as raised:
        load_rsa_key(key, **options)
    assert raised.value.__context__ is None, (
        "what cryptography said of the key is not dragged along"
    )
    return str(raised.value)


class TestWhatIsRefused:
    def test_a_key_that_cannot_sign_is_refused_with_the_reason(self):
        for given, words in (
            (ed25519.Ed25519PrivateKey.generate(), "but Ed25519"),
            (KEY.public_key(), "not an RSA private key but RSAPublicKey"),
            (PUBLIC, "private_key is a public key"),
            (LOCKED, "private_key is encrypted: set password"),
        ):
            assert words in refusal(given)
        assert "cannot be read as a private key with this password" in refusal(
            LOCKED, password="wrong"
        )
        assert "is not encrypted: leave password out" in refusal(TEXT, password=PASSWORD)

    @pytest.mark.parametrize("is_pem", [True, False])
    def test_a_key_for_pss_alone_is_refused_by_name(self, is_pem):
        """It would sign what its own public key does not verify: no RS512 token."""
        data = KEY.private_bytes(DER, PKCS8, OPEN)
        of_rsa, of_pss = (bytes.fromhex(f"06092a864886f70d0101{end}") for end in ("01", "0a"))
        data = data.replace(of_rsa, of_pss, 1)
        if is_pem:
            body = base64.encodebytes(data)
            first, last = (f"-----{word} PRIVATE KEY-----\n" for word in ("BEGIN", "END"))
            data = first.encode() + body + last.encode()
        assert "is a key for RSASSA-PSS alone: RS512 needs one of rsaEncryption" in refusal(data)

    def test_an_openssh_key_a_store_and_a_certificate_are_refused_by_name(self):
        openssh = KEY.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, OPEN)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
        begins = datetime(2026, 3, 4, tzinfo=UTC)
        builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, begins, begins)
        certificate = builder.sign(KEY, hashes.SHA256())
        store = pkcs12.serialize_key_and_certificates(b"shop", KEY, certificate, None, OPEN)
        for given, words in (
            (openssh, "is an OpenSSH key: convert it with ssh-keygen -p -m PKCS8"),
            (store, "is a PKCS#12 store: take the key out with openssl pkcs12"),
            (certificate.public_bytes(PEM), "is a certificate, which has the public key alone"),
            (certificate.public_bytes(DER), "is a certificate, which has the public key alone"),
        ):
            assert words in refusal(given)
            assert words in refusal(base64.b64encode(given).decode())

    def test_a_key_of_1024_bits_is_warned_of(self):
        small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        with pytest.warns(UserWarning, match="private_key has 1024 bits. RS512 needs 2048 or more"):
            assert load_rsa_key(small) is small

    def test_a_key_whose_signature_is_its_message_is_refused(self):
        """With the exponents 1 everything verifies, and so do the forgeries of anybody."""
        numbers = KEY.private_numbers()
        assert is_the_key(load_rsa_key(pkcs1(numbers.public_numbers.e, numbers.d)))
        assert "cannot be read as a private key" in refusal(pkcs1(1, 1))

    @pytest.mark.parametrize("empty", ["", "  ", "\n", "\\n"])
    def test_an_empty_key_is_refused_as_empty(self, empty):
        assert "private_key is empty" in refusal(empty)


class TestNoMessageShowsAnyOfIt:
    """A piece of a key, or an API key where the private key belongs, is taken for a path: it is not
    printed.
    """

    @pytest.mark.parametrize(
        "secret",
        [
            "1145f601-b8b0-4de7-9210-4ccb74a68ef5",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "correct horse battery staple",
        ],
    )
    def test_the_refusal_of_a_secret_in_place_of_a_key_says_its_length_alone(self, secret):
        message = refusal(secret)
        assert secret not in message
        assert f"its length is {len(secret)})" in message

    @pytest.mark.parametrize(
        "path", ["keys/victor.pem", "./victor", "/run/secrets/victor_key", "~/victor.key"]
    )
    def test_a_refusal_shows_the_path_of_a_key_that_is_not_there(self, path):
        assert repr(path) in refusal(path)
