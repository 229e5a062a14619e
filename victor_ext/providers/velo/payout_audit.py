"""The history of payouts: the list of them, what became of each and of its payments, and the numbers of the month."""

from __future__ import annotations

from velo_api import models
from velo_api.api.payouts import get_payout_history, get_payout_statistics, list_payouts

from victor_ext.runtime.client.resources import Mode, Resource, Walk, arguments_of, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call

from .audit_records import PayoutHistory, PayoutStatistics, PayoutSummary
from .checks import check_id
from .lists import AuditedPaymentList, PayoutList
from .paging import in_one_order, walk
from .records import Payment


class PayoutAudit(Resource[Mode]):
    """What became of payouts."""

    @listing
    @arguments_of(PayoutList)
    def list(self, request: PayoutList) -> Walk[PayoutSummary]:
        """The payouts of a payor, read page by page as they are iterated; those of which it pays or is paid for.

        Args:
            payor_id: The payor.
            status: A status of a payout, such as `INSTRUCTED`.
            memo: A part of the memo, in any letter case.
            from_payor_name: A part of the name of the payor whose payees are paid, in any letter case.
            submitted_from: The first day, as a date or a text such as `2026-03-04`. In which time zone Velo means its
                days is not documented.
            submitted_to: The last day, which is part of the window.
            schedule_status: `ANY`, `SCHEDULED`, `EXECUTED` or `FAILED`.
            scheduled_from: The first day of those that payouts are scheduled for.
            scheduled_to: The last one.
            sort: Fields and directions, such as `submittedDateTime:desc`; `payoutId` is added, as for `payments.list`.
            page_size: 1 to 100; Velo's default is 25.
        """
        arguments = request.arguments("The list of payouts")
        # Velo's own order is by time alone.
        arguments["sort"] = in_one_order(arguments.get("sort", "submittedDateTime:asc"), "payoutId")
        return walk(list_payouts, PayoutSummary, lambda payout: payout.id, "list of payouts", arguments)

    @operation
    def history(self, payout_id: str) -> OperationFlow[PayoutHistory]:
        """Read when a payout was submitted, quoted, instructed or withdrawn, and how many payments got how far."""
        check_id("payout_id", payout_id, "The payout")
        page = yield from call(get_payout_history, models.PayoutHistoryPage, payout_id=payout_id, page_size=1)
        return PayoutHistory(page.summary or models.PayoutHistory())

    @listing
    @arguments_of(AuditedPaymentList)
    def audited_payments(self, request: AuditedPaymentList) -> Walk[Payment]:
        """The payments of a payout with what became of them, those included that came back (status RETURNED).

        `payments` lists what was submitted.

        The other arguments are those of `payments.list`.

        Args:
            payout_id: The payout.
            sort: Fields and directions, such as `status:asc`; Velo's default is `remoteId`. Velo sorts these by no id,
                so that equal ones may change places between two pages: compare their number with
                `history(payout_id).total_payments`.
            page_size: 1 to 100; Velo's default is 25.
        """
        arguments = request.arguments("The payments of the payout")
        return walk(get_payout_history, Payment, lambda payment: payment.id, "list of payments", arguments)

    @operation
    def statistics(self, payor_id: str) -> OperationFlow[PayoutStatistics]:
        """Read how many payouts a payor had this month, and how many of their payments failed."""
        check_id("payor_id", payor_id, "The statistics")
        return PayoutStatistics((yield from call(get_payout_statistics, models.PayoutStatistics, payor_id=payor_id)))
