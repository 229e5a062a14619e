"""Every write of every system, prepared and then sent by another process: once, and found again
after it was lost.

What a message says of where to look shows what was done.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import httpx
import pytest

from tests.payments import payment, wire_body
from tests.providers.connected.till import new_payment, operation
from tests.providers.flexfactor.adapter import id_of
from tests.providers.prepared import HEADER, PAGE, prepared, table
from tests.providers.running import GUID, ONCE, scripted
from tests.providers.systems import each_exchange
from tests.providers.test_generated_client_handed_out import changed
from victor_ext import (
    ConfigurationError,
    Done,
    InvalidRequest,
    NotDone,
    NotFound,
    PreparedCall,
    Promise,
    Victor,
    VictorError,
    VictorOAuth,
)
from victor_ext._runtime.core.comparing import Likeness
from victor_ext._runtime.core.json_values import parsed
from victor_ext.providers import Money
from victor_ext.providers.eastpay import Card, EastPay
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.providers.velo._system import PAYOUT_STATUSES

RECENTLY = datetime.now(UTC) - timedelta(minutes=5)
BEGINS_WITH_A_READ = {"velo fund"}


def prepare(client, system, exchange, subject):
    """The call of an exchange as it is after it was stored. One with card data is not stored."""
    if system == "connected":
        body = new_payment(amount=4423, reference=subject)
        call = client.prepare(operation("payments.take_payment"), body=body, idempotency_key=GUID)
    else:
        call = prepared(client, lambda each: exchange.call(each, subject))
    try:
        return PreparedCall.from_text(call.to_text())
    except InvalidRequest:
        assert system == "eastpay"
        return call


each_write = each_exchange(writes=True)


def made(harness, system, exchange, subject):
    """The call, made by a client of its own."""
    return harness(lambda client: prepare(client, system, exchange, subject))


@each_write
def test_a_prepared_call_is_sent_once_by_another_client(harness, system, exchange):
    """No hook of the generated client changes it: one that sets a key of its own would have a
    repeat of it done once more.
    """
    subject = exchange.subject(harness)
    before, sent = exchange.work(harness, subject), len(harness.sent(exchange.word))
    if f"{system} {exchange.word}" in BEGINS_WITH_A_READ:
        with pytest.raises(ConfigurationError, match="begins with a read"):
            made(harness, system, exchange, subject)
        return
    call = made(harness, system, exchange, subject)
    assert len(harness.sent(exchange.word)) == sent, "preparing sends nothing"
    done = harness(lambda client: changed(client).send(call))
    assert isinstance(done, Done)
    assert exchange.work(harness, subject) - before == 1
    assert len(harness.sent(exchange.word)) - sent == 1
    if call.promise is Promise.KEYED:
        again = harness.ask("send", call)
        assert (again.id, exchange.work(harness, subject) - before) == (done.id, 1)


@each_write
def test_the_work_of_a_prepared_call_is_looked_up_after_a_lost_response(harness, system, exchange):
    if f"{system} {exchange.word}" in BEGINS_WITH_A_READ:
        return
    call = made(harness, system, exchange, exchange.subject(harness))
    given = {"payor_id": harness.payor} if call.look_up_needs else {}
    is_found = call.look_up_needs is not None

    def look():
        return harness.ask("look_up", call, since=RECENTLY, **given)

    assert not isinstance(look(), Done)
    harness.sandbox.inject("lose_answer", operation=exchange.word)
    with pytest.raises(VictorError) as raised:
        harness(lambda client: client.send(call), retry=ONCE)
    assert raised.value.outcome.value == "unknown"
    assert isinstance(look(), Done) is is_found
    assert is_found or call.promise is not Promise.LOOKED_UP


def test_the_page_on_prepared_calls_has_the_table_that_is_written_from_the_code():
    """`python -m tests.providers.prepared` writes it."""
    page = PAGE.read_text(encoding="utf-8")
    start = page.index(HEADER)
    assert page[start : page.index("\n\n", start) + 1] == table()


VELO = {
    "auth": VeloAuth("k", "no-secret-at-all"),
    "base_url": "https://one.test/velo",
}


DONE, LEADS_ON, OVER, UNSAID = "done", "can be sent", "over", "unsaid"
STEPS = {
    "SUBMITTED": (UNSAID, UNSAID),
    "ACCEPTED": (LEADS_ON, LEADS_ON),
    "QUOTED": (LEADS_ON, LEADS_ON),
    "REJECTED": (OVER, OVER),
    "INSTRUCTED": (DONE, UNSAID),
    "COMPLETED": (DONE, UNSAID),
    "INCOMPLETE": (DONE, UNSAID),
    "CONFIRMED": (DONE, OVER),
    "WITHDRAWN": (OVER, DONE),
    "PAUSED": (UNSAID, UNSAID),
}
"""What each state of a payout says of `instruct` and of `withdraw`."""


@pytest.mark.parametrize("status", STEPS)
def test_the_state_of_a_payout_says_of_each_step_what_became_of_it(status):
    assert {*PAYOUT_STATUSES} == STEPS.keys() - {"PAUSED"}
    for write, expected in zip(("instruct", "withdraw"), STEPS[status], strict=True):
        body = {"payoutId": "payout-1", "status": status}
        velo, _ = scripted(Velo, VELO, httpx.Response(200, json=body))
        found = velo.look_up(velo.prepare(f"payouts.{write}", "payout-1"), since=RECENTLY)
        said = DONE if isinstance(found, Done) else UNSAID
        if isinstance(found, NotDone):
            said = OVER if found.is_over else LEADS_ON
        assert (said, status in str(found)) == (expected, True)


def test_a_prepared_call_with_a_card_number_cannot_be_stored():
    bank = EastPay("t" * 40, base_url="https://pay.bank.example", entity_id="EB000001")
    card = Card("4111111111111111", expiry_month=12, expiry_year=2030)
    call = bank.prepare(
        "payments.debit", Money.of("92.00", "EGP"), card=card, merchant_transaction_id="INV-1"
    )
    assert call.promise is Promise.AT_MOST_ONCE
    with pytest.raises(
        InvalidRequest, match=r"card\.number is the number of a card, which must not be stored"
    ) as raised:
        call.to_text()
    assert "4111111111111111" not in f"{raised.value} {raised.value!r} {call!r}"


MADE = {"victor_payment_request_id": "R1", "status": "Created"}
WHOLE = {**MADE, "payment_request": wire_body()}
OTHER_PAYEE = {**MADE, "payment_request": {"payee": {"account_number": "1"}}}
TOO_LITTLE = {**MADE, "payment_request": {"payer": {"victor_counterparty_id": "aHeq349838"}}}
YES = {"victor_payment_request_id": "R1", "original_amount": "44.23", "notes": "Thanks."}
ACCEPTED = {
    **MADE,
    "status": "Pending",
    "direction": "inbound",
    "payment_request": {"payment_request_response": {**YES, "status": "Accepted"}},
}
CREATE = ("create", payment(idempotency_key=GUID))
ACCEPT, DECLINE = ((word, {"id": "R1", "notes": "Thanks."}) for word in ("accept", "decline"))
OTHERS = "Whether this call did that is not known"


@pytest.mark.parametrize(
    ("call", "bodies", "expected"),
    [
        (ACCEPT, [{**YES, "status": "Yes"}, ACCEPTED], "accepted"),
        (DECLINE, [{**YES, "status": "Accepted"}, ACCEPTED], OTHERS),
        (CREATE, [WHOLE], "created"),
        (CREATE, [OTHER_PAYEE], "another payee_account_number"),
        (CREATE, [TOO_LITTLE, MADE], "does not say payee, payer and amount"),
        (CREATE, [TOO_LITTLE, WHOLE], "created"),
    ],
)
def test_a_prepared_call_is_confirmed_by_the_same_rules_as_the_method(call, bodies, expected):
    """A response that says something else is no success, and one that says too little is read
    back, whichever way the write went.
    """
    name, arguments = call
    ways = [
        lambda client: getattr(client.payment_requests, name)(**arguments),
        lambda client: client.send(client.prepare(f"payment_requests.{name}", **arguments)),
    ]
    ends = []
    for way in ways:
        lines = [httpx.Response(200, json=body) for body in bodies]
        client, script = scripted(Victor, {"auth": VictorOAuth("A", "a-secret")}, *lines)
        try:
            end = str(way(client).status).lower()
        except VictorError as error:
            end = type(error), error.outcome, error.idempotency_key, error.attempts, str(error)
        assert [request.method for request in script.requests] == ["POST", "GET"][: len(bodies)]
        ends.append(end)
    assert ends[0] == ends[1]
    assert expected in str(ends[0])


def funding_accounts(read, subject, harness):
    """The funding accounts of a payor, when Velo has finished the new ones."""
    harness.sandbox.advance(10)
    return read(payor_id=subject[1])


def id_of_payee(subject):
    return subject if isinstance(subject, str) else subject[0]


READS = {
    "eastpay payments.inquire": lambda inquire, subject, _: inquire(subject[1]),
    "flexfactor orders.get": lambda get, name, _: get(id_of(name)),
    "flexfactor orders.list": lambda read, _name, _: read(),
    "tiny charges.list": lambda read, _name, _: read(),
    "velo funding_accounts.list": funding_accounts,
    "velo fundings.changes": lambda read, _subject, harness: read(harness.payor, since=RECENTLY),
    "velo payees.get": lambda get, subject, _: get(id_of_payee(subject)),
    "velo payees.list": lambda read, subject, _: read(subject[1], remote_id=subject[0]),
    "velo payments.find": lambda find, name, harness: find(
        name, payor_id=harness.payor, since=RECENTLY
    ),
    "velo payouts.get": lambda get, payout_id, _: get(payout_id),
    "victor payment_requests.find": lambda find, name, _: find(name, start_datetime=RECENTLY),
}
"""How the methods that messages name are called, about the subject of an exchange."""
NOWHERE = {"connected create", "flexfactor transmit", "velo ping"}
"""No method of the client shows them: the message says to look at the provider."""
SENT_AGAIN = {"velo invite"}
"""The list of invitations does not say how often one was sent."""


def plain(result):
    """All that the result of a look-up says."""
    records = result if isinstance(result, list | tuple) else [result]
    return json.dumps([str(getattr(each, "to_dict", lambda each=each: each)()) for each in records])


@each_write
def test_the_read_that_an_error_message_recommends_shows_the_work_that_was_done(
    harness, system, exchange
):
    if exchange.settles or f"{system} {exchange.word}" == "eastpay pay":
        return  # it looks by itself; a notification names the id

    def lose(subject):
        harness.sandbox.inject("lose_answer", operation=exchange.word)
        with pytest.raises(VictorError, match="may have executed") as raised:
            harness(lambda client: exchange.call(client, subject), retry=ONCE)
        return str(raised.value)

    def look(subject):
        try:
            return plain(
                harness(
                    lambda client: READS[f"{system} {named}"](
                        attrgetter(named)(client), subject, harness
                    )
                )
            )
        except NotFound:
            return "nothing"

    named = next(iter(re.findall(r"look with (\w+\.\w+)\(", lose(exchange.subject(harness)))), "")
    assert (named == "") is (f"{system} {exchange.word}" in NOWHERE)
    if named:
        subject = exchange.subject(harness)
        before, _, after = look(subject), lose(subject), look(subject)
        assert (before == after) is (f"{system} {exchange.word}" in SENT_AGAIN)


def test_a_number_that_was_sent_is_compared_with_each_of_its_digits():
    content = b'{"amount": 12345678901234567.89, "rate": 0.12345678901234567891}'
    call = PreparedCall(
        name="pay",
        operation="POST /pay",
        promise=Promise.KEYED,
        method="POST",
        url="https://one.test/pay",
        headers={},
        content=content,
    )
    found = parsed(content)
    assert call.compared_with(found) == dict.fromkeys(["amount", "rate"], Likeness.SAME)
    others = parsed(content.replace(b"67.89", b"67.88").replace(b"891}", b"892}"))
    assert call.compared_with(others) == dict.fromkeys(["amount", "rate"], Likeness.OTHER)


def stored(body, path="/pay", headers=None):
    return PreparedCall(
        name="pay",
        operation=f"POST {'/'.join('{}' if part.isdigit() else part for part in path.split('/'))}",
        promise=Promise.LOOKED_UP,
        method="POST",
        url=path,
        headers=headers or {},
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


@pytest.mark.parametrize(
    ("own", "other", "read", "is_like"),
    [
        # the read shows less than the requests say
        ({"reference": "AAAA3645"}, {"reference": "BBBB3645"}, {"reference": "****3645"}, True),
        ({"memo": "Payment", "amount": 1}, {"amount": 1}, {"memo": "Payment", "amount": 1}, True),
        ({"amount": 1, "payee": "a"}, {"amount": 1, "payee": "b"}, {"amount": 1}, True),
        ({"reference": "1042"}, {"reference": "01042"}, {"reference": 1042}, True),
        # or tells them apart
        ({"reference": "1042.1"}, {"reference": "1042.10"}, {"reference": "1042.1"}, False),
        ({"amount": 1}, {"amount": 2}, {"amount": 1}, False),
    ],
)
def test_what_was_read_for_a_write_may_be_that_of_another_one_unless_a_value_differs(
    own, other, read, is_like
):
    call = stored(own)
    compared = call.compared_with(read, unsaid=("payee",))
    assert call.is_like(stored(other), compared) is is_like


def test_what_was_read_for_a_write_is_not_that_of_one_to_another_path():
    one, other = (stored({"amount": 5}, f"/charges/{id}/refunds") for id in (1, 2))
    compared = one.compared_with({"amount": 5})
    assert one.is_like(stored({"amount": 5}, "/charges/1/refunds"), compared)
    assert not one.is_like(other, compared)


def test_a_form_is_compared_with_json():
    form = {"content-type": "application/x-www-form-urlencoded"}
    call = stored(b"tags=a&tags=b&capture=false&amount=44", headers=form)
    found = {"tags": ["a", "b"], "capture": "false", "amount": 44}
    said = call.compared_with(found)
    assert said == {
        "tags": Likeness.UNREADABLE,
        "capture": Likeness.SAME,
        "amount": Likeness.SAME,
    }
