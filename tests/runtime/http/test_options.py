"""Which hosts are called without the proxy of the environment."""

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext._runtime.http.options import proxy_for

PROXY = "http://proxy:3128"
CASES = cases_beside(__file__, "no_proxy")


def set_variables(monkeypatch, **variables):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def direct_origins():
    """Those that are called without the proxy of the environment."""
    return {url for url in CASES["origins"] if proxy_for(httpx.URL(url), None) is None}


@pytest.mark.parametrize("entries", CASES["beyond_httpx"])
def test_entries_of_no_proxy_that_httpx_cannot_read_or_misses_are_read(monkeypatch, entries):
    set_variables(monkeypatch, ALL_PROXY=PROXY, NO_PROXY=entries)
    assert direct_origins() == {*CASES["beyond_httpx"][entries]}
