"""TLS verification: nothing turns it off by accident, and who is trusted is in the store of the
system, or named.
"""

import os
import ssl
import subprocess
from pathlib import Path

import certifi
import httpx
import pytest

from tests.faults.adapters import each_mode
from tests.faults.certificates import Authority
from tests.programs import python
from tests.security.callers import Caller
from tests.security.recorder import Recorder
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    ConnectionFailed,
    Outcome,
    PaymentRequest,
    Victor,
    VictorOAuth,
)

pytestmark = pytest.mark.slow
AUTH = VictorOAuth("client-id", "not-a-secret")
CLIENTS = [Victor, AsyncVictor]
each_client = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture
def stranger(background, closed, tmp_path):
    """A server with the right name, whose authority nobody has said to trust."""
    return closed(Recorder(background, Authority(tmp_path).server()))


def context(**settings):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(certifi.where())
    for name, value in settings.items():
        setattr(made, name, value)
    return made


OFF = {
    "False": False,
    "0": 0,
    "None": None,
    "no text": "",
    "a context that verifies nothing": context(check_hostname=False, verify_mode=ssl.CERT_NONE),
    "a context that takes any name": context(check_hostname=False),
    "what Python calls unverified": ssl._create_unverified_context(),
}


@each_client
@pytest.mark.parametrize(
    "base_url", [None, "https://pay.example", "https://10.0.0.1:8443", "https://localhost.example"]
)
@pytest.mark.parametrize("verify", OFF)
def test_no_argument_turns_tls_verification_off_for_another_machine(client, base_url, verify):
    with pytest.raises(ConfigurationError, match="would accept anybody as"):
        client(AUTH, environment="production", base_url=base_url, verify=OFF[verify])


@each_client
@pytest.mark.parametrize(
    "verify", [name for name, off in OFF.items() if isinstance(off, ssl.SSLContext)]
)
def test_no_argument_turns_tls_verification_off_for_a_proxy_on_another_machine(client, verify):
    """It is sent a password."""
    proxy = httpx.Proxy("https://user:not-a-secret@proxy.example", ssl_context=OFF[verify])
    with pytest.raises(
        ConfigurationError, match=r"^proxy: ssl_context=.* would accept anybody as proxy\.example: "
    ):
        client(AUTH, proxy=proxy)


@each_client
@pytest.mark.parametrize("verify", ["False", "no", "0", "CERT_NONE", Path("/no/such")])
def test_a_word_for_no_as_verify_is_refused_as_a_file_that_cannot_be_read(client, verify):
    with pytest.raises(ConfigurationError, match="is not the path of a CA bundle that can be read"):
        client(AUTH, verify=verify)


@each_client
def test_a_context_that_verifies_is_taken(client):
    assert "production" in repr(client(AUTH, environment="production", verify=context()))


VARIABLES = {
    "PYTHONHTTPSVERIFY": {"PYTHONHTTPSVERIFY": "0"},
    "those of curl and requests": {"CURL_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": ""},
    "SSL_CERT_FILE that is empty": {"SSL_CERT_FILE": ""},
    "SSL_CERT_FILE of another authority": {"SSL_CERT_FILE": "{other}"},
    "SSL_CERT_DIR without a certificate": {"SSL_CERT_DIR": "{empty}"},
    "those of other tools": {
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        "GIT_SSL_NO_VERIFY": "1",
        "SSL_VERIFY": "false",
    },
}


@each_mode
@pytest.mark.parametrize("variables", VARIABLES)
def test_no_variable_turns_tls_verification_off(
    mode, variables, stranger, authority, closed, tmp_path, monkeypatch
):
    other = tmp_path / "other.pem"
    empty = tmp_path / "empty"
    other.write_text(authority.pem)
    empty.mkdir()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name, value in VARIABLES[variables].items():
        monkeypatch.setenv(name, value.format(other=other, empty=empty))
    observed = closed(Caller(mode, AUTH, base_url=stranger.url()))("get", id="b34783af0")
    assert isinstance(observed, ConnectionFailed)
    assert "certificate" in str(observed).lower()
    assert observed.outcome is Outcome.NOT_SENT
    assert stranger.record.received == b""


@each_client
def test_a_folder_of_certificates_that_is_missing_is_as_an_empty_one_and_nobody_is_trusted(
    client, monkeypatch
):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", "/no/such/place")
    assert client(AUTH).ssl_context.get_ca_certs() == []


