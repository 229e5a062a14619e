"""What `victor mcp allow` permits is checked in the transaction that adds the entry."""

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from tests.outbox.rows import change, execute, stored
from tests.providers.victor.adapter import invoice
from victor_ext.cli._mcp_policy import Allowed, Policy
from victor_ext.outbox import Outbox, Owner

STAGING = Owner("Victor", "staging", ["an account"])
ALLOWED = Allowed("043987673645", "BUSINESS", ["p-1"], "500", "2000")
DAY = 86_400


@pytest.fixture
def engine(database_url):
    made = sa.create_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine):
    made = Outbox(engine)
    made.create_table()
    return made


@pytest.fixture
def policy(outbox, engine):
    made = Policy(outbox.table)
    with engine.begin() as connection:
        made.create_tables(connection)
        made.allow(connection, STAGING, ALLOWED)
    return made


def ask(engine, outbox, policy, number, amount="44.23", payer="p-1"):
    """A request is stored under the permissions."""
    values = invoice(number, amount=amount, payer_counterparty_id=payer)
    with engine.begin() as connection:
        outbox.add(connection, **values)
        policy.note(connection, values["idempotency_key"], payer, Decimal(amount))


def asked_today(engine, policy):
    with engine.connect() as connection:
        return policy.asked_today(connection)


def similar(engine, policy, payer="p-1", amount="44.23"):
    with engine.connect() as connection:
        return policy.similar(connection, payer, Decimal(amount))


def test_what_is_permitted_is_that_of_one_account_in_one_environment(engine, policy):
    others = [
        Owner("Victor", "production", STAGING.accounts),
        Owner("Victor", "staging", ["another account"]),
        Owner("Victor", "staging", []),
    ]
    with engine.begin() as connection:
        assert policy.lock(connection, STAGING) == ALLOWED
        assert [policy.lock(connection, other) for other in others] == [None] * 3


def test_nothing_is_permitted_in_a_database_of_an_outbox_alone(engine, outbox):
    with engine.begin() as connection:
        assert Policy(outbox.table).lock(connection, STAGING) is None


def test_a_later_permission_replaces_the_earlier_one(engine, policy):
    none = Allowed("1", "CONSUMER", ["p-2"], "0.01", "0")
    with engine.begin() as connection:
        policy.allow(connection, STAGING, none)
        assert policy.lock(connection, STAGING) == none


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("waiting", True),
        ("sending", True),
        ("settling", True),
        ("unclear", True),
        ("sent", True),
        ("rejected", False),
        ("refused", False),
    ],
)
def test_a_request_counts_for_the_day_unless_it_is_certain_that_nothing_was_done(
    engine, outbox, policy, state, counts
):
    ask(engine, outbox, policy, 1, "44.23")
    ask(engine, outbox, policy, 2, "0.07")
    change(outbox, state=state)
    assert asked_today(engine, policy) == (Decimal("44.30") if counts else 0)
    assert similar(engine, policy) == ("INV-1" if counts else None)


def test_what_was_refused_before_a_backup_counts_since_it_may_have_been_sent(
    engine, outbox, policy
):
    ask(engine, outbox, policy, 1)
    change(outbox, state="refused", restored=True)
    assert asked_today(engine, policy) == Decimal("44.23")


def test_a_deleted_entry_counts_and_its_invoice_stays_asked_for(engine, outbox, policy):
    ask(engine, outbox, policy, 1)
    execute(outbox, sa.delete(outbox.table))
    key = invoice(1)["idempotency_key"]
    assert asked_today(engine, policy) == Decimal("44.23")
    assert similar(engine, policy) == key
    with engine.connect() as connection:
        assert policy.noted(connection, key) == Decimal("44.23")
        assert policy.noted(connection, "another key") is None


def test_what_a_person_decides_about_is_noted_and_counts_as_nothing(engine, outbox, policy):
    with engine.begin() as connection:
        policy.note(connection, "k-1", "p-1", Decimal(0))
        policy.note(connection, "k-1", "p-1", Decimal("44.23"))  # it is noted already
        assert policy.noted(connection, "k-1") == 0
    assert (similar(engine, policy), asked_today(engine, policy)) == (None, 0)


def test_the_day_is_one_in_utc_by_the_clock_of_the_database(engine, outbox, policy):
    ask(engine, outbox, policy, 1)
    requests = policy._requests
    midnight = sa.func.round(requests.c.stored_at / DAY - 0.5) * DAY
    execute(outbox, sa.update(requests).values(stored_at=midnight))
    assert asked_today(engine, policy) == Decimal("44.23")
    execute(outbox, sa.update(requests).values(stored_at=midnight - 1))
    assert asked_today(engine, policy) == 0


@pytest.mark.parametrize(
    ("days", "values", "is_similar"),
    [
        (6.9, {"state": "sent", "ended": True}, True),
        (7.1, {"state": "sent", "ended": True}, False),
        (400, {"state": "sent", "ended": False}, True),
        (400, {"state": "unclear", "ended": True}, True),
    ],
)
def test_a_request_of_the_same_amount_is_similar_while_it_is_recent_or_not_settled(
    engine, outbox, policy, days, values, is_similar
):
    ask(engine, outbox, policy, 1)
    change(outbox, **values)
    requests = policy._requests
    execute(outbox, sa.update(requests).values(stored_at=requests.c.stored_at - days * DAY))
    assert similar(engine, policy) == ("INV-1" if is_similar else None)
    assert similar(engine, policy, payer="p-2") is None
    assert similar(engine, policy, amount="44.24") is None


def test_a_request_of_another_program_is_not_similar(engine, outbox, policy):
    """It knows what it asks for. Its invoice is one payment all the same."""
    stored(outbox, invoice(1))
    assert (similar(engine, policy), asked_today(engine, policy)) == (None, 0)


def lock_while_another_does(engine, policy, key, amount):
    """One transaction has checked, and adds. Return the sum that another one sees meanwhile."""
    sums, has_begun = [], threading.Event()

    def check():
        with engine.begin() as connection:
            has_begun.set()
            policy.lock(connection, STAGING)
            sums.append(policy.asked_today(connection))

    with engine.begin() as connection:
        policy.lock(connection, STAGING)
        other = threading.Thread(target=check)
        other.start()
        has_begun.wait()
        other.join(0.2)  # it waits for this transaction
        assert sums == []
        policy.note(connection, key, "p-1", Decimal(amount))
    other.join()
    return sums


def test_two_transactions_do_not_check_the_same_sum(engine, outbox, policy):
    assert lock_while_another_does(engine, policy, "k-1", "9.00") == [Decimal(9)]
