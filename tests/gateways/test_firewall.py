"""A firewall that blocks responses: the provider has done the work, and the caller gets a page."""

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import rows
from tests.gateways.caller import Caller
from tests.outbox.rows import end_claims, states
from tests.providers.systems import ADAPTERS
from tests.providers.victor.adapter import invoice, payment
from victor_ext import Outcome, StatusError, idempotency_key_for
from victor_ext.bulk import BulkSender, BulkStopped, RowOutcome
from victor_ext.outbox import Outbox
from victor_ext.providers.eastpay import CardToken

pytestmark = pytest.mark.nightly

APACHE = """
ServerRoot INSTALLED/usr/lib/apache2
ServerName localhost
Listen 127.0.0.1:PORT
PidFile FOLDER/pid
DefaultRuntimeDir FOLDER
ErrorLog FOLDER/error.log
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule unique_id_module modules/mod_unique_id.so
LoadModule security2_module modules/mod_security2.so
ProxyPass / http://PROVIDER/
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType application/json
SecAuditEngine Off
"""
WRITES = "^/(v2/payment-requests/request-payment|eastpay/v3/payments|v3/payouts)$"
BLOCKS_RESPONSES = f"""
{APACHE}
SecRule REQUEST_FILENAME "@rx {WRITES}" "id:1,phase:4,deny,status:403"
"""
"""Phase 4 reads the response: the provider has answered before."""
BLOCKS_A_REQUEST = f"""
{APACHE}
SecAction "id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
SecRule REQUEST_BODY "@contains SELECT" "id:2,phase:2,deny,status:403"
"""
"""Phase 2 reads the request: the provider never sees it."""
COMMAND = ("INSTALLED/usr/sbin/apache2", "-f", "FOLDER/conf", "-D", "FOREGROUND")
ENTRIES = 1_000
WORKERS = 16
MOST_SENT = 10 + WORKERS
"""Ten pages in a row, and the calls that were under way meanwhile."""


@pytest.fixture(params=["victor", "eastpay", "velo"])
def caller(request, gateway):
    with (
        ADAPTERS[request.param].SANDBOX() as sandbox,
        gateway(COMMAND, BLOCKS_RESPONSES, sandbox) as firewall,
    ):
        yield Caller(request.param, sandbox, firewall)


@pytest.fixture
def victor_caller(gateway, victor_sandbox):
    with gateway(COMMAND, BLOCKS_RESPONSES, victor_sandbox) as firewall:
        yield Caller("victor", victor_sandbox, firewall)


@pytest.fixture
def engine(tmp_path):
    made = sa.create_engine(f"sqlite:///{tmp_path / 'outbox.sqlite'}")
    yield made
    made.dispose()


def test_a_write_whose_response_is_blocked_is_unknown_and_not_sent_again(caller):
    with pytest.raises(StatusError) as caught:
        caller.harness(lambda client: caller.adapter.WRITE.call(client, "INV-1"))
    error = caught.value
    assert (type(error), error.outcome, error.status_code) == (StatusError, Outcome.UNKNOWN, 403)
    assert error.intermediary.startswith("an HTML page by Apache")
    assert error.intermediary in str(error)
    assert caller.payments() == {"INV-1": 1}


def test_a_create_that_is_repeated_under_its_key_asks_once(victor_caller):
    """Also through a firewall that still blocks its response."""
    create = lambda client: client.payment_requests.create(**invoice(1))  # noqa: E731
    for _ in range(2):
        with pytest.raises(StatusError):
            victor_caller.harness(create)
    victor_caller.gateway.configure(APACHE)
    made = victor_caller.harness(create)
    assert [made.id] == [request["id"] for request in victor_caller.sandbox.requests()]


def test_a_request_that_is_blocked_for_good_is_corrected_under_its_key(victor_caller):
    victor_caller.gateway.configure(BLOCKS_A_REQUEST)
    create = lambda **changes: victor_caller.harness(  # noqa: E731
        lambda client: client.payment_requests.create(**invoice(1, **changes))
    )
    for _ in range(2):
        with pytest.raises(StatusError) as caught:
            create(notes="SELECT your size")
    assert caught.value.outcome is Outcome.UNKNOWN
    assert "correct them under the same key" in str(caught.value)
    assert victor_caller.sandbox.requests() == []
    made = create(notes="Choose your size")
    assert [made.id] == [request["id"] for request in victor_caller.sandbox.requests()]


def call(*args, **named):
    return args, named


CALLS = {
    "Victor": lambda _caller, name: call(
        "payment_requests.create", **payment(client_reference_id=name)
    ),
    "EastPay": lambda caller, name: call(
        "payments.debit",
        caller.adapter.PRICE,
        card=CardToken("a-token"),
        merchant_transaction_id=name,
    ),
    "Velo": lambda caller, name: call(
        "payouts.submit",
        [caller.adapter.pay(name)],
        look_up_by={"payor_id": caller.harness.payor},
    ),
}
"""What an outbox of each system sends."""


def test_an_outbox_stops_after_ten_pages_and_asks_each_payer_once(caller, engine):
    references = [f"INV-{number}" for number in range(ENTRIES)]
    with caller.client() as client:
        outbox = Outbox(engine, client, workers=WORKERS)
        outbox.create_table()
        with engine.begin() as connection:
            for reference in references:
                args, named = CALLS[client.provider](caller, reference)
                key = idempotency_key_for("invoice", reference)
                outbox.add_call(connection, *args, idempotency_key=key, **named)

        with pytest.raises(StatusError):
            outbox.send()
        made = caller.payments()
        assert len(made) <= MOST_SENT
        assert states(outbox.entries()).count("waiting") == ENTRIES - len(made)
        with pytest.raises(StatusError):
            outbox.send()

        caller.gateway.configure(APACHE)
        for _ in range(2):
            end_claims(outbox)
            outbox.send()
        assert states(outbox.entries()) == ["sent"] * ENTRIES
    assert caller.payments() == dict.fromkeys(references, 1)


def test_bulk_stops_after_ten_pages_and_asks_each_payer_once(victor_caller, tmp_path):
    with victor_caller.client() as client:
        sender = BulkSender(
            client,
            state=f"sqlite:///{tmp_path}/state.sqlite",
            batch="march",
            key_column="invoice_no",
            workers=WORKERS,
            patience=20,
            storage_key="a secret for tests, of some length",
        )
        with pytest.raises(BulkStopped):
            sender.send(rows(ENTRIES))
        made = len(victor_caller.sandbox.requests())
        assert made <= MOST_SENT
        assert sender.status().counts[RowOutcome.UNKNOWN] == made

        victor_caller.gateway.configure(APACHE)
        status = sender.resume()
    assert status.exit_status == 0
    assert list(victor_caller.sandbox.work_done_by_key().values()) == [1] * ENTRIES
