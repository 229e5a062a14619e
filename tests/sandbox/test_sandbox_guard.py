"""Who may command a sandbox: programs on this machine, and no web page."""

import httpx
import pytest

from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},  # of another port
        # A name of the page's own that suddenly means this machine.
        {"sec-fetch-site": "same-origin", "host": "evil.example"},
        {"origin": "http://evil.example", "host": "evil.example"},
        {"referer": "https://evil.example/page"},
        {"referer": "http://127.0.0.1.evil.example/", "host": "127.0.0.1"},
    ],
)
def test_a_call_of_a_web_page_is_refused_and_changes_nothing(sandbox, headers):
    for method, path in (("GET", "/_sandbox/"), ("POST", "/_sandbox/api-keys")):
        answer = httpx.request(method, sandbox.url + path, headers={**JSON, **headers})
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_page")
        assert not {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_page_of_the_sandbox_reads_and_commands_nothing(sandbox, name):
    own = sandbox.url.replace("127.0.0.1", name)
    browser = {"sec-fetch-site": "same-origin", "referer": f"{own}/", "host": own[7:]}
    for headers in (browser, {**browser, "origin": own}):
        assert httpx.get(f"{sandbox.url}/_sandbox/received", headers=headers).status_code == 200
        answer = httpx.post(f"{sandbox.url}/_sandbox/up", headers={**JSON, **headers})
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_page")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_a_command_is_refused_without_the_content_type_of_json(sandbox, kind):
    answer = httpx.post(
        f"{sandbox.url}/_sandbox/faults",
        content=b'{"kind": "refuse"}',
        headers={"content-type": kind},
    )
    assert (answer.status_code, sandbox.faults()) == (400, [])


def test_a_sandbox_listens_on_this_machine_unless_it_is_told_otherwise():
    with Sandbox() as sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")
