"""A proxy learns which host is called, and nothing else; and only over a connection that is safe
from listeners.
"""

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
    ConnectionFailed,
    Outcome,
    PaymentRequest,
    RetryPolicy,
    TimedOut,
    Victor,
    VictorOAuth,
)

pytestmark = pytest.mark.slow
AUTH = VictorOAuth("client-id", "not-a-secret")
SECRETS = (b"not-a-secret", b"t" * 40, b"Bearer", ACCOUNT.encode(), b"/v2/", b"\r\nAuthorization:")


@each_mode
@pytest.mark.parametrize("how", ["argument", "variable", "encrypted"])
def test_a_proxy_sees_a_name_and_ciphertext(mode, how, closed, background, authority, monkeypatch):
    """Also where TLS to the provider is within TLS to the proxy."""
    provider = closed(Recorder(background, authority.server(x509.DNSName("pay.example"))))
    proxy = closed(
        RecordingProxy(
            background, provider.port, authority.server() if how == "encrypted" else None
        )
    )
    address = f"{'https' if how == 'encrypted' else 'http'}://user:hunter2@127.0.0.1:{proxy.port}"
    given = {"proxy": address}
    if how == "encrypted":
        given = {"proxy": httpx.Proxy(address, ssl_context=authority.trusted())}
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
    "proxy", ["http://proxy.example:3128", "https://proxy.example", "http://10.0.0.1:3128"]
)
def test_an_unencrypted_url_through_a_proxy_on_another_machine_is_refused(client, proxy):
    for given in (proxy, httpx.URL(proxy), httpx.Proxy(proxy)):
        with pytest.raises(
            ConfigurationError, match="would be sent tokens and account numbers unencrypted"
        ):
            client(AUTH, base_url="http://127.0.0.1:8900", proxy=given)


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
def test_a_proxy_on_this_machine_may_see_what_goes_to_this_machine(client):
    client(AUTH, base_url="http://127.0.0.1:8900", proxy="http://localhost:8080")


@each_mode
def test_another_server_behind_an_encrypted_proxy_is_sent_nothing(
    mode, closed, background, authority
):
    other = closed(Recorder(background, authority.server(x509.DNSName("other.example"))))
    proxy = closed(RecordingProxy(background, other.port, authority.server()))
    way = httpx.Proxy(f"https://127.0.0.1:{proxy.port}", ssl_context=authority.trusted())
    options = {"verify": authority.trusted(), "proxy": way, "retry": RetryPolicy(max_attempts=1)}
    client = closed(Caller(mode, AUTH, base_url="https://pay.example", **options))
    observed = client("accept", id="b34783af0", notes=ACCOUNT)
    assert isinstance(observed, ConnectionFailed)
    assert observed.outcome is Outcome.NOT_SENT
    assert proxy.heads
    assert other.record.received == b""


@each_mode
def test_a_proxy_on_this_machine_is_told_the_whole_url(mode, closed, background):
    proxy = closed(Recorder(background))  # it answers in the provider's place
    way = f"http://user:hunter2@127.0.0.1:{proxy.port}"
    client = closed(Caller(mode, AUTH, base_url="http://127.0.0.1:8900/at", proxy=way))
    observed = client("get", id="b34783af0")
    assert isinstance(observed, PaymentRequest)
    first = [head.split(b"\r\n")[0] for head in proxy.heads]
    assert first == [
        b"POST http://127.0.0.1:8900/at/v2/auth/token HTTP/1.1",
        b"GET http://127.0.0.1:8900/at/v2/payment-requests/b34783af0 HTTP/1.1",
    ]
    assert all(b"\r\nProxy-Authorization: Basic " in head for head in proxy.heads)


@each_mode
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Log in\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 nonsense\r\n\r\n",
        b"?",
    ],
)
def test_a_proxy_that_refuses_is_named_and_told_nothing(
    mode, answer, closed, background, authority
):
    proxy = closed(RecordingProxy(background, 1, answer=answer))
    options = {
        "verify": authority.trusted(),
        "timeout": 0.5,
        "proxy": f"http://127.0.0.1:{proxy.port}",
    }
    client = closed(Caller(mode, AUTH, base_url="https://pay.example", **options))
    observed = client("accept", id="b34783af0", notes=ACCOUNT)
    assert isinstance(observed, TimedOut if answer == b"?" else ConnectionFailed)
    assert observed.outcome.value == "not_sent"
    assert "the proxy 127.0.0.1: " in str(observed)
    assert [secret for secret in SECRETS if secret in proxy.record.received] == []
