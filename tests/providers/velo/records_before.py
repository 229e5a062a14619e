"""Records: what Velo says of payees, accounts, fundings, payouts and payments.

States are text: Velo adds to them.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from victor_ext.errors import InvalidRequest
from victor_ext.money import Money
from victor_ext.runtime.client.records import (
    Field,
    ModelRecord,
    as_integer,
    as_object,
    boolean,
    identifier,
    text,
    timestamp,
)
from victor_ext.runtime.core.json_values import decimal_of, list_or_empty

R = TypeVar("R", bound=ModelRecord)


integer = partial(Field[int | None], as_integer)
decimal = partial(Field[Decimal | None], decimal_of)


def records(path: str, kind: Callable[[Any], R]) -> Field[tuple[R, ...]]:
    """Records of one kind; empty when the provider sent none."""

    def read(value: object) -> tuple[R, ...]:
        return tuple(map(kind, list_or_empty(value)))

    return Field(read, path)


def as_money(minor_units: Any, currency: Any) -> Money | None:
    """An amount in minor units and its currency (ISO 4217)."""
    try:
        return Money(minor_units, currency)
    except InvalidRequest:
        return None


# An amount, from the paths of its minor units and of its currency.
money = partial(Field[Money | None], as_money)


class PayorRef(ModelRecord):
    """The relation of a payee to one payor."""

    payor_id = text("payor_id")
    remote_id = text("remote_id")
    invitation_status = text("invitation_status")
    is_payable = boolean("payable_status")
    payment_channel_id = text("payment_channel_id")


class Payee(ModelRecord):
    """A person or a company that can be paid."""

    id = identifier("payee_id")
    type = text("payee_type")
    onboarded_status = text("onboarded_status")
    watchlist_status = text("watchlist_status")
    country = text("country")
    is_disabled = boolean("disabled")
    is_paused = boolean("pause_payment")
    created_at = timestamp("created")
    payor_refs = records("payor_refs", PayorRef)
    display_name = text("display_name", hidden=True)
    email = text("email", hidden=True)
    language = text("language", hidden=True)
    disabled_comment = text("disabled_comment", hidden=True)

    def remote_id(self, payor_id: str | None = None) -> str | None:
        """The payor's own name for this payee.

        Without `payor_id`, of the only payor (None with several).
        """
        known = [ref for ref in self.payor_refs if payor_id is None or ref.payor_id == payor_id]
        return known[0].remote_id if len(known) == 1 else None


class PayeeFailure(ModelRecord):
    """A payee of a batch that Velo refused."""

    message = text("failure_message")
    submission = Field(as_object, "failed_submission.additional_properties", hidden=True)


class PayeeBatch(ModelRecord):
    """The progress of a batch of new payees."""

    status = text("status")
    pending_count = integer("pending_count")
    failure_count = integer("failure_count")
    failures = records("failures", PayeeFailure)

    @property
    def is_done(self) -> bool:
        """Whether Velo has processed every payee: the status is ACCEPTED, and none is pending."""
        return self.status == "ACCEPTED" and self.pending_count == 0


class PayeeChange(ModelRecord):
    """A payee in the feed of changes."""

    payee_id = identifier("payee_id")
    remote_id = text("remote_id")
    onboarded_status = text("onboarded_status")
    country = text("payee_country")
    display_name = text("display_name", hidden=True)
    dba_name = text("dba_name", hidden=True)
    email = text("email", hidden=True)


class PayeeInvitation(ModelRecord):
    """How far the invitation of a payee is. Known states: ACCEPTED PENDING DECLINED; others may
    come.

    `grace_period_ends` is a day, as text such as `2026-03-04`.
    """

    payee_id = identifier("payee_id")
    status = text("invitation_status")
    grace_period_ends = text("grace_period_end_date")


class SourceAccount(ModelRecord):
    """An account that payouts are paid from."""

    id = identifier("id")
    name = text("name")
    type = text("type_")
    balance = money("balance", "currency")
    currency = text("currency")
    country = text("country")
    payor_id = text("payor_id")
    funding_reference = text("funding_ref")
    rails_id = text("rails_id")
    is_deleted = boolean("deleted")
    is_deleted_by_user = boolean("user_deleted")
    is_pooled = boolean("pooled")
    physical_account_id = text("physical_account_id")
    physical_account_name = text("physical_account_name")


class FundingAccount(ModelRecord):
    """A bank account of the payor that funds source accounts."""

    id = identifier("id")
    name = text("name")
    type = text("type_")
    currency = text("currency")
    country = text("country")
    payor_id = text("payor_id")
    is_archived = boolean("archived")
    account_name = text("account_name", hidden=True)
    account_number = text("account_number", masked=True)
    routing_number = text("routing_number", masked=True)


class Funding(ModelRecord):
    """Money that was, or will be, paid into a source account."""

    id = identifier("funding_id")
    status = text("status")
    amount = money("amount", "currency")
    payor_id = text("payor_id")
    source_account_id = text("source_account_id")
    allocated_at = timestamp("allocation_date")
    allocation_type = text("allocation_type")
    funding_account_type = text("funding_account_type")
    detected_funding_reference = text("detected_funding_ref")
    reason = text("reason")


class FundingChange(ModelRecord):
    """A funding in the feed of changes."""

    funding_id = identifier("funding_id")
    status = text("status")
    amount = money("amount", "currency")


class FxSummary(ModelRecord):
    """One currency exchange of a payout: its amounts, its rate, and when it expires."""

    quote_id = identifier("quote_id")
    status = text("status")
    source = money("total_source_amount", "source_currency")
    payment = money("total_payment_amount", "payment_currency")
    rate = decimal("rate")
    inverted_rate = decimal("inverted_rate")
    created_at = timestamp("creation_time")
    expires_at = timestamp("expiry_time")
    funding_status = text("funding_status")


class Quote(ModelRecord):
    """The currency exchanges of a payout."""

    fx_summaries = records("fx_summaries", FxSummary)


class PayoutAccount(ModelRecord):
    """The cost of a payout to one source account."""

    source_account_id = identifier("source_account_id")
    name = text("source_account_name")
    total_cost = money("total_payout_cost", "currency")


class AcceptedPayment(ModelRecord):
    """A payment that Velo accepted when the payout was submitted."""

    payor_payment_id = text("payor_payment_id")
    remote_id = text("remote_id")
    amount = money("amount", "currency_type")
    source_account_name = text("source_account_name")
    rails_id = text("rails_id")
    remote_system_id = text("remote_system_id")
    memo = text("payment_memo", hidden=True)


class RejectedPayment(ModelRecord):
    """A payment that Velo rejected when the payout was submitted, and why."""

    payor_payment_id = text("payor_payment_id")
    remote_id = text("remote_id")
    amount = money("amount", "currency_type")
    source_account_name = text("source_account_name")
    reason = text("reason")
    reason_code = text("reason_code")
    message = text("message")
    remote_system_id = text("remote_system_id")


class Payout(ModelRecord):
    """The state of a payout. Known states: SUBMITTED ACCEPTED REJECTED QUOTED INSTRUCTED COMPLETED
    INCOMPLETE CONFIRMED WITHDRAWN; others may come. A payout that is ACCEPTED may hold payments
    that were rejected: see `rejected`."""

    id = identifier("payout_id")
    status = text("status")
    payments_submitted = integer("payments_submitted")
    payments_accepted = integer("payments_accepted")
    payments_rejected = integer("payments_rejected")
    payments_withdrawn = integer("payments_withdrawn")
    accounts = records("accounts", PayoutAccount)
    fx_summaries = records("fx_summaries", FxSummary)
    accepted = records("accepted_payments", AcceptedPayment)
    rejected = records("rejected_payments", RejectedPayment)


class PayoutPayment(ModelRecord):
    """A payment in the list of its payout."""

    id = identifier("payment_id")
    payor_payment_id = text("payor_payment_id")
    status = text("status")
    amount = money("amount", "currency")
    remote_id = text("remote_id")
    source_account_name = text("source_account_name")
    transmission_type = text("transmission_type")
    rails_id = text("rails_id")
    remote_system_id = text("remote_system_id")
    is_withdrawable = boolean("withdrawable")
    memo = text("payment_memo", hidden=True)


class PaymentEvent(ModelRecord):
    """One step of a payment, such as PAYMENT_SUBMITTED, PAYMENT_FUNDED or PAYMENT_CONFIRMED."""

    id = identifier("event_id")
    type = text("event_type")
    happened_at = timestamp("event_date_time")
    source = money("source_amount", "source_currency")
    payment = money("payment_amount", "payment_currency")


class Payment(ModelRecord):
    """A payment of a payor, with its history. Known states: ACCEPTED AWAITING_FUNDS FUNDED UNFUNDED
    BANK_PAYMENT_REQUESTED REJECTED ACCEPTED_BY_RAILS CONFIRMED RETURNED WITHDRAWN; others may come.
    """

    id = identifier("payment_id")
    payor_payment_id = text("payor_payment_id")
    payout_id = text("payout.payout_id")
    status = text("status")
    source = money("source_amount", "source_currency")
    payment = money("payment_amount", "payment_currency")
    payee_id = text("payee_id")
    payor_id = text("payor_id")
    remote_id = text("remote_id")
    source_account_id = text("source_account_id")
    source_account_name = text("source_account_name")
    submitted_at = timestamp("submitted_date_time")
    funding_status = text("funding_status")
    rejection_reason = text("rejection_reason")
    return_reason = text("return_reason")
    withdrawn_reason = text("withdrawn_reason")
    auto_withdrawn_reason_code = text("auto_withdrawn_reason_code")
    is_withdrawable = boolean("withdrawable")
    quote_id = text("quote_id")
    rate = decimal("rate")
    inverted_rate = decimal("inverted_rate")
    transmission_type = text("transmission_type")
    rails_id = text("rails_id")
    remote_system_id = text("remote_system_id")
    trace_number = text("trace_number")
    tracking_reference = text("payment_tracking_reference")
    events = records("events", PaymentEvent)
    memo = text("payment_memo", hidden=True)


class PaymentChange(ModelRecord):
    """A payment in the feed of changes."""

    payment_id = identifier("payment_id")
    payout_id = identifier("payout_id")
    payor_payment_id = text("payor_payment_id")
    status = text("status")
    source = money("source_amount", "source_currency")
    payment = money("payment_amount", "payment_currency")


class SourceAccountCost(ModelRecord):
    """The cost of a payout to one source account."""

    source_account_id = identifier("source_account_id")
    total_cost = money("total_cost", "currency")


class PayoutSummary(ModelRecord):
    """A payout in the list of a payor's payouts. For its states see `Payout`."""

    id = identifier("payout_id")
    status = text("status")
    type = text("payout_type")
    payor_id = text("payor_id")
    payor_name = text("payor_name")
    submitted_at = timestamp("submitted_date_time")
    instructed_at = timestamp("instructed_date_time")
    withdrawn_at = timestamp("withdrawn_date_time")
    total_payments = integer("total_payments")
    incomplete_payments = integer("total_incomplete_payments")
    returned_payments = integer("total_returned_payments")
    withdrawn_payments = integer("total_withdrawn_payments")
    accounts = records("source_account_summary", SourceAccountCost)
    schedule_status = text("schedule.schedule_status")
    scheduled_for = timestamp("schedule.scheduled_for")
    scheduled_at = timestamp("schedule.scheduled_at")
    memo = text("payout_memo", hidden=True)


