"""Tests without the sandbox: payment requests that were never sent, and mocks with the signatures
of the clients.
"""

import inspect
from datetime import UTC, date, datetime
from decimal import Decimal
from unittest.mock import AsyncMock, Mock, create_autospec

import pytest

from tests.programs import python
from victor_ext import (
    AsyncVictor,
    Direction,
    Network,
    Payee,
    Payer,
    PaymentRequest,
    PaymentRequestResponse,
    Status,
)
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox
from victor_ext.providers.eastpay import AsyncEastPay
from victor_ext.providers.flexfactor import FlexFactor
from victor_ext.providers.velo import Velo

WHOLE = {
    "id": "RFP0000042",
    "status": Status.NEEDS_REVIEW,
    "direction": Direction.INBOUND,
    "network": Network.FEDNOW,
    "amount": Decimal("12.00"),
    "original_amount": Decimal("13.50"),
    "due_date": date(2026, 5, 6),
    "created_at": datetime(2026, 5, 5, 1, 2, 3, tzinfo=UTC),
    "approved_at": datetime(2026, 5, 5, 4, 5, 6, tzinfo=UTC),
    "payee": Payee("000123456789", "SampleCo Billing Inc."),
    "payer": Payer("lake000002", "243884643621", "011401533", "Victor Doe"),
    "biller_type": "CONSUMER",
    "amount_modification_allowed": False,
    "notes": "Rent",
    "approval_notes": "Paid.",
    "client_reference_id": "INV-7",
    "parent_id": "PARENT0001",
    "child_id": "CHILD00001",
    "error_message": "No.",
    "response": PaymentRequestResponse(
        Status.DECLINED, Decimal("13.50"), Decimal("12.00"), "Paid."
    ),
    "idempotency_key": "invoice-1042-0123456789",
}


class TestFakePaymentRequests:
    def test_a_fake_has_each_attribute_that_it_is_given(self):
        made = PaymentRequest.fake(**WHOLE)
        assert {name: getattr(made, name) for name in WHOLE} == WHOLE

    @pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"id", "direction"}))
    def test_an_attribute_of_a_fake_may_be_none(self, name):
        assert getattr(PaymentRequest.fake(**{name: None}), name) is None

    @pytest.mark.slow
    def test_a_fake_payment_request_can_be_made_without_pytest(self):
        code = """
import sys
sys.modules["pytest"] = None  # it is not installed
from victor_ext import PaymentRequest
print(PaymentRequest.fake(status="completed").status)
"""
        assert python("-c", code).stdout == "completed\n"

    def test_amounts_dates_and_words_of_a_fake_are_read_as_from_the_provider(self):
        fake = PaymentRequest.fake(amount=12, status="COMPLETED", due_date="2026-05-06")
        assert (fake.amount, fake.status, fake.is_terminal) == (12, Status.COMPLETED, True)
        assert fake.due_date == date(2026, 5, 6)

    @pytest.mark.parametrize("wrong", [{"amout": "12.00"}, {"amount": "12,00"}])
    def test_a_fake_refuses_an_unknown_attribute_and_a_wrong_value_by_its_name(self, wrong):
        with pytest.raises(TypeError, match=f"cannot take {next(iter(wrong))}="):
            PaymentRequest.fake(**wrong)


class TestMocksOfClients:
    @pytest.mark.parametrize(
        ("client", "path", "awaited"),
        [
            (AsyncVictor, "send", True),
            (Velo, "payouts.get", False),
            (FlexFactor, "evaluate", False),
            (AsyncEastPay, "checkouts.prepare", True),
        ],
    )
    def test_mocks_of_the_other_clients_have_the_real_signatures_and_are_awaited_alike(
        self, client, path, awaited
    ):
        found = create_autospec(client, instance=True)
        for name in path.split("."):
            found = getattr(found, name)
        # A mock has any flag that is asked for: its class says whether its call is awaited.
        is_mock = isinstance(found, Mock | AsyncMock)
        assert (
            isinstance(found, AsyncMock) if is_mock else inspect.iscoroutinefunction(found)
        ) is awaited
        with pytest.raises(TypeError, match="missing a required"):
            found()

    @pytest.mark.parametrize("box", [Outbox, Inbox])
    def test_a_mock_of_an_outbox_or_inbox_has_a_heartbeat(self, box):
        assert create_autospec(box, instance=True).heartbeat.idle
