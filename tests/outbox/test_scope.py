"""The entries of an outbox belong to one account of one environment: any other worker leaves them
alone, and says so.
"""

import httpx
import pytest

from tests.outbox.kinds import Provider
from tests.outbox.rows import states, stored
from tests.providers.victor.adapter import invoice
from victor_ext import Victor, VictorOAuth
from victor_ext.outbox import AnotherScope

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
