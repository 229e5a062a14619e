"""Records of history: what became of payouts and fundings."""

from __future__ import annotations

from victor_ext.runtime.client.records import (
    Record,
    decimal,
    identifier,
    integer,
    records,
    text,
    timestamp,
)

from .records import money


class SourceAccountCost(Record):
    """The cost of a payout to one source account."""

    source_account_id = identifier("source_account_id")
    total_cost = money("total_cost", "currency")


class PayoutSummary(Record):
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


class PayoutHistory(Record):
    """When a payout was submitted, quoted, instructed or withdrawn, and how many of its payments got how far."""

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


class PayoutStatistics(Record):
    """The numbers of the current month. In which time zone Velo's months begin is not documented."""

    payouts_this_month = integer("this_month_payouts_count")
    failed_payments_this_month = integer("this_month_failed_payments_count")


class FundingEvent(Record):
    """One step of a funding."""

    id = identifier("event_id")
    type = text("funding_event_type")
    happened_at = timestamp("event_date_time")


class FundingEntry(Record):
    """A funding in the audit. Known states: PENDING FAILED CREDIT DEBIT; others may come.

    Velo gives it no id. `amount` is the number that Velo sent: its document does not say whether it is in minor units.
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
