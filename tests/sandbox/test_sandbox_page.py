"""The page as it is served: what it shows, who may see it, and what it tells as things happen."""

import html
import json
import re
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.sandbox.desks import desk_of
from tests.sandbox.sandbox_callers import KEY, RawConnection
from victor_ext.sandbox import RemoteSandbox
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


def test_requests_are_grouped_by_key(start, http):
    sandbox, caller = start(demo_data=True)
    sandbox.inject("lose_answer", operation="create", times=2)
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            caller.create(KEY)
    caller.create(KEY)
    sandbox.inject("status", operation="create", status=503)
    caller.create("another key that leads to nothing")
    with watching(sandbox.url) as message:
        groups = message()["lists"]["groups"]
    assert groups["order"][:2] == ["key:another key that leads to nothing", f"key:{KEY}"]
    nothing, twice = (groups["html"][each] for each in groups["order"][:2])
    assert all(text in nothing for text in ("nothing made", "status 503")), nothing
    assert all(text in twice for text in ("3 attempts", "lose_answer \u00d72<", "44.23 USD<")), (
        twice
    )
    assert twice.count('class="row record"') == 2, "the request and its inbound twin"


def test_a_key_with_more_than_one_request_is_marked_on_the_page(start, http):
    sandbox, caller = start(key_repeat="new")
    caller.created(key=KEY)
    assert "under one key" not in http.get(sandbox.url).text
    caller.created(key=KEY)
    assert "2 requests under one key" in http.get(sandbox.url).text


def test_the_page_of_a_record_shows_its_calls_and_statuses_in_order(start, http):
    sandbox, caller = start(demo_data=True)
    sandbox.advance(3600)
    sandbox.inject("status", operation="create")
    caller.create(KEY)
    child = caller.create(KEY).json()["victor_payment_request_child_id"]
    caller.respond(child, notes="Paid in full")
    sandbox.advance(1)
    parent = sandbox.request(child)["parent_id"]
    found = http.get(f"{sandbox.url}{PAGE}/records/{parent}").text
    timeline = as_read(found.partition('class="timeline"')[2].partition("</ol>")[0])
    order = (
        "create, attempt 1|503|fault: status, before the work|create, attempt 2|did the work|"
        "created|of the business clock|respond|accepted|completed"
    )
    assert re.search(order.replace("|", ".*"), timeline), timeline
    assert "Paid in full" in found
    assert child in found


def test_a_key_is_shown_whole_and_a_number_that_may_be_an_account_is_not(sandbox, caller, http):
    key = "6a1f0c52-9c1f-4f0e-8d7b-6a1234566905"
    made = caller.created(key=key, notes="To 998877665544")["victor_payment_request_id"]
    found = http.get(f"{sandbox.url}{PAGE}/records/{made}").text
    assert (f"<dd>{key}</dd>" in found, "998877665544" in found) == (True, False)


def test_a_call_shows_the_exchange_without_credentials(sandbox, caller, http):
    caller.create(KEY, {"payee": {"account_number": "998877665544"}, "note": HOSTILE})
    shown = http.get(f"{sandbox.url}{PAGE}/calls/1").text
    assert not [text for text in ("eyJ", "998877665544", "<script") if text in shown]
    assert all(text in shown for text in ("Token …", "••••••••5544", KEY, "400")), shown


def test_a_request_that_was_cut_off_is_shown_as_far_as_it_came(sandbox, caller, http):
    sandbox.inject("cut_request", operation="create", after=-5)
    with pytest.raises(httpx.TransportError):
        caller.create(KEY)
    shown = http.get(f"{sandbox.url}{PAGE}/calls/1").text
    assert all(text in shown for text in ("cut_request", "There was none.", KEY)), shown
    assert "043987673645" not in shown


def test_old_contents_are_forgotten_and_the_page_says_so(sandbox, caller, http):
    for _ in range(201):
        caller.http.get("/v2")
    assert "have been forgotten" in http.get(f"{sandbox.url}{PAGE}/calls/1").text
    assert "user-agent" in http.get(f"{sandbox.url}{PAGE}/calls/2").text


def test_the_page_of_an_unknown_record_key_or_call_is_a_404(sandbox, http):
    for path in ("records/X", "keys/X", "calls/7", "calls/0"):
        answer = http.get(f"{sandbox.url}{PAGE}/{path}")
        assert (answer.status_code, "Not here" in answer.text) == (404, True), path
    assert http.get(f"{sandbox.url}{PAGE}/nonsense").json()["error"] == "no_such_command"


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


def test_an_open_page_lasts_through_down_and_ends_with_the_sandbox(sandbox):
    with watching(sandbox.url) as message:
        message()
        sandbox.down()
        sandbox.create_inbound("7.00")
        assert "7.00" in str(message())
        sandbox.up()
        sandbox.stop()
        with pytest.raises((AssertionError, ConnectionError)):
            message()


# What the page can do


def test_a_request_and_its_twin_are_answered_and_expire_together(start):
    sandbox, caller = start(demo_data=True)
    made = caller.created(amount_modification_allowed=True)
    other = caller.created()
    RemoteSandbox(sandbox.url).respond(
        made["victor_payment_request_id"], "Accepted", modified_amount="40.00"
    )
    both = [sandbox.request(made[f"victor_payment_request_{which}id"]) for which in ("", "child_")]
    assert {(each["status"], each["amount"]) for each in both} == {("accepted", "40.00")}
    sandbox.expire(other["victor_payment_request_child_id"])
    assert sandbox.request(other["victor_payment_request_id"])["status"] == "expired"
    with pytest.raises(ValueError, match="is expired; only one without an answer can expire"):
        sandbox.expire(other["victor_payment_request_id"])


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


def test_an_id_of_a_provider_without_records_leads_to_its_calls(http):
    with desk_of("eastpay") as desk:
        secrets = {"card.number": "4111111111111111", "card.cvv": "765"}
        desk.pay("DB", merchantTransactionId="INV-1", **secrets)
        desk.inquiry()
        call, record = (
            http.get(f"{desk.sandbox.url}{PAGE}/{place}").text
            for place in ("calls/1", f"records/{desk.payment}")
        )
    assert f'<a href="#/records/{desk.payment}">INV-1, {desk.payment}</a>' in call
    assert [each in call for each in ("1111", "4111", "765")] == [True, False, False]
    calls = re.findall(r'<a href="#/calls/(\d)">(\w+)', record)
    assert calls == [("1", "pay"), ("2", "inquire")]


# Who may see it


def test_the_page_of_the_sandbox_loads_no_file_from_elsewhere(sandbox, http):
    for path in ("/", "/docs", f"{PAGE}/page.js", f"{PAGE}/page.css", f"{PAGE}/icon.svg"):
        text = http.get(sandbox.url + path).text.replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]{2,}", text) == [], path
        for asset in re.findall(r'(?:src|href)="(/[^"#]*)"', text):
            assert http.get(sandbox.url + asset).status_code == 200, asset


def test_the_page_and_the_control_api_respond_while_every_call_is_refused(sandbox, http):
    sandbox.inject("refuse", times=None)
    assert http.get(sandbox.url).status_code == 200
    assert http.get(sandbox.url + "/docs").status_code == 200
    assert http.get(sandbox.url + "/_sandbox/faults").json()[0]["applied"] == 0
    assert sandbox.received() == []
