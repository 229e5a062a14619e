"""Who may command a sandbox: programs on this machine, and no web page, by whatever name it
calls.
"""

from urllib.parse import urlsplit

import pytest

from tests.cases import cases_beside
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)
JSON = {"content-type": "application/json"}
CREDENTIALS = {
    Sandbox: "api-keys",
    VeloSandbox: "keys",
    EastPaySandbox: "merchants",
    FlexFactorSandbox: "clients",
}
"""Each sandbox, with the command that makes credentials and hands them over."""


@pytest.fixture(params=CREDENTIALS, ids=lambda kind: kind.__name__)
def any_sandbox(request):
    with request.param() as sandbox:
        yield sandbox


@pytest.fixture
def door(any_sandbox):
    """Where the control API is."""
    return any_sandbox.url + "/_sandbox/"


def refused(answer):
    """That a call was refused as one of a web page; what was said."""
    assert answer.status_code == 403, answer.text
    said = answer.json()
    assert said.keys() == {"error", "message"}
    assert said["error"] in ("foreign_host", "foreign_page")
    assert not {name for name in answer.headers if name.startswith("access-control-")}
    return said["message"]


# By another name (DNS rebinding: a name of the page's own that suddenly means this machine)


def test_a_foreign_host_is_refused_and_gets_no_credentials(any_sandbox, door, http):
    command = door + CREDENTIALS[type(any_sandbox)]
    for host in [each.format(port=urlsplit(door).port) for each in CASES["foreign hosts"]]:
        said = refused(http.post(command, headers={"host": host, **JSON}, content=b"{}"))
        assert f"'{host}'" in said
        assert f"http://127.0.0.1:{urlsplit(door).port}" in said
        assert "--allowed-host" in said
        refused(http.get(door, headers={"host": host}))
        refused(http.get(door + "nonsense", headers={"host": host}))


# From a web page


def of_page(headers, door):
    """The headers of a case, with the host of the sandbox in its places."""
    return {name: value.format(host=urlsplit(door).netloc) for name, value in headers.items()}


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "reset", {}),
        ("GET", "", {}),
        ("DELETE", "faults", {}),
        ("OPTIONS", "reset", {"access-control-request-method": "POST"}),
    ],
    ids=["reset", "read", "clear faults", "ask before"],
)
@pytest.mark.parametrize("headers", CASES["foreign pages"], ids=str)
def test_a_call_of_a_web_page_is_refused(any_sandbox, door, http, headers, method, path, more):
    said = refused(http.request(method, door + path, headers={**of_page(headers, door), **more}))
    assert "accepts no calls from web pages" in said
    assert "from a program" in said


@pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("DELETE", "faults")])
def test_a_refused_command_changes_nothing(any_sandbox, door, http, method, path):
    any_sandbox.inject("status")
    for headers in CASES["foreign pages"]:
        http.request(method, door + path, headers=of_page(headers, door))
    assert len(any_sandbox.faults()) == 1


def test_a_body_of_a_command_is_refused_without_the_content_type_of_json(any_sandbox, door, http):
    """A form, or a script that asks nobody, can send any other type to any address."""
    advance = door + "clock/advance"
    body = b'{"seconds": 1}'
    forms = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
    for content_type in (None, "", *forms, "text/json"):
        headers = {} if content_type is None else {"content-type": content_type}
        answer = http.post(advance, headers=headers, content=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "misuse"), content_type
        assert "Content-Type: application/json" in answer.json()["message"]
    assert any_sandbox.clock()["advanced"] == 0
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert http.post(advance, headers=headers, content=body).status_code == 200


# Other machines


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "::",
        "",
        "0",
        "192.168.7.7",
        "sandbox.example",
        "::ffff:10.0.0.1",
        "127.0.0.1.evil.example",
    ],
)
@pytest.mark.parametrize("kind", CREDENTIALS, ids=lambda kind: kind.__name__)
def test_listening_on_an_address_that_other_machines_can_reach_requires_public(kind, host):
    settings = kind.provider_type.settings_type
    said = r"^host .* other machines, .* listen on 127\.0\.0\.1, or set public \(--public\)"
    with pytest.raises(ValueError, match=said):
        settings(host=host)
    assert settings(host=host, public=True).host == host
