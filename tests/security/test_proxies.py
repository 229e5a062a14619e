"""A proxy learns which host is called, and nothing else; and only over a connection that is safe
from listeners.
"""

import ssl

import httpx
import pytest
from cryptography import x509

from tests.faults.adapters import each_mode
from tests.security.callers import Caller
from tests.security.recorder import Recorder, RecordingProxy
from tests.security.secrets import ACCOUNT
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    PaymentRequest,
    Victor,
    VictorOAuth,
)

pytestmark = pytest.mark.slow
AUTH = VictorOAuth("client-id", "not-a-secret")
UNENCRYPTED = "a proxy would be sent tokens and account numbers unencrypted"
SECRETS = (b"not-a-secret", b"t" * 40, b"Bearer", ACCOUNT.encode(), b"/v2/", b"\r\nAuthorization:")


@each_mode
@pytest.mark.parametrize("how", ["argument", "variable", "transport"])
def test_a_proxy_sees_a_name_and_ciphertext(mode, how, closed, background, authority, monkeypatch):
    """Also where TLS to the provider is within TLS to the proxy, by the transport that the refusal
    names.
    """
    provider = closed(Recorder(background, authority.server(x509.DNSName("pay.example"))))
    proxy = closed(
        RecordingProxy(
            background, provider.port, authority.server() if how == "transport" else None
        )
    )
    address = f"{'https' if how == 'transport' else 'http'}://user:hunter2@127.0.0.1:{proxy.port}"
    given = {"proxy": address}
    if how == "transport":
        kind = httpx.AsyncHTTPTransport if mode == "async" else httpx.HTTPTransport
        encrypted = httpx.Proxy(address, ssl_context=authority.trusted())
        given = {"transport": kind(verify=authority.trusted(), proxy=encrypted)}
    elif how == "variable":
        given = {}
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.delenv("NO_PROXY", raising=False)
    client = closed(
        Caller(mode, AUTH, base_url="https://pay.example", verify=authority.trusted(), **given)
    )
    for _ in range(3):
        assert isinstance(client("accept", id="b34783af0", notes=ACCOUNT), PaymentRequest)
    assert {head.split(b"\r\n")[0] for head in proxy.heads} == {b"CONNECT pay.example:443 HTTP/1.1"}
    assert all(
        b"proxy-authorization: basic dXNlcjpodW50ZXIy".lower() in head.lower()
        for head in proxy.heads
    )
    assert [secret for secret in SECRETS if secret in proxy.record.received] == []
    assert all(secret in provider.record.received for secret in SECRETS)
    assert b"hunter2" not in provider.record.received
    assert b"proxy-" not in provider.record.received.lower()


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
@pytest.mark.parametrize(
    "proxy", ["http://proxy.example:3128", "http://127.0.0.1:3128", "http://10.0.0.1:3128"]
)
def test_an_unencrypted_url_through_a_proxy_is_refused(client, proxy):
    for given in (proxy, httpx.URL(proxy), httpx.Proxy(proxy)):
        with pytest.raises(ConfigurationError, match=UNENCRYPTED):
            client(AUTH, base_url="http://127.0.0.1:8900", proxy=given)


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
@pytest.mark.parametrize("how", ["argument", "variable", "TLS for a proxy without it", "SOCKS"])
def test_a_proxy_that_no_tunnel_leads_through_is_refused(client, how, monkeypatch):
    given = {
        "argument": {"proxy": "https://user:hunter2@proxy.example"},
        "variable": {},
        "TLS for a proxy without it": {
            "proxy": httpx.Proxy(
                "http://user:hunter2@proxy.example", ssl_context=ssl.create_default_context()
            )
        },
        "SOCKS": {"proxy": "socks5://user:hunter2@proxy.example"},
    }[how]
    if how == "variable":
        monkeypatch.setenv("HTTPS_PROXY", "https://user:hunter2@proxy.example")
        monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ConfigurationError, match=r"pass transport=httpx\.HTTPTransport") as refused:
        client(AUTH, base_url="https://pay.example", **given)
    assert "hunter2" not in str(refused.value)
