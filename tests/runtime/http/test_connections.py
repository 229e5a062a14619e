"""Which origins the environment's NO_PROXY means: what httpx makes of it, and what it cannot read."""

from __future__ import annotations

import ssl

import httpx
import pytest

from victor_ext.runtime.http.connections import proxy_for

PROXY = "http://proxy:3128"
ORIGINS = (
    *("https://api.example.com", "https://api.example.com:8443", "https://api.example.com:443"),
    *("https://example.com", "https://example.com.", "https://notexample.com", "https://bücher.example"),
    *("https://10.0.0.5", "https://10.0.0.5:8443", "https://[fd00::5]", "https://[fd00::5]:8443"),
    *("http://example.com:8443", "http://10.0.0.5"),
)
ENTRIES = (
    *("", "*", "other.example,*", " other.example , api.example.com ", "other.example example.com"),
    *("example.com", "EXAMPLE.com", ".example.com", "*.example.com", "ample.com", "com", "example.com."),
    *("example.com:8443", "api.example.com:8443", ".example.com:8443", "example.com/path"),
    *("10.0.0.5", "10.0.0.5:8443", "10.0.0.0/8", "10.0.0.5/32", "fd00::5", "fd00::6"),
    *("http://example.com", "https://example.com", "https://api.example.com:8443", "all://*.example.com"),
    *("https://*.example.com", "https://*example.com", "https://[fd00::5]:8443", "https://10.0.0.5"),
)


def set_variables(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def direct_origins() -> set[str]:
    """Those that are called without the proxy of the environment."""
    return {url for url in ORIGINS if proxy_for(httpx.URL(url), None) is None}


@pytest.mark.parametrize("entries", ENTRIES)
def test_they_mean_what_they_mean_to_httpx(monkeypatch: pytest.MonkeyPatch, entries: str) -> None:
    for variables in ({"NO_PROXY": entries}, {"no_proxy": entries}, {"NO_PROXY": "*", "no_proxy": entries}):
        set_variables(monkeypatch, ALL_PROXY=PROXY, **variables)
        with httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as reference:
            direct = {url for url in ORIGINS if reference._transport_for_url(httpx.URL(url)) is reference._transport}
        assert direct_origins() == direct, variables


@pytest.mark.parametrize(
    ("entries", "direct"),
    [
        ("[fd00::5]", {"https://[fd00::5]", "https://[fd00::5]:8443"}),
        ("[fd00::5]:8443", {"https://[fd00::5]:8443"}),
        ("fd00::/8", set()),
        ("https://example.com:443", {"https://example.com"}),
        ("api.example.com:443", {"https://api.example.com", "https://api.example.com:443"}),
        ("example.com:x,10.0.0.5:8443", {"https://10.0.0.5:8443"}),
        ("bücher.example", {"https://bücher.example"}),
        ("xn--bcher-kva.example", {"https://bücher.example"}),
        (".,:8443,https://", set()),
    ],
)
def test_those_that_httpx_does_not_start_with_or_misses(
    monkeypatch: pytest.MonkeyPatch, entries: str, direct: set[str]
) -> None:
    set_variables(monkeypatch, ALL_PROXY=PROXY, NO_PROXY=entries)
    assert direct_origins() == direct
