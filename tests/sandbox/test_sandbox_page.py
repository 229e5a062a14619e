"""The page as it is served: what it shows, who may see it, and what it tells as things happen."""

import html
import json
import re
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import pytest

from tests.sandbox.sandbox_callers import KEY, RawConnection
from victor_ext.sandbox._command_line import provider_named, providers
from victor_ext.sandbox.server import ServerInThread
from victor_ext.sandbox.server._faults import KINDS, OF_NOTIFICATIONS

pytestmark = pytest.mark.pull_request
PAGE = "/_sandbox/page"
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"


@contextmanager
def watching(url):
    """The page's event stream; yields a function that waits for the next message."""
    with RawConnection(url) as connection:
        connection.send(
            f"GET {PAGE}/events HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\n\r\n".encode()
        )
        received = b""

        def message():
            nonlocal received
            while not (found := re.search(rb"data: (.*?)\n\n", received)):
                part = connection.socket.recv(65536)
                assert part, "the stream ended"
                received += part
            received = received[found.end() :]
            return json.loads(found[1])

        yield message


# What is shown


def test_the_page_shows_requests_keys_amounts_and_the_clock(start, http):
    sandbox, caller = start(demo_data=True)
    made = caller.created(key=KEY, notes="Invoice 1042")
    page = http.get(sandbox.url)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    texts = ("Victor sandbox (staging)", "44.23", "Invoice 1042", "Victor Doe", "129.95", KEY[:13])
    assert [text for text in (*texts, "1 attempt") if text not in page.text] == []
    assert f"#/records/{made['victor_payment_request_id']}" in page.text
    sandbox.advance(90_061)
    assert "advanced by 1 day, 1:01:01<" in http.get(sandbox.url).text
    assert sandbox.received()[-1].operation == "create", "looking is not recorded"


def test_a_call_shows_the_exchange_without_credentials(sandbox, caller, http):
    caller.create(KEY, {"payee": {"account_number": "998877665544"}, "note": HOSTILE})
    shown = http.get(f"{sandbox.url}{PAGE}/calls/1").text
    assert not [text for text in ("eyJ", "998877665544", "<script") if text in shown]
    assert all(text in shown for text in ("Token …", "••••••••5544", KEY, "400")), shown


@pytest.mark.parametrize("text", [HOSTILE, "'\"&<>`{{7*7}}{%x%}", "</textarea></script>\x00\u202e"])
def test_text_of_a_caller_never_becomes_html_on_the_page(sandbox, http, text):
    """In every field that a caller or a test can fill."""
    sandbox.add_counterparty("hostile", name=text)
    request_id = sandbox.create_inbound(notes=text)
    sandbox.move(request_id, "failed", text)
    path, key = quote(text, errors="replace"), ascii(text)
    http.get(f"{sandbox.url}/{path}", headers={"idempotency-key": key})
    with watching(sandbox.url) as message:
        pages = ["".join(message()["lists"]["groups"]["html"].values())]
    own = ("/", *(f"{PAGE}/{name}" for name in (f"records/{request_id}", "calls/1", f"keys/{key}")))
    pages += [http.get(sandbox.url + quote(path)).text for path in own]
    for page in pages:
        scripts = re.findall(r"<script[^>]*>", page)
        assert scripts in ([], ['<script type="module" src="/_sandbox/page/page.js">'])
        assert "<img" not in page
        assert "Not here" not in page
        assert "{{7*7}}" in page or "{{7*7}}" not in text, "a template has computed it"


# Live


def test_the_stream_of_the_page_sends_only_the_parts_that_have_changed(sandbox, caller):
    nothing = {"order": [], "html": {}}
    with watching(sandbox.url) as message:
        first = message()
        assert (first["lists"]["groups"], {*first["parts"]}) == (nothing, {"clock", "faults"})
        request_id = sandbox.create_inbound("5.00", notes="Rent")
        second = message()
        assert "Rent" in second["lists"].pop("groups")["html"][request_id]
        assert (second["lists"], "parts" in second) == ({}, False)
        sandbox.inject("status")
        assert "status 503" in message()["parts"]["faults"]
        sandbox.reset()
        assert message()["lists"]["groups"] == nothing


# What the page can do


# The control API on a page


@pytest.mark.parametrize("name", providers())
def test_every_command_is_on_the_page_of_the_control_api_and_in_its_list(name, http):
    provider = provider_named(name)

    commands = provider.commands_type.commands()
    with type(
        "Here", (provider.commands_type, ServerInThread), {"provider_type": provider}
    )() as it:
        shown = http.get(it.url + "/docs").text
        listed = http.get(it.url + "/_sandbox/").json()["commands"]
    assert [each["call"] for each in listed] == [f"{each.method} {each.path}" for each in commands]
    assert all(each["what"] for each in listed)
    kinds = [kind for kind in KINDS if provider.resending or kind not in OF_NOTIFICATIONS]
    assert re.findall("<code>([a-z_]+)</code> ", shown.rpartition("Kinds of faults")[2]) == kinds
    for each in commands:
        assert f"<b>{each.method}</b> <code>{each.path}</code>" in shown
        for paragraph in each.documentation.split("\n\n"):
            assert " ".join(paragraph.replace("`", "").split()) in as_read(shown)
        for parameter in each.parameters:
            assert f"{parameter.name} {parameter.takes.replace('`', '')}" in as_read(shown)
    assert not re.findall(r"`|&lt;class|typing|\| None|JSON value", shown)


def as_read(page):
    """The text of a page, as a reader sees it."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


# Who may see it
