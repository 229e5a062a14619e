"""Text that says nothing, and with which a response would be compared, is refused by name before
anything is sent: no response could confirm it, so each success would be an unknown outcome.
"""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from victor_api import models
from victor_api.api.payment_requests import create_request_payment
from victor_api.typed.arguments import CREATE_REQUEST_PAYMENT

from tests.providers.arguments import TARGETS, last, refused
from tests.providers.running import GUID
from tests.providers.systems import of_every_system
from tests.providers.victor.adapter import payment
from victor_ext import InvalidRequest, check_payment_request
from victor_ext._tables.row_file import RowFile
from victor_ext.bulk._payment_requests import PaymentRequests
from victor_ext.bulk._validating import problems_of, split_record
from victor_ext.outbox import Outbox

BLANKS = ("", " ", "\t\n", "\u3000", "*", " ** ")
COMPARED = of_every_system(
    __name__,
    {
        "victor payment_requests.create": CREATE_REQUEST_PAYMENT,
        "velo payouts.submit's payments": (
            "remote_id",
            "source_account_name",
            "payor_payment_id",
            "memo",
            "transmission_type",
            "remote_system_id",
        ),
        "eastpay payments.debit": ("merchant_transaction_id",),
        "eastpay checkouts.prepare": ("merchant_transaction_id",),
        "flexfactor evaluate": ("sense_key",),
    },
)
"""The arguments of each system with which a response is compared."""
NO_TEXTS = ("amount", "biller_type", "due_date", "amount_modification_allowed")


@pytest.mark.parametrize("call", COMPARED)
@pytest.mark.parametrize("text", BLANKS)
def test_a_blank_text_is_refused_by_the_name_of_its_argument(call, text):
    for name in COMPARED[call]:
        if name not in NO_TEXTS:
            [problem] = refused(TARGETS[call], **{name: text}).problems
            assert last(problem) == name


@pytest.mark.parametrize("name", ["client_reference_id", "notes"])
@pytest.mark.parametrize("text", BLANKS)
def test_the_check_and_the_outbox_of_victor_refuse_a_blank_text_too(name, text):
    arguments = payment(client_reference_id="INV-1042", idempotency_key=GUID)
    with pytest.raises(InvalidRequest, match=name):
        check_payment_request(**{**arguments, name: text})
    engine = sa.create_engine("sqlite://")
    outbox = Outbox(engine)
    outbox.create_table()
    with engine.begin() as connection, pytest.raises(InvalidRequest, match=name):
        outbox.add(connection, **{**arguments, name: text})
    engine.dispose()


@pytest.mark.parametrize("system", ["victor"])
@pytest.mark.parametrize("text", BLANKS)
def test_a_generated_call_with_a_blank_reference_is_sent_and_confirmed(harness, system, text):
    """The document allows it: then payee, payer and amount say whose response it is."""
    details = {"amount": "44.23", "biller_type": "BUSINESS"}
    members = {
        "payee": {"account_number": "043987673645"},
        "payer": {"victor_counterparty_id": "aHeq349838"},
        "payment_details": {**details, "due_date": datetime.now(UTC).date().isoformat()},
        "client_reference_id": text,
    }
    body = models.NewRtpRfpPaymentRequest.from_dict(members)

    assert harness(
        lambda client: client.send(
            client.prepare(create_request_payment, idempotency_key=GUID, body=body)
        )
    ).id


@pytest.mark.parametrize(("cell", "is_refused"), [("", False), (" ", True), ("*", True)])
def test_an_empty_cell_of_a_file_is_absent_and_a_blank_one_is_refused(cell, is_refused):
    kind = PaymentRequests(None)
    due_date = datetime.now(UTC).date().isoformat()
    record = {**payment(client_reference_id=cell, due_date=due_date), "invoice": "1"}
    fields = split_record(kind, record, "invoice")
    named = [problem.field for problem in problems_of(kind, fields, RowFile(""))]
    assert named == (["client_reference_id"] if is_refused else [])
    assert ("client_reference_id" in fields.arguments) is is_refused
