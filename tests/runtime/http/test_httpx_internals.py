"""What is used of httpx beyond its public interface is checked when it is imported."""

from functools import partial, wraps
from pathlib import Path
from unittest import mock

import httpcore
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import victor_ext
from tests.programs import python
from victor_ext._runtime.http import httpx_internals

PACKAGE = Path(victor_ext.__file__).parent


@pytest.mark.slow
def test_a_journey_passes_with_the_public_interface_of_httpx_alone():
    journey = "tests/journeys/test_asking_for_money.py"
    run = ["-m", "pytest", "-q", "-n", "0", "-p", "tests.public_ways", journey, "-k", "lost_answer"]
    ended = python(*run, cwd=PACKAGE.parent, timeout=None)
    assert ended.returncode == 0, ended.stdout


CLIENTS = [httpx.Client, httpx.AsyncClient]
REPLACED = {
    "respx, vcrpy": [
        (httpcore.ConnectionPool, "handle_request"),
        (httpcore.AsyncConnectionPool, "handle_async_request"),
    ],
    "respx": [
        (httpcore.HTTPConnection, "handle_request"),
        (httpcore.AsyncHTTPConnection, "handle_async_request"),
    ],
    "respx with using='httpx', pook": [(client, "_transport_for_url") for client in CLIENTS],
    "pytest-httpx, OpenTelemetry": [
        (httpx.HTTPTransport, "handle_request"),
        (httpx.AsyncHTTPTransport, "handle_async_request"),
    ],
    "vcrpy before 7": [(client, "_send_single_request") for client in CLIENTS],
    "Sentry, Datadog": [(client, "send") for client in CLIENTS],
    "AWS X-Ray": [(httpx, client.__name__) for client in CLIENTS],
}
"""What libraries replace or wrap."""


@pytest.mark.parametrize("library", REPLACED)
def test_whoever_replaces_a_part_of_httpx_is_in_front_until_it_is_put_back(library, monkeypatch):
    for owner, name in REPLACED[library]:
        usual = getattr(owner, name)
        is_class = isinstance(usual, type)
        wrapper = type(name, (usual,), {}) if is_class else wraps(usual)(partial(usual))
        assert not httpx_internals.SENDING.are_replaced()
        monkeypatch.setattr(owner, name, wrapper)
        assert httpx_internals.SENDING.are_replaced()
        monkeypatch.undo()
    assert not httpx_internals.SENDING.are_replaced()


PIECES = st.one_of(
    st.sampled_from([*"/?#&= a\u00e9\n@:[%", "//", ".", "..", "%2F", "%2f", "%zz"]),
    st.text(max_size=3),
)


@given(
    base=st.sampled_from(
        [
            "https://api.example",
            "http://127.0.0.1:8900/",
            "https://[::1]:8/a%20b/",
            "https://x.example/v1",
        ]
    ),
    target=st.lists(PIECES, max_size=8).map(lambda pieces: "/" + "".join(pieces)),
)
@example(base="https://api.example/v1", target="/p/" + 70_000 * "a")
@example(base="https://api.example/v1", target="/%zz?%")
@example(base="https://api.example/v1", target="/{id}")
@example(base="https://api.example/v1", target='/a?"#')
@example(base="https://api.example/v1", target="/é?é#é")
@example(base="https://api.example/v1", target="/a/../b/./c")
@example(base="https://api.example/v1", target="/a\n")
def test_a_target_joined_to_a_base_url_is_the_url_of_both_texts(base, target):
    def parts(make):
        try:
            url = make()
        except httpx.InvalidURL as error:
            return str(error)
        return (
            str(url),
            url.raw_scheme,
            url.raw_host,
            url.port,
            url.raw_path,
            url.query,
            url.fragment,
        )

    joined = base.removesuffix("/") + target
    assert parts(lambda: httpx_internals.url_below(httpx.URL(base), target)) == parts(
        lambda: httpx.URL(joined)
    )


@pytest.mark.parametrize(
    "moved", [AttributeError("_uri_reference"), httpx.URL("https://elsewhere.example")]
)
def test_a_release_of_httpx_that_has_moved_a_private_part_is_noticed(moved, monkeypatch):
    monkeypatch.setattr(httpx_internals, "_with_target", mock.Mock(side_effect=[moved]))
    assert not httpx_internals._can_append()
