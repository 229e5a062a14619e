"""TLS verification: nothing turns it off by accident, and who is trusted is in the store of the
system, or named.
"""

import ssl

import certifi
import pytest

from tests.faults.adapters import each_mode
from tests.faults.certificates import Authority
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


def test_where_the_system_has_no_authorities_those_of_certifi_are_trusted(monkeypatch, tmp_path):
    """As in a container without `ca-certificates`: its folder is there, and empty."""
    paths = ssl.get_default_verify_paths()._replace(cafile=None, capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    # a value of its own: the context of other values is kept for the process
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path.parent / "keys"))
    assert len(Victor(AUTH).ssl_context.get_ca_certs()) > 50


@each_client
@pytest.mark.parametrize("verify", ["no", "/no/such/place", certifi.where()])
def test_what_cannot_be_read_is_refused_by_its_name(client, verify, monkeypatch, tmp_path):
    if verify == certifi.where():
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "no" / "keys"))
    with pytest.raises(ConfigurationError, match=r"^verify='.*' is not .*, or SSLKEYLOGFILE names"):
        client(AUTH, verify=verify)


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


@each_mode
def test_a_callers_own_ca_bundle_is_enough_to_trust_a_server(
    mode, background, authority, closed, tmp_path
):
    bundle = tmp_path / "ca.pem"
    bundle.write_text(authority.pem)
    server = closed(Recorder(background, authority.server()))
    client = closed(Caller(mode, AUTH, base_url=server.url(), verify=str(bundle)))
    assert isinstance(client("get", id="b34783af0"), PaymentRequest)