@each_client
def test_a_variable_that_names_a_missing_certificate_file_is_refused(client, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/place")
    with pytest.raises(
        ConfigurationError,
        match="SSL_CERT_FILE, SSL_CERT_DIR or SSLKEYLOGFILE names cannot be opened",
    ):
        client(AUTH)


@each_mode
def test_a_callers_own_ca_bundle_is_enough_to_trust_a_server(
    mode, background, authority, closed, tmp_path
):
    bundle = tmp_path / "ca.pem"
    bundle.write_text(authority.pem)
    server = closed(Recorder(background, authority.server()))
    client = closed(Caller(mode, AUTH, base_url=server.url(), verify=str(bundle)))
    assert isinstance(client("get", id="b34783af0"), PaymentRequest)


PROGRAM = """
import asyncio, ssl, sys

url = sys.argv[1]
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorError, VictorOAuth

options = {"base_url": url, "retry": RetryPolicy(max_attempts=1)}
first, *others = [
    kind(VictorOAuth("id", "not-a-secret"), **options) for kind in (Victor, Victor, AsyncVictor)
]
assert all(other.ssl_context is first.ssl_context for other in others), "not one a process"
for client in first, others[1]:
    try:
        reading = client.payment_requests.get("b34783af0")
        print((asyncio.run(reading) if client is others[1] else reading).id)
    except VictorError as error:
        print(type(error).__name__, error.outcome, type(error.__cause__.__cause__).__name__)
print(len(first.ssl_context.get_ca_certs()))
"""
REFUSED = "ConnectionFailed not_sent SSLCertVerificationError"


def bundle_of(authority, folder):
    """A file with the authority, and beside it a folder as `c_rehash` makes it."""
    folder.mkdir()
    bundle = folder.with_suffix(".pem")
    bundle.write_text(authority.pem)
    hashed = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", bundle], capture_output=True, check=True
    )
    (folder / f"{hashed.stdout.decode().strip()}.0").write_bytes(bundle.read_bytes())
    return bundle


@pytest.mark.parametrize(
    ("variables", "is_trusted"),
    [
        ({"SSL_CERT_FILE": "{bundle}"}, True),
        pytest.param({"SSL_CERT_DIR": "{folder}"}, True, marks=pytest.mark.pull_request),
        ({"SSL_CERT_FILE": certifi.where()}, False),
        ({}, False),
    ],
)
def test_trusted_servers_are_those_of_ssl_cert_variables_or_else_of_the_systems_store(
    variables, is_trusted, background, authority, closed, tmp_path
):
    server = closed(Recorder(background, authority.server()))
    places = {"bundle": bundle_of(authority, tmp_path / "store"), "folder": tmp_path / "store"}
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")
    }
    environment |= {name: value.format(**places) for name, value in variables.items()}
    ran = python("-c", PROGRAM, server.url(), env=environment)
    *said, authorities = ran.stdout.splitlines()
    assert said == ["b34783af0" if is_trusted else REFUSED] * 2, ran.stderr
    # Where the system has none, as a container without ca-certificates, certifi's are asked.
    assert (int(authorities) > 50) is not is_trusted


WORDS = "„127.0.0.1“-Zertifikat ist nicht vertrauenswürdig"


class SystemsSocket(ssl.SSLSocket):
    """As truststore's: macOS and Windows are asked after the handshake, and their words have no
    number.
    """

    def do_handshake(self, block=False):
        super().do_handshake(block)
        raise ssl.SSLCertVerificationError(WORDS)


class SystemsObject(ssl.SSLObject):
    def do_handshake(self):
        super().do_handshake()
        raise ssl.SSLCertVerificationError(WORDS)


@each_mode
@pytest.mark.parametrize("library", [None, httpx])
def test_a_certificate_error_of_macos_and_windows_is_known_by_its_class(
    mode, library, background, authority, closed
):
    server = closed(Recorder(background, authority.server()))
    context = authority.trusted()
    context.sslsocket_class = SystemsSocket
    context.sslobject_class = SystemsObject
    options = {"verify": context}
    if library is not None:
        options = {
            "transport": (library.HTTPTransport if mode == "sync" else library.AsyncHTTPTransport)(
                verify=context
            )
        }
    error = closed(
        Caller(mode, VictorOAuth("id", "not-a-secret"), base_url=server.url(), **options)
    )("get", id="b347")
    assert isinstance(error, ConnectionFailed)
    assert library or f"({WORDS})" in str(error)
    assert "attempts" not in str(error), "it is not trusted in a second either"
    assert (error.outcome, server.record.received) == (Outcome.NOT_SENT, b"")
    assert isinstance(error.__cause__, httpx.ConnectError)
    assert isinstance(error.__cause__.__cause__, ssl.SSLCertVerificationError)
