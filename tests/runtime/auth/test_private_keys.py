"""Every form in which a team keeps its RSA key, and what is none."""

import base64
import json
import textwrap
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

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
LOCKED = KEY.private_bytes(
    PEM, PKCS8, serialization.BestAvailableEncryption(PASSWORD.encode())
).decode()
TEXT = KEY.private_bytes(PEM, PKCS8, OPEN).decode()
BASE64 = base64.b64encode(KEY.private_bytes(DER, PKCS8, OPEN)).decode()
FORMS = {
    "pkcs8": TEXT,
    "pkcs8-with-crlf": TEXT.replace("\n", "\r\n"),
    "pkcs8-between-blank-lines": f"\n\n{TEXT}\n\n",
    "pkcs8-with-escaped-breaks-in-quotes": '"' + TEXT.replace("\n", "\\n") + '"',
    "pkcs1": KEY.private_bytes(PEM, PKCS1, OPEN).decode(),
    "base64": BASE64,
    "base64-with-breaks": "\n".join(textwrap.wrap(BASE64, 64)),
    "base64-with-crlf-in-quotes": "'" + "\r\n".join(textwrap.wrap(BASE64, 76)) + "'\r\n",
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


def test_a_file_with_a_key_is_read_and_an_encrypted_key_with_its_password(tmp_path):
    path = tmp_path / "key"
    for text, password in ((TEXT, None), (BASE64, None), (LOCKED, PASSWORD)):
        path.write_text(text)
        for given in (text, text.encode(), path, str(path)):
            assert is_the_key(load_rsa_key(given, password=password))


def refusal(key, **options):
    with pytest.raises(ConfigurationError) as raised:
        load_rsa_key(key, **options)
    assert raised.value.__context__ is None, (
        "what cryptography said of the key is not dragged along"
    )
    return str(raised.value)


def damaged():
    """A key whose parts do not belong together: with the exponent 1, everything verifies."""
    numbers = KEY.private_numbers()
    other = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, 1, 1, 1, numbers.iqmp, numbers.public_numbers
    )
    return other.private_key(unsafe_skip_rsa_key_validation=True).private_bytes(PEM, PKCS8, OPEN)


class TestWhatIsRefused:
    def test_what_is_no_rsa_key_of_2048_bits_is_refused_in_one_sentence(self):
        openssh = KEY.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, OPEN).decode()
        for given in (
            "",
            "\\n",
            PUBLIC,
            KEY.public_key(),
            ed25519.Ed25519PrivateKey.generate(),
            rsa.generate_private_key(public_exponent=65537, key_size=1024),
            KEY.private_bytes(DER, PKCS8, OPEN),
            openssh.replace("b3Bl", "AAAA"),
            damaged().decode(),
            "1145f601-b8b0-4de7-9210-4ccb74a68ef5",
            "keys/victor.pem",
            None,
            7,
        ):
            message = refusal(given)
            assert "private_key is no RSA private key of 2048 bits or more. Pass PEM" in message
            assert not (isinstance(given, str) and len(given) > 2 and given in message)

    def test_a_password_that_is_missing_wrong_or_one_too_many_is_named(self):
        assert "private_key is encrypted: set password" in refusal(LOCKED)
        assert "cannot be read with this password" in refusal(LOCKED, password="wrong")
        assert "is not encrypted: leave password out" in refusal(TEXT, password=PASSWORD)

    def test_the_path_of_a_key_that_is_not_there_is_shown(self, tmp_path):
        path = tmp_path / "victor.pem"
        assert f"private_key: the file {str(path)!r} cannot be read (No such" in refusal(path)
        path.write_bytes(KEY.private_bytes(DER, PKCS8, OPEN))
        assert "(it is not text)" in refusal(path)
        assert refusal(Path(TEXT)).startswith("private_key: the file [hidden] cannot be read (")
