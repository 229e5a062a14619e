"""The entries of an outbox belong to one account of one environment: any other worker leaves them
alone, and says so.
"""

import httpx
import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Provider
from tests.outbox.rows import states, stored
from tests.payments import invoice
from victor_ext import Victor, VictorJwt, VictorOAuth
from victor_ext.outbox import AnotherScope, Outbox, Owner
from victor_ext.providers.eastpay import EastPay
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox

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
    """And the old ones do not any more."""
    old, new = client_of("old"), client_of("new")
    outbox.send(old)
    stored(outbox, invoice(1))
    with pytest.raises(AnotherScope, match="victor outbox adopt"):
        outbox.send(new)
    assert outbox.owners() == [Owner.of(old)]
    assert outbox.adopt(new) == Owner.of(new)
    assert outbox.owners() == [Owner.of(new)]
    assert states(outbox.send(new)) == ["sent"]
    with pytest.raises(AnotherScope):
        outbox.send(old)


def test_a_client_of_another_environment_adds_nothing(engine, client_of):
    """One of another account may add: a service can have credentials of its own."""
    production, other, staging = client_of(), client_of("other"), client_of(environment="staging")
    boxes = [Outbox(engine, client) for client in (production, other, staging)]
    boxes[0].create_table()
    boxes[0].send()
    for number, box in enumerate(boxes[:2]):
        stored(box, invoice(number))
    with pytest.raises(AnotherScope):
        stored(boxes[2], invoice(2))
    assert states(boxes[0].send()) == ["sent", "sent"]


def victor_by_key(sandbox):
    return Victor(VictorJwt(*sandbox.new_api_key()), base_url=sandbox.url)


def victor_by_client(sandbox):
    return Victor(VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url)


def velo(sandbox):
    return Velo(VeloAuth(*sandbox.add_key()), base_url=sandbox.url)


def eastpay(sandbox):
    entity_id, token = sandbox.add_merchant()
    return EastPay(token, entity_id=entity_id, base_url=f"{sandbox.url}/eastpay")


def flexfactor(sandbox):
    key, secret, mid = sandbox.add_client()
    return FlexFactor(FlexFactorAuth(key, secret), mid=mid, base_url=sandbox.url)


@pytest.mark.parametrize(
    ("kind", "client_of_account"),
    [
        (Sandbox, victor_by_key),
        (Sandbox, victor_by_client),
        (VeloSandbox, velo),
        (EastPaySandbox, eastpay),
        (FlexFactorSandbox, flexfactor),
    ],
)
def test_a_database_outlives_the_sandbox_of_a_test(engine, kind, client_of_account):
    """Each test has a sandbox of its own, and all of them are one account. A second account is
    another one.
    """
    outbox = Outbox(engine)
    outbox.create_table()
    for number in range(2):
        with kind() as sandbox, client_of_account(sandbox) as client:
            if kind is Sandbox:
                stored(outbox, invoice(number))
                assert states(outbox.send(client)) == ["sent"]
            outbox.send(client)
            with client_of_account(sandbox) as other, pytest.raises(AnotherScope):
                outbox.send(other)
        with engine.begin() as connection:
            connection.execute(sa.delete(outbox.table))
