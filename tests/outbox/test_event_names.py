"""A handler whose name was mistyped is refused when it is registered: it would never be called."""

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.providers.connected.till import client_class
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import ConfigurationError, OperationRow, connect
from victor_ext.event_queue.handlers import meant_by
from victor_ext.outbox import EntryState, Outbox
from victor_ext.outbox.entries import event_names_of_change
from victor_ext.providers.flexfactor.records import OrderStatus
from victor_ext.runtime.client.prepared_calls import methods_of


def nothing(_session: Any, _event: Any) -> None: ...


def outbox_of(client: Any = None) -> Outbox:
    return Outbox(sa.create_engine("sqlite://"), client=client)


@pytest.fixture(params=[(system, awaited) for system in CLIENTS for awaited in (False, True)])
def outbox(request: pytest.FixtureRequest) -> Outbox:
    """One of each client. The class of its calls does not matter: only its table of operations is
    asked.
    """
    system, awaited = request.param
    return outbox_of(CLIENTS[system][awaited](**ARGUMENTS[system]))


def slips_of(word: str) -> set[str]:
    middle = len(word) // 2
    return {
        word[:middle] + word[middle + 1 :],
        f"{word[:middle]}q{word[middle:]}",
        f"{word[:middle]}q{word[middle + 1 :]}",
        word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :],
    } - {word}


def test_a_name_one_letter_off_a_known_one_is_refused_with_that_one(outbox: Outbox) -> None:
    client: Any = outbox.client
    statuses = client.system.statuses
    known = {word.casefold() for word in (*statuses, "sent", "rejected", "refused", "unclear")}
    assert len(known) >= 8
    for word in known:
        outbox.on(word)(nothing)
        outbox.on(word.upper())(nothing)
        for slip in filter(lambda slip: len(slip) > 3, slips_of(word) - known):
            with pytest.raises(ConfigurationError) as refused:
                outbox.on(slip)
            meant = str(refused.value).partition("did you mean '")[2].partition("'")[0]
            assert meant in known, slip
            assert f"on('status:{slip}')" in str(refused.value)
            outbox.on(f"status:{slip}")(nothing)
            assert outbox._handlers[-1].wants(slip, "payments.create"), "the status is never met"


def test_a_status_that_nobody_knows_yet_has_a_handler(outbox: Outbox) -> None:
    for word in ("brand_new_word", "on-its-way", "ok"):
        outbox.on(word)(nothing)
        assert outbox._handlers[-1].wants(word, "payments.create")


@pytest.mark.parametrize("state", ["waiting", "sending", "settling", "Waiting"])
def test_a_state_without_an_event_is_refused(state: str) -> None:
    outbox = outbox_of()
    with pytest.raises(ConfigurationError, match=rf"would never .* on\('status:{state.lower()}'\)"):
        outbox.on(state)
    outbox.on(f"status:{state}")(nothing)
    before = SimpleNamespace(state="sent", status=None)
    (name,) = event_names_of_change(before, SimpleNamespace(state="sent", status=state))
    assert outbox._handlers[-1].wants(name, "payments.create")


def test_an_outbox_without_a_client_knows_the_words_of_victor() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'accepted'"):
        outbox_of().on("acepted")


def test_an_outbox_of_a_connected_api_knows_the_words_that_its_caller_gave() -> None:
    row = OperationRow(final={"settled", "bounced"})
    rows = {"DELETE /v1/payments/{payment_id}": row}
    with connect(client_class(), base_url="https://api.example", rows=rows) as client:
        outbox = outbox_of(client)
        outbox.on("settled")(nothing)
        with pytest.raises(ConfigurationError, match="did you mean 'settled'"):
            outbox.on("setled")
        with pytest.raises(ConfigurationError, match="did you mean 'sent'"):
            outbox.on("snet")


@pytest.mark.parametrize("name", ["", " ", "event:completed"])
def test_a_name_that_is_none_is_refused(outbox: Outbox, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"names no event|is for an inbox"):
        outbox.on(name)


def test_an_operation_that_is_like_a_known_one_is_refused(outbox: Outbox) -> None:
    methods = [name for name in methods_of(outbox.client) if "." in name]
    assert methods
    slips = [method.rpartition(".")[2].upper() for method in methods]
    if outbox.client.provider == "Velo":
        slips.append("request_fundin")
    for slip in slips:
        with pytest.raises(ConfigurationError, match="did you mean"):
            outbox.on("sent", operation=slip)
    for empty in ("", " "):
        with pytest.raises(ConfigurationError, match="operation is empty"):
            outbox.on("sent", operation=empty)


def test_an_operation_of_an_outbox_without_a_client_is_near_none_of_victors() -> None:
    outbox = outbox_of()
    with pytest.raises(ConfigurationError, match=r"did you mean 'payment_requests\.create'"):
        outbox.on("completed", operation="payment_request.create")
    for operation in ("payment_requests.create", "payouts.submit"):
        outbox.on("completed", operation=operation)(nothing)


def test_an_operation_of_a_connected_api_is_one_of_its_functions() -> None:
    with connect(client_class(), base_url="https://api.example") as client:
        outbox = outbox_of(client)
        outbox.on("sent", operation="take_payment")(nothing)
        for slip in ("takePayment", "takePaymnet", "take_paymet"):
            with pytest.raises(ConfigurationError, match="did you mean 'take_payment'"):
                outbox.on("sent", operation=slip)


def test_the_words_of_a_system_are_those_of_its_records() -> None:
    assert set(OrderStatus.__members__) <= set(CLIENTS["flexfactor"][0].system.statuses)
    for state in EntryState:
        assert meant_by(state.value, [each.value for each in EntryState]) is None
