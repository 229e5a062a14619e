"""A handler whose name was mistyped is refused when it is registered: it would never be called."""

import pytest
import sqlalchemy as sa

from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import ConfigurationError
from victor_ext.outbox import Outbox


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
