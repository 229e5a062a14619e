"""What is used of httpx beyond its public interface: in one module, and checked when it is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import victor_ext
from victor_ext.runtime.http import httpx_internals

PACKAGE = Path(victor_ext.__file__).parent
ACCESS = re.compile(r"(?<!\bself)(?<!\bcls)\.(_[a-z][a-z_0-9]*)\b")
LIBRARIES = re.compile(r"\b(?:httpx|httpcore|h11)\._(?!_)")
NEEDED = {"_content", "_uri_reference"}


class MovedContent(httpx.Response):
    """A response of a release that keeps the body under another name."""

    @property
    def content(self) -> bytes:
        return getattr(self, "_body", b"")


class MovedParts(httpx.URL):
    """A URL of a release that keeps its parts under another name."""

    def __getattribute__(self, name: str) -> Any:
        if name == "_uri_reference":
            raise AttributeError(name)
        return super().__getattribute__(name)


class SlottedResponse:
    """A response of a release whose objects have fixed attributes."""

    __slots__ = ("status_code", "stream")

    def __init__(self, status_code: int, stream: object) -> None:
        self.status_code, self.stream = status_code, stream


def private_names() -> set[str]:
    """The private attributes of what both libraries make."""
    made: list[Any] = [
        httpx.Client(), httpx.AsyncClient(), httpx.Request("GET", "https://a.example"), httpx.Response(200),
        httpx.HTTPTransport(), httpx.AsyncHTTPTransport(), httpcore.ConnectionPool(), httpcore.AsyncConnectionPool(),
        httpx.URL("https://a.example"),
    ]  # fmt: skip
    return {name for each in made for name in dir(each) if name.startswith("_") and not name.startswith("__")}


def test_this_release_passes() -> None:
    httpx_internals.probe()


@pytest.mark.parametrize(
    ("moved", "name"),
    [(MovedContent, "Response._content"), (SlottedResponse, "Response.__class__"), (MovedParts, "URL._uri_reference")],
)
def test_an_attribute_that_a_release_moves_is_named(
    moved: type[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx, name.partition(".")[0], moved)
    with pytest.raises(ImportError, match=rf"httpx {httpx.__version__} .*httpx\.{re.escape(name)} "):
        httpx_internals.probe()


PIECES = st.one_of(
    st.sampled_from(
        ["/", "//", ".", "..", "%2F", "%2f", "%zz", "%", "?", "#", "&", "=", " ", "a", "é", "\n", "@", ":", "["]
    ),
    st.text(max_size=3),
)


@given(
    base=st.sampled_from(
        ["https://api.example", "http://127.0.0.1:8900/", "https://[::1]:8/a%20b/", "https://x.example/v1"]
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
def test_a_url_below_another_is_that_of_both_texts(base: str, target: str) -> None:
    def parts(make: Callable[[], httpx.URL]) -> object:
        try:
            url = make()
        except httpx.InvalidURL as error:
            return str(error)
        return str(url), url.raw_scheme, url.raw_host, url.port, url.raw_path, url.query, url.fragment

    joined = base.removesuffix("/") + target
    assert parts(lambda: httpx_internals.url_below(httpx.URL(base), target)) == parts(lambda: httpx.URL(joined))


def test_it_is_noticed_before_a_client_can_be_made() -> None:
    code = (
        "import httpx\n"
        "httpx.Response.content = property(lambda response: b'')\n"
        "try:\n"
        "    from victor_ext import Victor\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "httpx.Response._content" in said


def test_no_other_module_uses_private_attributes_of_these_libraries() -> None:
    private = private_names()
    assert private >= NEEDED
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        allowed = NEEDED if path.name == "httpx_internals.py" else set()
        # A name of this package's own may be the same by chance: `other._driver` of a client, for instance.
        lines = [line for line in text.splitlines() if "of the same class" not in line and "its class" not in line]
        assert set(ACCESS.findall("\n".join(lines))) & private <= allowed, path
        assert LIBRARIES.search(text) is None, path
