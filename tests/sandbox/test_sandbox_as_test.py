"""What "Copy as a test" gives is a test that passes, with the fixtures of the plugin as they are."""

from __future__ import annotations

import html
import inspect
import re
from decimal import Decimal

import httpx
import pytest

import victor_ext
from tests.providers.victor.adapter import payment
from victor_ext import VictorJwt
from victor_ext.sandbox import Sandbox, SandboxSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def seen():
    """The sandbox in which something has happened."""
    with Sandbox(SandboxSettings(demo_data=True)) as sandbox:
        yield sandbox


@pytest.fixture
def client(seen, victor_key_pair, victor_retry):
    private, public = victor_key_pair
    auth = VictorJwt(seen.add_api_key(public), private)
    with victor_ext.Victor(auth, base_url=seen.url, retry=victor_retry) as client:
        yield client


def ask(client, payer="aHeq349838", **more):
    return client.payment_requests.create(**payment(payer_counterparty_id=payer, **more))


def copied(sandbox, record_id) -> str:
    page = httpx.get(f"{sandbox.url}/_sandbox/page/records/{record_id}").text
    return html.unescape(re.search(r'<pre id="test-text"[^>]*>(.*?)</pre>', page, re.DOTALL)[1])


def run(source: str, request) -> None:
    """Run the one test in a source with the fixtures that it names."""
    names: dict = {}
    exec(compile(source, "copied", "exec"), names)  # the sandbox's own text is what is tested
    (function,) = (each for name, each in names.items() if name.startswith("test_"))
    function(*(request.getfixturevalue(name) for name in inspect.signature(function).parameters))


def accepted_after_faults(seen, client):
    seen.inject("lose_answer", operation="create")
    seen.inject("status", operation="create", status=502, work=True)
    made = ask(client, notes='It\'s "so"\n\u202e', client_reference_id="INV-1042")
    seen.respond(made.child_id, "Accepted", "Paid in full")
    seen.advance(1)
    return made.id


def another_amount(seen, client):
    made = ask(client, amount_modification_allowed=True)
    seen.respond(made.id, "Accepted", modified_amount="40.00")
    client.payment_requests.get(made.id)
    return made.id


def accepted_elsewhere(seen, client):
    made = ask(client, "ignoresRfp")
    seen.respond(made.id, "Accepted", "Paid")
    seen.advance(1)
    return made.id


def failed(seen, client):
    made = ask(client, "failsRfp")
    seen.advance(1)
    return made.id


def expired(seen, client):
    made = ask(client, "someone")
    seen.expire(made.id)
    return made.id


def stalled_and_limited(seen, client):
    seen.inject("rate_limit", operation="create", retry_after=0)
    seen.inject("cut_request", operation="create")
    return ask(client, "acme000001").id


def inbound_declined(seen, client):
    request_id = seen.create_inbound("129.95")
    client.payment_requests.decline(request_id, notes="Not ours")
    return request_id


def inbound_accepted(seen, client):
    request_id = seen.create_inbound("129.95", notes="Invoice 2203", amount_modification_allowed=True)
    seen.inject("lose_answer", operation="respond")
    client.payment_requests.accept(request_id, notes="Fine", modified_amount=Decimal("100.00"))
    return request_id


def inbound_pending(seen, client):
    return seen.create_inbound("7.00", payee_account="998877665544")


OUTBOUND = (accepted_after_faults, another_amount, accepted_elsewhere, failed, expired, stalled_and_limited)
INBOUND = (inbound_declined, inbound_accepted, inbound_pending)


@pytest.mark.parametrize("life", [*OUTBOUND, *INBOUND], ids=lambda life: life.__name__)
def test_what_is_copied_passes_and_makes_the_same(life, seen, client, victor_sandbox, request):
    source = copied(seen, life(seen, client))
    run(source, request)
    was, made = seen.requests()[2], victor_sandbox.requests()[-1]  # after those of the demo data; twins are not made
    same = ("direction", "status", "amount", "notes", "client_reference_id", "approval_notes", "idempotency_key")
    assert [made.get(name) for name in same] == [was.get(name) for name in same]
    met = [[each.fault for each in sandbox.received() if each.fault] for sandbox in (seen, victor_sandbox)]
    assert met[0] == met[1]


def test_a_refusal_that_ended_a_call_before_is_left_out(seen, client, victor_sandbox, request):
    seen.inject("status", operation="create", status=403)
    key = "invoice-1042-" + "0" * 20
    with pytest.raises(victor_ext.PermissionDenied):
        ask(client, idempotency_key=key)
    source = copied(seen, ask(client, idempotency_key=key).id)
    run(source, request)
    assert victor_sandbox.attempts_by_key() == {key: 1}


def test_what_is_copied_fails_when_the_life_was_another_one(seen, client, request):
    source = copied(seen, failed(seen, client))
    with pytest.raises(AssertionError):
        run(source.replace('== "failed"', '== "completed"'), request)


def test_it_reads_as_one_would_write_it(seen, client):
    source = copied(seen, accepted_after_faults(seen, client))
    assert source.startswith("from datetime import UTC, datetime\nfrom decimal import Decimal\n\n\ndef test_")
    for line in (
        "def test_a_request_that_is_completed(victor_sandbox, victor, faults, sent_once):",
        '    faults.lose_answer(operation="create")',
        '    faults.status(502, operation="create", work=True)',
        "    sent_once(request.idempotency_key)",
        "    request = victor.payment_requests.create(",
        '        amount=Decimal("44.23"),',
        '    victor_sandbox.respond(request.id, "Accepted", notes="Paid in full")',
        "    (listed,) = victor.payment_requests.list(victor_id=request.id)",
        '    assert listed.status == "completed"',
    ):
        assert line in source.splitlines(), source


def test_an_account_of_a_person_is_not_in_it(seen, client):
    notes = "To 998877665544, for order 42"
    more = {"payee_account_number": "998877665544", "client_reference_id": "INV-20261042"}
    source = copied(seen, ask(client, notes=notes, **more).id)
    assert "998877665544" not in source
    shown = ('"000000005544"', '"To 000000005544, for order 42"', '"INV-20261042"')
    assert all(text in source for text in shown), source
