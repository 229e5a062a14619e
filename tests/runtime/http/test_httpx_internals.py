"""What is used of the HTTP libraries beyond their public interface: no private attribute."""

import re
from pathlib import Path

import httpcore
import httpx
import pytest

import victor_ext
from tests.programs import python

PACKAGE = Path(victor_ext.__file__).parent
ACCESS = re.compile(r"(?<!\bself)(?<!\bcls)\.(_[a-z][a-z_0-9]*)\b")
LIBRARIES = re.compile(r"\b(?:httpx|httpcore|h11)\._(?!_)")


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


def test_no_module_uses_private_attributes_of_the_http_libraries():
    private = private_names()
    assert "_uri_reference" in private
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # A name of this package's own may be the same by chance: `other._driver` of a client, for
        # instance.
        lines = [
            line
            for line in text.splitlines()
            if "of the same class" not in line and "its class" not in line
        ]
        assert not set(ACCESS.findall("\n".join(lines))) & private, path
        assert LIBRARIES.search(text) is None, path
