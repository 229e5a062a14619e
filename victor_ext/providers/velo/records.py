"""What Velo answers: payees, accounts, fundings, payouts and payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .reading import Field, Record, exchange_rate, flag, identifier, moment, money, several, text, whole, within


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a 202 says of what it has taken into work: the id at the end of its `Location`.

    Attributes:
        id: Of what is being made.
        location: The address as Velo wrote it.
        retry_after: Seconds that Velo asks to wait before looking, when it says so.
    """

    id: str
    location: str
    retry_after: float | None = None


class PayorRef(Record):
    """What a payee is to one payor."""

    payor_id = text("payor_id")
    remote_id = text("remote_id")
    invitation_status = text("invitation_status")
    is_payable = flag("payable_status")
    payment_channel_id = text("payment_channel_id")


class Payee(Record):
    """Somebody who can be paid."""

    id = identifier("payee_id")
    type = text("payee_type")
    onboarded_status = text("onboarded_status")
    watchlist_status = text("watchlist_status")
    country = text("country")
    is_disabled = flag("disabled")
    created_at = moment("created")
    payor_refs = several("payor_refs", PayorRef)
    display_name = text("display_name", hidden=True)
    email = text("email", hidden=True)
    language = text("language", hidden=True)

    def remote_id(self, payor_id: str | None = None) -> str | None:
        """The payor's own name for this payee: of that payor, or of the only one there is."""
        known = [ref for ref in self.payor_refs if payor_id is None or ref.payor_id == payor_id]
        return known[0].remote_id if len(known) == 1 else None


class PayeeFailure(Record):
    """A payee of a batch that Velo did not take."""

    message = text("failure_message")
    submission: Field[dict[str, Any]] = Field(
        lambda raw: dict(getattr(getattr(raw, "failed_submission", None), "additional_properties", {})), hidden=True
    )


class PayeeBatch(Record):
    """How far a batch of new payees is."""

    status = text("status")
    pending_count = whole("pending_count")
    failure_count = whole("failure_count")
    failures = several("failures", PayeeFailure)

    @property
    def is_done(self) -> bool:
        """Whether every payee of it has been worked on: the status is ACCEPTED, and none is pending."""
        return self.status == "ACCEPTED" and self.pending_count == 0


class PayeeChange(Record):
    """A payee that changed, as the feed has it."""

    payee_id = identifier("payee_id")
    remote_id = text("remote_id")
    onboarded_status = text("onboarded_status")
    country = text("payee_country")
    display_name = text("display_name", hidden=True)
    email = text("email", hidden=True)


class SourceAccount(Record):
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
    is_deleted = flag("deleted")


class FundingAccount(Record):
    """A bank account of the payor's that money comes from."""

    id = identifier("id")
    name = text("name")
    type = text("type_")
    currency = text("currency")
    country = text("country")
    payor_id = text("payor_id")
    is_archived = flag("archived")
    account_name = text("account_name", hidden=True)
    account_number = text("account_number", masked=True)
    routing_number = text("routing_number", masked=True)


class Funding(Record):
    """Money that came, or is to come, into a source account."""

    id = identifier("funding_id")
    status = text("status")
    amount = money("amount", "currency")
    payor_id = text("payor_id")
    source_account_id = text("source_account_id")
    allocated_at = moment("allocation_date")
    allocation_type = text("allocation_type")
    funding_account_type = text("funding_account_type")
    reason = text("reason")


class FundingChange(Record):
    """A funding that changed, as the feed has it."""

    funding_id = identifier("funding_id")
    status = text("status")
    amount = money("amount", "currency")


class FxSummary(Record):
    """What one exchange of a payout costs, at which rate, and until when that holds."""

    quote_id = identifier("quote_id")
    status = text("status")
    source = money("total_source_amount", "source_currency")
    payment = money("total_payment_amount", "payment_currency")
    rate = exchange_rate("rate")
    inverted_rate = exchange_rate("inverted_rate")
    created_at = moment("creation_time")
    expires_at = moment("expiry_time")
    funding_status = text("funding_status")


class Quote(Record):
    """The exchanges of a payout, with their rates."""

    fx_summaries = several("fx_summaries", FxSummary)


class PayoutAccount(Record):
    """What a payout takes from one source account."""

    source_account_id = identifier("source_account_id")
    name = text("source_account_name")
    total_cost = money("total_payout_cost", "currency")


class AcceptedPayment(Record):
    """A payment that Velo took when the payout was submitted."""

    payor_payment_id = text("payor_payment_id")
    remote_id = text("remote_id")
    amount = money("amount", "currency_type")
    source_account_name = text("source_account_name")
    rails_id = text("rails_id")


class RejectedPayment(Record):
    """A payment that Velo did not take when the payout was submitted, and why."""

    payor_payment_id = text("payor_payment_id")
    remote_id = text("remote_id")
    amount = money("amount", "currency_type")
    source_account_name = text("source_account_name")
    reason = text("reason")
    reason_code = text("reason_code")
    message = text("message")


class Payout(Record):
    """Where a payout is. Known states: SUBMITTED ACCEPTED REJECTED QUOTED INSTRUCTED COMPLETED INCOMPLETE CONFIRMED
    WITHDRAWN; others may come. A payout that was ACCEPTED may hold payments that were rejected: see `rejected`."""

    id = identifier("payout_id")
    status = text("status")
    payments_submitted = whole("payments_submitted")
    payments_accepted = whole("payments_accepted")
    payments_rejected = whole("payments_rejected")
    payments_withdrawn = whole("payments_withdrawn")
    accounts = several("accounts", PayoutAccount)
    fx_summaries = several("fx_summaries", FxSummary)
    accepted = several("accepted_payments", AcceptedPayment)
    rejected = several("rejected_payments", RejectedPayment)


class PayoutPayment(Record):
    """A payment, as the payout that it belongs to has it."""

    id = identifier("payment_id")
    payor_payment_id = text("payor_payment_id")
    status = text("status")
    amount = money("amount", "currency")
    remote_id = text("remote_id")
    source_account_name = text("source_account_name")
    transmission_type = text("transmission_type")
    rails_id = text("rails_id")
    is_withdrawable = flag("withdrawable")
    memo = text("payment_memo", hidden=True)


class Payment(Record):
    """A payment, as the payor's audit has it. Known states: ACCEPTED AWAITING_FUNDS FUNDED UNFUNDED
    BANK_PAYMENT_REQUESTED REJECTED ACCEPTED_BY_RAILS CONFIRMED RETURNED WITHDRAWN; others may come."""

    id = identifier("payment_id")
    payor_payment_id = text("payor_payment_id")
    payout_id = within("payout", text("payout_id"), None)
    status = text("status")
    source = money("source_amount", "source_currency")
    payment = money("payment_amount", "payment_currency")
    payee_id = text("payee_id")
    payor_id = text("payor_id")
    remote_id = text("remote_id")
    source_account_name = text("source_account_name")
    submitted_at = moment("submitted_date_time")
    funding_status = text("funding_status")
    rejection_reason = text("rejection_reason")
    return_reason = text("return_reason")
    withdrawn_reason = text("withdrawn_reason")
    is_withdrawable = flag("withdrawable")
    memo = text("payment_memo", hidden=True)


class PaymentChange(Record):
    """A payment that changed, as the feed has it."""

    payment_id = identifier("payment_id")
    payout_id = identifier("payout_id")
    payor_payment_id = text("payor_payment_id")
    status = text("status")
    source = money("source_amount", "source_currency")
    payment = money("payment_amount", "payment_currency")
