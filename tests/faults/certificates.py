"""A certificate authority that exists for one test run, and certificates of it: good ones and
others.
"""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


_MAY_SIGN = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
"""From Python 3.13 on, an authority without it is refused (RFC 5280, 4.2.1.3)."""


class Authority:
    """Signs certificates; its own is what a client trusts."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("An authority for tests")
        self.certificate = self._signed(
            self._name,
            self._key.public_key(),
            x509.BasicConstraints(ca=True, path_length=0),
            _MAY_SIGN,
        )

    def _signed(self, subject, key, *extensions, ends=DAY):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        for extension in extensions:
            builder = builder.add_extension(
                extension, critical=isinstance(extension, x509.BasicConstraints)
            )
        return builder.sign(self._key, hashes.SHA256())

    def server(self, *names, ends=DAY):
        """What a server of these names needs."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.pair(*names, ends=ends))
        return context

    def pair(self, *names, ends=DAY):
        """A file with a private key and its certificate, for a server of these names or for a
        client.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(
            _name("A server for tests"),
            key.public_key(),
            x509.SubjectAlternativeName(names or [HERE]),
            ends=ends,
        )
        path = self._folder / f"{certificate.serial_number:x}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    @property
    def pem(self):
        """The certificate that is trusted, as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def trusted(self, version=ssl.TLSVersion.TLSv1_3):
        """What a client needs that trusts this authority alone."""
        context = ssl.create_default_context(cadata=self.pem)
        context.minimum_version = context.maximum_version = version
        return context
