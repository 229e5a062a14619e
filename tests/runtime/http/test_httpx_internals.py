"""What is used of httpx beyond its public interface: in one module, and checked when it is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

import victor_ext
from victor_ext.runtime.http import httpx_internals

PACKAGE = Path(victor_ext.__file__).parent
ACCESS = re.compile(r"(?<!\bself)(?<!\bcls)\.(_[a-z][a-z_0-9]*)\b")
LIBRARIES = re.compile(r"\b(?:httpx|httpcore|h11)\._(?!_)")
NEEDED = {"_content"}


class MovedContent(httpx.Response):
    """A response of a release that keeps the body under another name."""

    @property
    def content(self) -> bytes:
        return getattr(self, "_body", b"")


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
    ]  # fmt: skip
    return {name for each in made for name in dir(each) if name.startswith("_") and not name.startswith("__")}


def test_this_release_passes() -> None:
    httpx_internals.probe()


@pytest.mark.parametrize(("moved", "name"), [(MovedContent, "_content"), (SlottedResponse, "__class__")])
def test_an_attribute_that_a_release_moves_is_named(
    moved: type[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx, "Response", moved)
    with pytest.raises(ImportError, match=rf"httpx {httpx.__version__} .*httpx\.Response\.{name} "):
        httpx_internals.probe()


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
