"""What `victor mcp allow` permits is checked in the transaction that adds the entry."""

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from tests.outbox.rows import change, execute
from tests.payments import invoice
from victor_ext.cli._mcp_policy import Allowed, Policy
from victor_ext.outbox import Outbox

ALLOWED = Allowed("043987673645", "BUSINESS", ["p-1"], "500", "2000")


@pytest.fixture
def engine(database_url):
    made = sa.create_engine(database_url)

    def set_isolation(connection, _record):
        """As a database may be set to."""
        connection.execute("SET default_transaction_isolation TO 'repeatable read'")
        connection.commit()

    if made.dialect.name == "postgresql":
        sa.event.listen(made, "connect", set_isolation)
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine):
    made = Outbox(engine)
    made.create_table()
    return made


@pytest.fixture
def policy(outbox, engine):
    made = Policy(engine, outbox)
    made.allow(ALLOWED)
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


def test_a_deleted_entry_counts_and_its_invoice_stays_asked_for(engine, outbox, policy):
    ask(engine, outbox, policy, 1)
    execute(outbox, sa.delete(outbox.table))
    assert asked_today(engine, policy) == Decimal("44.23")
    assert similar(engine, policy) == "INV-1"
    with engine.connect() as connection:
        assert policy.is_by_hand(connection, "INV-1") is False
        assert policy.is_by_hand(connection, "INV-2") is None


def test_what_a_person_decides_about_is_similar_and_does_not_count_for_the_day(
    engine, outbox, policy
):
    """The person may have asked for it."""
    with engine.begin() as connection:
        values = invoice(1, amount="44.23", payer_counterparty_id="p-1")
        policy.note(connection, values, by_hand=True)
        policy.note(connection, values, by_hand=False)  # it is noted already
        assert policy.is_by_hand(connection, "INV-1") is True
    assert (similar(engine, policy), asked_today(engine, policy)) == ("INV-1", 0)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"state": "waiting"}, "INV-1"),
        ({"state": "unclear", "ended": True}, "INV-1"),
        ({"state": "sent", "ended": True}, None),
    ],
    ids=["waiting", "unclear", "sent"],
)
def test_a_request_of_last_week_is_similar_while_it_is_open(engine, outbox, policy, values, found):
    ask(engine, outbox, policy, 1)
    change(outbox, **values)
    stored_at = policy._requests.c.stored_at
    execute(outbox, sa.update(policy._requests).values(stored_at=stored_at - 8 * 86_400))
    assert similar(engine, policy) == found


def sums_of_another(policy, other):
    """One transaction has checked, and adds. Return the sums that another one sees meanwhile."""
    sums, has_begun = [], threading.Event()

    def check():
        has_begun.set()
        with other.locked() as (connection, _):
            sums.append(other.asked_today(connection))

    with policy.locked() as (connection, allowed):
        assert allowed == ALLOWED
        other_thread = threading.Thread(target=check)
        other_thread.start()
        has_begun.wait()
        other_thread.join(0.2)  # it waits for this transaction
        assert sums == []
        policy.note(connection, invoice(1, amount="9.00"), by_hand=False)
    other_thread.join()
    return sums


def test_two_transactions_do_not_check_the_same_sum(policy):
    assert sums_of_another(policy, policy) == [Decimal(9)]


def test_a_server_that_names_the_schema_of_the_table_waits_for_one_that_does_not(engine, policy):
    schema = "main"
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            schema = connection.execute(sa.select(sa.func.current_schema())).scalar()
    other = Policy(engine, Outbox(engine, table=f"{schema}.victor_outbox"))
    assert sums_of_another(policy, other) == [Decimal(9)]
