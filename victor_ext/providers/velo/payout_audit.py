"""The history of payouts: the list of them, what became of each and of its payments, and the numbers of the month."""

from __future__ import annotations

from datetime import date

from velo_api import models
from velo_api.api.payouts import get_payout_history, get_payout_statistics, list_payouts

from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, drop_none

from .audit_records import PayoutHistory, PayoutStatistics, PayoutSummary
from .checks import Validation, check_id
from .paging import in_one_order, walk
from .records import Payment
from .words import PaymentStatusWord, PayoutStatusFilter, ScheduleStatusWord, TransmissionFilter


class PayoutAudit(Resource[Mode]):
    """What became of payouts."""

    @listing
    def list(
        self,
        payor_id: str,
        *,
        status: PayoutStatusFilter | None = None,
        memo: str | None = None,
        from_payor_name: str | None = None,
        submitted_from: date | str | None = None,
        submitted_to: date | str | None = None,
        schedule_status: ScheduleStatusWord | None = None,
        scheduled_from: date | str | None = None,
        scheduled_to: date | str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[PayoutSummary]:
        """The payouts of a payor, read page by page as they are iterated; those of which it pays or is paid for.

        The filters have Velo's names; one that is None is not sent.

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

        Raises:
            InvalidRequest: A filter cannot be right. It is raised at once, not at the first page.
        """
        validation = Validation()
        texts = {"status": status, "from_payor_name": from_payor_name, "schedule_status": schedule_status}
        arguments = drop_none(
            payor_id=validation.id("payor_id", payor_id),
            **validation.texts(texts),
            payout_memo=validation.text("memo", memo, 255, required=False),
            submitted_date_from=validation.day("submitted_from", submitted_from),
            submitted_date_to=validation.day("submitted_to", submitted_to),
            scheduled_for_date_from=validation.day("scheduled_from", scheduled_from),
            scheduled_for_date_to=validation.day("scheduled_to", scheduled_to),
            # Velo's own order is by time alone.
            sort=in_one_order(validation.sort(sort) or "submittedDateTime:asc", "payoutId"),
            page_size=validation.page_size(page_size, 100),
        )
        validation.finish("The list of payouts")
        return walk(list_payouts, PayoutSummary, lambda payout: payout.id, "list of payouts", arguments)

    @operation
    def history(self, payout_id: str) -> OperationFlow[PayoutHistory]:
        """Read when a payout was submitted, quoted, instructed or withdrawn, and how many payments got how far."""
        check_id("payout_id", payout_id, "The payout")
        page = yield from call(get_payout_history, models.PayoutHistoryPage, payout_id=payout_id, page_size=1)
        return PayoutHistory(page.summary or models.PayoutHistory())

    @listing
    def audited_payments(
        self,
        payout_id: str,
        *,
        remote_id: str | None = None,
        status: PaymentStatusWord | None = None,
        transmission_type: TransmissionFilter | None = None,
        rails_id: str | None = None,
        remote_system_id: str | None = None,
        source_amount_from: int | None = None,
        source_amount_to: int | None = None,
        payment_amount_from: int | None = None,
        payment_amount_to: int | None = None,
        submitted_from: date | str | None = None,
        submitted_to: date | str | None = None,
        sensitive: bool | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[Payment]:
        """The payments of a payout with what became of them, those included that came back (status RETURNED).

        `payments` lists what was submitted. The filters have Velo's names; one that is None is not sent.

        Args:
            payout_id: The payout.
            rails_id: The rails that carry a payment, in any letter case.
            remote_system_id: The payments system that pays, if it is not Velo.
            source_amount_from: The least that a source account pays, in minor units of whichever currency.
            source_amount_to: The most of it.
            payment_amount_from: The least that a payee receives, likewise.
            payment_amount_to: The most of it.
            submitted_from: The first day, as a date or a text such as `2026-03-04`.
            submitted_to: The last day, which is part of the window.
            sensitive: True asks for unmasked data, which the key has to be allowed to see.
            sort: Fields and directions, such as `status:asc`; Velo's default is `remoteId`. Velo sorts these by no id,
                so that equal ones may change places between two pages: `history(payout_id).total_payments` tells
                whether all came.
            page_size: 1 to 100; Velo's default is 25.

        Raises:
            InvalidRequest: A filter cannot be right. It is raised at once, not at the first page.
        """
        validation = Validation()
        texts = {
            "remote_id": remote_id,
            "status": status,
            "transmission_type": transmission_type,
            "rails_id": rails_id,
            "remote_system_id": remote_system_id,
        }
        arguments = drop_none(
            payout_id=validation.id("payout_id", payout_id),
            **validation.texts(texts),
            **validation.amounts(
                source_amount_from=source_amount_from,
                source_amount_to=source_amount_to,
                payment_amount_from=payment_amount_from,
                payment_amount_to=payment_amount_to,
            ),
            submitted_date_from=validation.day("submitted_from", submitted_from),
            submitted_date_to=validation.day("submitted_to", submitted_to),
            sensitive=validation.flag("sensitive", sensitive),
            sort=validation.sort(sort),
            page_size=validation.page_size(page_size, 100),
        )
        validation.finish("The payments of the payout")
        what = "list of payments"
        return walk(get_payout_history, Payment, lambda payment: payment.id, what, arguments)

    @operation
    def statistics(self, payor_id: str) -> OperationFlow[PayoutStatistics]:
        """Read how many payouts a payor had this month, and how many of their payments failed."""
        check_id("payor_id", payor_id, "The statistics")
        return PayoutStatistics((yield from call(get_payout_statistics, models.PayoutStatistics, payor_id=payor_id)))
