"""What is used of httpx beyond its public interface: in one module, and checked when it is
imported.
"""

import ast
import re
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
LIBRARIES = re.compile(r"\b(?:httpx|httpcore|h11)\._(?!_)")
NEEDED = {"_uri_reference"}


def private_names():
    """The private attributes of what both libraries make."""
    made = [
        httpx.Client(),
        httpx.AsyncClient(),
        httpx.Request("GET", "https://a.example"),
        httpx.Response(200),
        httpx.HTTPTransport(),
        httpx.AsyncHTTPTransport(),
        httpcore.ConnectionPool(),
        httpcore.AsyncConnectionPool(),
        httpx.URL("https://a.example"),
    ]
    return {
        name
        for each in made
        for name in dir(each)
        if name.startswith("_") and not name.startswith("__")
    }


@pytest.mark.slow
def test_a_journey_passes_with_the_public_interface_of_httpx_alone():
    journey = "tests/journeys/test_asking_for_money.py"
    run = ["-m", "pytest", "-q", "-n", "0", "-p", "tests.public_ways", journey, "-k", "lost_answer"]
    ended = python(*run, cwd=PACKAGE.parent, timeout=None)
    assert ended.returncode == 0, ended.stdout


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


def accessed(text):
    """The private attributes that a module reads of other objects than its own."""
    lines = text.splitlines()
    return {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) not in ("self", "cls")
        # A name of this package's own may be the same by chance: `other._driver` of a client, for
        # instance.
        and not re.search("of the same class|its class", lines[node.lineno - 1])
    }


def test_only_httpx_internals_uses_private_attributes_of_the_http_libraries():
    private = private_names()
    assert private >= NEEDED
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        allowed = NEEDED if path.name == "httpx_internals.py" else set()
        assert accessed(text) & private <= allowed, path
        assert LIBRARIES.search(text) is None, path
