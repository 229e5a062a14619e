"""A handler whose name was mistyped is refused when it is registered: it would never be called."""

import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Provider, dated
from tests.outbox.rows import stored
from tests.providers.connected.till import client_class
from tests.providers.systems import ARGUMENTS, CLIENTS
from tests.providers.victor.adapter import invoice
from victor_ext import ConfigurationError, OperationRow, connect
from victor_ext.outbox import Outbox
from victor_ext.providers.flexfactor import OrderStatus


def nothing(_session, _event): ...


def outbox_of(client=None):
    return Outbox(sa.create_engine("sqlite://"), client=client)


@pytest.fixture(params=[(system, awaited) for system in CLIENTS for awaited in (False, True)])
def outbox(request):
    """One of each client. The class of its calls does not matter: only its table of operations is
    asked.
    """
    system, awaited = request.param
    return outbox_of(CLIENTS[system][awaited](**ARGUMENTS[system]))


def test_a_name_one_letter_off_a_known_one_is_refused_with_that_one(outbox):
    """A status that nobody knows yet may have one."""
    statuses = map(str.casefold, outbox.client.system.statuses)
    known = {*statuses, "sent", "rejected", "refused", "unclear"}
    assert len(known) >= 8
    for word in known:
        outbox.on(word.upper())(nothing)
        slip = f"{word[:2]}q{word[2:]}"
        with pytest.raises(ConfigurationError, match=rf"did you mean '.*'.*status:{slip}'"):
            outbox.on(slip)
        for meant in (f"status:{slip}", "brand_new_word"):
            outbox.on(meant)(nothing)


@pytest.mark.parametrize("state", ["waiting", "sending", "settling", "Waiting"])
def test_a_state_without_an_event_is_refused(state):
    outbox = outbox_of()
    with pytest.raises(ConfigurationError, match=rf"would never .* on\('status:{state.lower()}'\)"):
        outbox.on(state)


@pytest.mark.parametrize("word", ["brand_new", "complqeted", "waiting", "Sending"])
def test_the_handler_of_a_status_is_called_though_nobody_else_knows_the_word(sqlite, word):
    made = {
        "victor_payment_request_id": "ID-1",
        "client_reference_id": "INV-1",
        "direction": "outbound",
        "status": word,
    }
    told = []
    with Provider(lambda _reference: dated(200, json=made)).client() as victor:
        outbox = Outbox(sqlite, victor)
        outbox.on(f"status:{word}")(lambda _session, event: told.append(event.entry.status))
        stored(outbox, invoice(1))
        outbox.send()
    assert told == [word]


@pytest.mark.parametrize(
    ("name", "operation", "message"),
    [
        ("acepted", None, "did you mean 'accepted'"),
        ("", None, "names no event"),
        ("event:completed", None, "is for an inbox"),
        ("sent", " ", "operation is empty"),
        ("sent", "payment_request.create", r"did you mean 'payment_requests\.create'"),
    ],
)
def test_an_outbox_without_a_client_knows_the_words_of_victor(name, operation, message):
    with pytest.raises(ConfigurationError, match=message):
        outbox_of().on(name, operation=operation)
    outbox_of().on("completed", operation="payouts.submit")(nothing)


def test_an_outbox_of_a_connected_api_knows_the_words_that_its_caller_gave():
    """And the functions of its document."""
    row = OperationRow(final={"settled", "bounced"})
    rows = {"DELETE /v1/payments/{payment_id}": row}
    with connect(client_class(), base_url="https://api.example", rows=rows) as client:
        outbox = outbox_of(client)
        outbox.on("settled", operation="take_payment")(nothing)
        for slip, meant in (("setled", "settled"), ("snet", "sent")):
            with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
                outbox.on(slip)
        with pytest.raises(ConfigurationError, match="did you mean 'take_payment'"):
            outbox.on("sent", operation="takePaymnet")


def test_the_known_statuses_of_flexfactor_include_those_of_its_orders():
    assert set(OrderStatus.__members__) <= set(CLIENTS["flexfactor"][0].system.statuses)