class PayoutHistory(ModelRecord):
    """When a payout was submitted, quoted, instructed or withdrawn, and how many of its payments
    got how far.
    """

    status = text("payout_status")
    type = text("payout_type")
    submitted_at = timestamp("submitted_date_time")
    quoted_at = timestamp("quoted_date_time")
    instructed_at = timestamp("instructed_date_time")
    withdrawn_at = timestamp("withdrawn_date_time")
    total_payments = integer("total_payments")
    confirmed_payments = integer("confirmed_payments")
    released_payments = integer("released_payments")
    incomplete_payments = integer("incomplete_payments")
    returned_payments = integer("returned_payments")
    withdrawn_payments = integer("withdrawn_payments")
    memo = text("payout_memo", hidden=True)


class PayoutStatistics(ModelRecord):
    """The numbers of the current month.

    In which time zone Velo's months begin is not documented.
    """

    payouts_this_month = integer("this_month_payouts_count")
    failed_payments_this_month = integer("this_month_failed_payments_count")


class FundingEvent(ModelRecord):
    """One step of a funding."""

    id = identifier("event_id")
    type = text("funding_event_type")
    happened_at = timestamp("event_date_time")


class FundingEntry(ModelRecord):
    """A funding in the audit. Known states: PENDING FAILED CREDIT DEBIT; others may come.

    Velo gives it no id. `amount` is the number that Velo sent: its document does not say whether it
    is in minor units.
    """

    amount = decimal("amount")
    currency = text("currency")
    status = text("status")
    happened_at = timestamp("date_time")
    source_account_name = text("source_account_name")
    funding_account_name = text("funding_account_name")
    funding_type = text("funding_type")
    top_up_type = text("topup_type")
    events = records("events", FundingEvent)
