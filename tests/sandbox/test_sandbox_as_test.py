"""What "Copy as a test" gives is a test that passes, with the fixtures of the plugin as they
are.
"""

import html
import inspect
import re

import httpx
import pytest

import victor_ext
from tests.cases import cases_beside
from tests.providers.victor.adapter import payment
from victor_ext import VictorJwt
from victor_ext.sandbox import Sandbox, SandboxSettings

pytestmark = pytest.mark.pull_request


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


def ask(client, **more):
    return client.payment_requests.create(
        **payment(**{"payer_counterparty_id": "aHeq349838", **more})
    )


def copied(sandbox, record_id) -> str:
    page = httpx.get(f"{sandbox.url}/_sandbox/page/records/{record_id}").text
    return html.unescape(re.search(r'<pre id="test-text"[^>]*>(.*?)</pre>', page, re.DOTALL)[1])


def run(source: str, request) -> None:
    """Run the one test in a source with the fixtures that it names."""
    names: dict = {}
    exec(compile(source, "copied", "exec"), names)  # the sandbox's own text is what is tested
    (function,) = (each for name, each in names.items() if name.startswith("test_"))
    function(*(request.getfixturevalue(name) for name in inspect.signature(function).parameters))


LIVES = cases_beside(__file__)["lives that are copied"]


def live(sandbox, client, name) -> str:
    """Let a request live as the case says; returns its id."""
    life = LIVES[name]
    for kind, options in life.get("faults", []):
        sandbox.inject(kind, **options)
    request_id = (
        ask(client, **life["asked"]).id
        if "asked" in life
        else sandbox.create_inbound(**life["inbound"])
    )
    for way, given in life.get("answered", {}).items():
        target = sandbox if way == "respond" else client.payment_requests
        getattr(target, way)(request_id, **given)
    if life.get("expires"):
        sandbox.expire(request_id)
    sandbox.advance(life.get("seconds", 0))
    return request_id


@pytest.mark.parametrize("life", LIVES)
def test_what_is_copied_passes_and_makes_the_same(life, seen, client, victor_sandbox, request):
    source = copied(seen, live(seen, client, life))
    run(source, request)
    # after those of the demo data; twins are not made
    was = seen.requests()[2]
    made = victor_sandbox.requests()[-1]
    same = (
        "direction",
        "status",
        "amount",
        "notes",
        "client_reference_id",
        "approval_notes",
        "idempotency_key",
    )
    assert [made.get(name) for name in same] == [was.get(name) for name in same]
    met = [
        [each.fault for each in sandbox.received() if each.fault]
        for sandbox in (seen, victor_sandbox)
    ]
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
    source = copied(seen, live(seen, client, "failed"))
    with pytest.raises(AssertionError):
        run(source.replace('== "failed"', '== "completed"'), request)


def test_it_reads_as_one_would_write_it(seen, client):
    source = copied(seen, live(seen, client, "accepted after faults"))
    assert source.startswith("from datetime import UTC, datetime\n\n\ndef test_")
    for line in (
        "def test_a_request_that_is_completed(victor_sandbox, victor, faults, sent_once):",
        '    faults.lose_answer(operation="create")',
        '    faults.status(502, operation="create", work=True)',
        "    sent_once(request.idempotency_key)",
        "    request = victor.payment_requests.create(",
        '        amount="44.23",',
        '    victor_sandbox.respond(request.id, "Accepted", notes="Paid in full")',
        "    (listed,) = victor.payment_requests.list(victor_id=request.id)",
        '    assert listed.status == "completed"',
    ):
        assert line in source.splitlines(), source


def test_an_account_of_a_person_is_not_in_it(seen, client):
    notes = "To 998877665544, for order 42"
    seen.add_counterparty("9876543210", account_number="243884643621")
    more = {"payee_account_number": "998877665544", "client_reference_id": "INV-20261042"}
    more["payer_counterparty_id"] = "9876543210"  # it is no account, and another one would be asked
    source = copied(seen, ask(client, notes=notes, **more).id)
    assert "998877665544" not in source
    shown = ('"000000005544"', '"To 000000005544, for order 42"', '"INV-20261042"', '"9876543210"')
    assert all(text in source for text in shown), source
