"""A proxy is told which host is called, and nothing else; and only when nobody else could listen in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from certificates import Authority
from cryptography import x509
from journeys import Face
from raw_sockets import Background, background
from recorder import Recorder, RecordingProxy
from sought import ACCOUNT

from victor_ext import AsyncVictor, ConfigurationError, PaymentRequest, Victor, VictorOAuth

AUTH = VictorOAuth("client-id", "not-a-secret")
SECRETS = (b"not-a-secret", b"t" * 40, b"Bearer", ACCOUNT.encode(), b"/v2/", b"\r\nAuthorization:")
each_face = pytest.mark.parametrize("face", ["sync", "async"])


@pytest.fixture(scope="module", name="loop")
def _loop() -> Iterator[Background]:
    with background() as made:
        yield made


@each_face
@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_proxy_sees_a_name_and_ciphertext(
    face: str, how: str, loop: Background, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Recorder(loop, authority.server(x509.DNSName("pay.example")))
    proxy = RecordingProxy(loop, provider.port)
    address = f"http://user:hunter2@127.0.0.1:{proxy.port}"
    given = {"proxy": address} if how == "argument" else {}
    if how == "variable":
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.delenv("NO_PROXY", raising=False)
    client = Face(
        face, AUTH, environment="production", base_url="https://pay.example", verify=authority.trusted(), **given
    )
    told = client("accept", id="b34783af0", notes=ACCOUNT)
    client.close()
    provider.close()
    proxy.close()

    assert isinstance(told, PaymentRequest)
    assert {head.split(b"\r\n")[0] for head in proxy.requests} == {b"CONNECT pay.example:443 HTTP/1.1"}
    assert [secret for secret in SECRETS if secret in proxy.received] == []
    assert all(secret in provider.received for secret in SECRETS)
    assert b"hunter2" not in provider.received
    assert b"proxy-" not in provider.received.lower()


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", "https://proxy.example", "http://10.0.0.1:3128"])
def test_what_is_not_encrypted_goes_through_no_proxy_elsewhere(client: Any, proxy: str) -> None:
    for given in (proxy, httpx.URL(proxy), httpx.Proxy(proxy)):
        with pytest.raises(ConfigurationError, match="would be sent tokens and account numbers unencrypted"):
            client(AUTH, base_url="http://127.0.0.1:8900", proxy=given)


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
def test_a_proxy_on_this_machine_may_see_what_goes_to_this_machine(client: Any) -> None:
    client(AUTH, base_url="http://127.0.0.1:8900", proxy="http://localhost:8080")
