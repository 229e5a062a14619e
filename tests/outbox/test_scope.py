"""The entries of an outbox belong to one account of one environment: any other worker leaves them
alone, and says so.
"""

import threading

import httpx
import pytest
from sqlalchemy.orm import Session

from tests.outbox.kinds import Provider
from tests.outbox.rows import states, stored
from tests.providers.victor.adapter import invoice
from victor_ext import Victor, VictorOAuth
from victor_ext.outbox import AnotherScope, Outbox

pytestmark = pytest.mark.slow


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def client_of(provider):
    """Makes a client of an account and an environment."""
    made = []

    def make(account="an-id", environment="production"):
        transport = httpx.MockTransport(provider._answer)
        options = {"environment": environment, "transport": transport}
        made.append(Victor(VictorOAuth(account, "a-secret"), **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_a_worker_of_another_environment_leaves_the_entries_alone(outbox, provider, client_of):
    """Such as of a test environment on a copy of the database."""
    production, staging = client_of(), client_of(environment="staging")
    stored(outbox, invoice(1))
    assert states(outbox.send(production)) == ["sent"]
    stored(outbox, invoice(2))
    for act in (outbox.send, outbox.refresh):
        with pytest.raises(
            AnotherScope, match=r"belong to Victor production, credentials .* staging"
        ):
            act(staging)
    assert states(outbox.entries()) == ["sent", "waiting"]
    assert states(outbox.send(production)) == ["sent"]
    assert provider.references == ["INV-1", "INV-2"]


def test_the_probes_of_such_a_worker_name_it(outbox, client_of, caplog):
    stored(outbox, invoice(1))
    outbox.send(client_of())
    box, problems = Outbox(outbox._engine), []

    class Stop(threading.Event):
        def wait(self, _timeout=None):
            problems.extend(box.heartbeat.problems(ready=True))
            self.set()

    box.run(client_of("another"), stop=Stop())
    assert problems == ["outbox.send: AnotherScope", "outbox.refresh: AnotherScope"]
    assert "Nothing was added, sent or read." in caplog.text


def test_entries_of_another_environment_are_not_added(outbox, client_of):
    stored(Outbox(outbox._engine, client_of()), invoice(1))
    with pytest.raises(AnotherScope, match="belong to Victor production, and the client is of"):
        stored(Outbox(outbox._engine, client_of(environment="staging")), invoice(2))
    assert states(outbox.entries()) == ["waiting"]


def test_a_service_may_add_with_credentials_of_its_own(outbox, client_of):
    stored(Outbox(outbox._engine, client_of("of the service")), invoice(1))
    assert states(outbox.send(client_of("of the worker"))) == ["sent"]


def test_new_credentials_of_the_account_send_once_they_are_adopted(outbox, client_of):
    """The old ones go on, too, until all workers have the new ones."""
    old, new = client_of("old"), client_of("new")
    outbox.send(old)
    stored(outbox, invoice(1))
    with pytest.raises(AnotherScope, match="victor outbox adopt"):
        outbox.send(new)
    assert len(outbox.adopt(new).accounts) == 2
    assert outbox.owners() == [outbox.adopt(new)]
    assert states(outbox.send(new)) == ["sent"]
    stored(outbox, invoice(2))
    assert states(outbox.send(old)) == ["sent"]


def test_another_environment_is_not_adopted(outbox, client_of):
    outbox.send(client_of())
    with pytest.raises(AnotherScope, match="Give each environment its own table"):
        outbox.adopt(client_of(environment="staging"))


def test_what_is_added_in_a_transaction_that_is_undone_claims_nothing(outbox, client_of):
    with Session(outbox._engine) as session:
        Outbox(outbox._engine, client_of(environment="staging")).add(session, **invoice(1))
        session.rollback()
    assert outbox.owners() == []
    assert outbox.send(client_of()) == []


def test_an_outbox_whose_first_add_is_undone_claims_with_the_next_one(outbox, client_of):
    own = Outbox(outbox._engine, client_of())
    with Session(outbox._engine) as session:
        own.add(session, **invoice(1))
        session.rollback()
    stored(own, invoice(2))
    with pytest.raises(AnotherScope):
        outbox.send(client_of(environment="staging"))


def test_an_environment_that_has_moved_is_adopted_by_name(outbox, client_of):
    outbox.send(client_of())
    moved = client_of(environment="staging")
    assert outbox.adopt(moved, moved=True).environment == "staging"
    assert outbox.send(moved) == []
