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
        policy.note(connection, values, by_hand=False)


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
    assert similar(engine, policy) == "INV-1"  # a person may let it be sent again


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
    assert similar(engine, policy) == "INV-1"
    with engine.connect() as connection:
        assert policy.is_by_hand(connection, key) is False
        assert policy.is_by_hand(connection, "another key") is None


def test_what_a_person_decides_about_is_similar_and_does_not_count_for_the_day(
    engine, outbox, policy
):
    """The person may have asked for it."""
    with engine.begin() as connection:
        values = invoice(1, amount="44.23", payer_counterparty_id="p-1")
        policy.note(connection, values, by_hand=True)
        policy.note(connection, values, by_hand=False)  # it is noted already
        assert policy.is_by_hand(connection, values["idempotency_key"]) is True
    assert (similar(engine, policy), asked_today(engine, policy)) == ("INV-1", 0)


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


def sums_of_another(engine, policy, other):
    """One transaction has checked, and adds. Return the sums that another one sees meanwhile."""
    sums, has_begun = [], threading.Event()

    def check():
        with engine.begin() as connection:
            has_begun.set()
            other.lock(connection, STAGING)
            sums.append(other.asked_today(connection))

    with engine.begin() as connection:
        policy.lock(connection, STAGING)
        other_thread = threading.Thread(target=check)
        other_thread.start()
        has_begun.wait()
        other_thread.join(0.2)  # it waits for this transaction
        assert sums == []
        policy.note(connection, invoice(1, amount="9.00"), by_hand=False)
    other_thread.join()
    return sums


def test_two_transactions_do_not_check_the_same_sum(engine, outbox, policy):
    assert sums_of_another(engine, policy, policy) == [Decimal(9)]


def test_a_server_that_names_the_schema_of_the_table_waits_for_one_that_does_not(
    engine, outbox, policy
):
    schema = "main"
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            schema = connection.execute(sa.select(sa.func.current_schema())).scalar()
    other = Policy(Outbox(engine, table=f"{schema}.victor_outbox").table)
    assert sums_of_another(engine, policy, other) == [Decimal(9)]
