"""Which proxy a client uses without an argument."""

import pytest

from victor_ext import Victor, VictorOAuth

AUTH = VictorOAuth("client-id", "not-a-secret")
PROXY = "http://user:not-a-secret@proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        ("https://pay.example", {"HTTPS_PROXY": PROXY}, "proxy.example:3128"),
        ("https://pay.example", {"https_proxy": "proxy.example"}, "proxy.example:80"),
        ("https://pay.example", {"ALL_PROXY": PROXY}, "proxy.example:3128"),
        ("https://pay.example", {"HTTP_PROXY": PROXY}, None),
        ("https://pay.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "pay.example"}, None),
        ("https://a.pay.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "b.c, pay.example"}, None),
        ("https://pay.example:8443", {"ALL_PROXY": PROXY, "no_proxy": "pay.example:8443"}, None),
        (
            "https://pay.example",
            {"ALL_PROXY": PROXY, "NO_PROXY": "a.pay.example"},
            "proxy.example:3128",
        ),
        ("https://127.0.0.1:8443", {"ALL_PROXY": PROXY}, None),
        ("http://localhost:8900", {"HTTP_PROXY": PROXY}, None),
    ],
)
def test_variables_say_which_proxy_is_used(monkeypatch, url, variables, proxy):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Victor(AUTH, base_url=url).proxy == proxy
