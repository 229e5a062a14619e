"""What Velo's audit says of payouts and payments: lists, histories, numbers of the month and the export."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from victor_ext.sandbox.server import JsonObject
from victor_ext.sandbox.velo.formats import find, iso
from victor_ext.sandbox.velo.payouts import Payout, Payouts

_TITLES = ("transactionDate", "debit", "debitCurrency", "remoteId", "sourceAccount", "paymentAmount", "paymentCurrency",
           "payorPaymentId", "paymentStatus")  # fmt: skip
"""Titles of the sandbox's own choice: those of Velo's file are not documented."""


class Audit:
    """The history of all payouts."""

    def __init__(self, now: Callable[[], float], payouts: Payouts) -> None:
        self._now = now
        self._payouts = payouts

    def payment(self, payor_id: str, payment_id: str) -> JsonObject:
        """A payment with its history, or 404."""
        return find({one["paymentId"]: one for one in self._payouts.audit(payor_id)}, payment_id, "payment")

    def payouts(self, payor_id: str) -> list[JsonObject]:
        """The payouts of a payor."""
        self._payouts.move()
        mine = [payout for payout in self._payouts.all.values() if payout.payor_id == payor_id]
        return [self._in_list(payout) for payout in mine]

    def _in_list(self, payout: Payout) -> JsonObject:
        costs = self._payouts.summary(payout)["accounts"]
        return {
            "payoutId": payout.id,
            "payorId": payout.payor_id,
            "status": payout.status,
            "payoutMemo": payout.memo,
            "payoutType": "STANDARD",
            **_times(payout, "submitted", "instructed", "withdrawn"),
            "totalPayments": len(payout.payments),
            "totalIncompletePayments": _count(payout, "AWAITING_FUNDS"),
            "totalReturnedPayments": _count(payout, "RETURNED"),
            "totalWithdrawnPayments": _count(payout, "WITHDRAWN"),
            "sourceAccountSummary": [
                {
                    "sourceAccountId": cost["sourceAccountId"],
                    "totalCost": cost["totalPayoutCost"],
                    "currency": cost["currency"],
                }
                for cost in costs
            ],
        }

    def history(self, payout_id: str) -> JsonObject:
        """What became of a payout, or 404."""
        payout = self._payouts.get(payout_id)
        return {
            "payoutStatus": payout.status,
            "payoutMemo": payout.memo,
            "payoutType": "STANDARD",
            **_times(payout, "submitted", "quoted", "instructed", "withdrawn"),
            "totalPayments": len(payout.payments),
            "confirmedPayments": _count(payout, "CONFIRMED"),
            "releasedPayments": _count(payout, "CONFIRMED", "FUNDED"),
            "incompletePayments": _count(payout, "AWAITING_FUNDS"),
            "returnedPayments": _count(payout, "RETURNED"),
            "withdrawnPayments": _count(payout, "WITHDRAWN"),
        }

    def statistics(self, payor_id: str) -> JsonObject:
        """The numbers of the month."""
        month = iso(self._now())[:7]
        these = [one for one in self.payouts(payor_id) if one["submittedDateTime"][:7] == month]
        failed = [one for one in self._payouts.audit(payor_id) if one["status"] in ("REJECTED", "RETURNED")]
        return {"thisMonthPayoutsCount": len(these), "thisMonthFailedPaymentsCount": len(failed)}

    def export(self, payor_id: str, first: str, last: str) -> str:
        """The payments of a range of days, as CSV."""
        file = io.StringIO(newline="")
        rows = csv.writer(file)
        rows.writerow(_TITLES)
        for one in self._payouts.audit(payor_id):
            day = one["submittedDateTime"][:10]
            if first <= day <= last:
                rows.writerow(
                    [day, one["sourceAmount"], one["sourceCurrency"], one["remoteId"], one["sourceAccountName"],
                     one["paymentAmount"], one["paymentCurrency"], one["payorPaymentId"], one["status"]]
                )  # fmt: skip
        return file.getvalue()


def _count(payout: Payout, *statuses: str) -> int:
    return sum(payment["status"] in statuses for payment in payout.payments)


def _times(payout: Payout, *steps: str) -> JsonObject:
    return {f"{step}DateTime": iso(payout.times[step]) for step in steps if step in payout.times}
