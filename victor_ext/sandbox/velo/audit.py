"""What can be read of payouts and payments: histories, changes, the numbers of the month and the export."""

from __future__ import annotations

import csv
import io

from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo.base import Base
from victor_ext.sandbox.velo.payouts import Payout, Payouts

_MONEY = ("sourceAmount", "sourceCurrency", "paymentAmount", "paymentCurrency")
_EXPORTED: tuple[str, ...] = ("transactionDate", *_MONEY, "remoteId", "sourceAccountName", "payorPaymentId", "status")
"""Titles of the sandbox's own choice: those of Velo's file are not documented."""
_AUDITED = (
    *("paymentId", "payeeId", "payorId", "payorPaymentId", "sourceAccountId", "sourceAccountName", "sourceCurrency"),
    *("submittedDateTime", "status", "paymentMemo", "transmissionType", "remoteSystemId", "events"),
)


class Audit:
    def __init__(self, base: Base, payouts: Payouts) -> None:
        self._base, self._payouts = base, payouts

    def summary(self, payout: Payout) -> JsonObject:
        """The payout as `getPayout` returns it."""
        accepted = _accepted(payout)

        def shown(one: JsonObject, *more: str) -> JsonObject:
            names = ("remoteId", "amount", "sourceAccountName", "payorPaymentId", *more)
            return {**{name: one[name] for name in names}, "currencyType": one["currency"]}

        return {
            "payoutId": payout.id,
            "status": payout.status,
            "paymentsSubmitted": len(payout.payments),
            "paymentsAccepted": len(accepted),
            "paymentsRejected": _count(payout, "REJECTED"),
            "paymentsWithdrawn": _count(payout, "WITHDRAWN"),
            "fxSummaries": self._payouts.exchanges(payout) if "quotedDateTime" in payout.times else [],
            "accounts": self._costs(accepted),
            "acceptedPayments": [{**shown(one), "railsId": "SANDBOX"} for one in accepted],
            "rejectedPayments": [shown(one, "reason") for one in payout.payments if one["status"] == "REJECTED"],
        }

    def _costs(self, payments: list[JsonObject]) -> list[JsonObject]:
        costs: dict[str, JsonObject] = {}
        for one in payments:
            account = {name: one[name] for name in ("sourceAccountName", "sourceAccountId")}
            fresh = {**account, "currency": one["sourceCurrency"], "totalPayoutCost": 0}
            costs.setdefault(one["sourceAccountId"], fresh)["totalPayoutCost"] += self._payouts.cost(one)
        return list(costs.values())

    def payouts(self) -> list[JsonObject]:
        self._payouts.move()
        return [
            {
                "payoutId": payout.id,
                "payorId": self._base.payor_id,
                "status": payout.status,
                **_head(payout, "submittedDateTime", "instructedDateTime", "withdrawnDateTime"),
                "totalIncompletePayments": _count(payout, "AWAITING_FUNDS"),
                "totalReturnedPayments": _count(payout, "RETURNED"),
                "totalWithdrawnPayments": _count(payout, "WITHDRAWN"),
                "sourceAccountSummary": [
                    {"totalCost": cost["totalPayoutCost"], **cost} for cost in self._costs(_accepted(payout))
                ],
            }
            for payout in self._payouts.all.values()
        ]

    def history(self, payout_id: str) -> JsonObject:
        payout = self._payouts.get(payout_id)
        return {
            "payoutStatus": payout.status,
            **_head(payout, "submittedDateTime", "quotedDateTime", "instructedDateTime", "withdrawnDateTime"),
            "confirmedPayments": _count(payout, "CONFIRMED"),
            "releasedPayments": _count(payout, "CONFIRMED", "FUNDED"),
            "incompletePayments": _count(payout, "AWAITING_FUNDS"),
            "returnedPayments": _count(payout, "RETURNED"),
            "withdrawnPayments": _count(payout, "WITHDRAWN"),
        }

    def statistics(self) -> JsonObject:
        month = self._base.timestamp()[:7]
        these = [one for one in self.payouts() if one["submittedDateTime"][:7] == month]
        failed = [one for one in self.payments() if one["status"] in ("REJECTED", "RETURNED")]
        return {"thisMonthPayoutsCount": len(these), "thisMonthFailedPaymentsCount": len(failed)}

    def export(self, first: str, last: str) -> str:
        file = io.StringIO(newline="")
        rows = csv.DictWriter(file, _EXPORTED, extrasaction="ignore")
        rows.writeheader()
        days = [{**one, "transactionDate": one["submittedDateTime"][:10]} for one in self.payments()]
        rows.writerows(one for one in days if first <= one["transactionDate"] <= last)
        return file.getvalue()

    def payment(self, payment_id: str) -> JsonObject:
        return find({one["paymentId"]: one for one in self.payments()}, payment_id, "payment")

    def payments(self) -> list[JsonObject]:
        """The payments, without those that are not validated yet."""
        self._payouts.move()
        return [
            {
                **{name: one[name] for name in _AUDITED},
                # Velo names the payee once the payment is confirmed.
                "remoteId": one["remoteId"] if one["status"] == "CONFIRMED" else None,
                "sourceAmount": self._payouts.cost(one),
                "paymentAmount": one["amount"],
                "paymentCurrency": one["currency"],
                "railsId": "SANDBOX",
                "fundingStatus": "FUNDED" if one["status"] in ("FUNDED", "CONFIRMED") else "UNFUNDED",
                "rejectionReason": one["reason"],
                "withdrawnReason": one.get("withdrawnReason"),
                "payout": {"payoutId": payout.id},
            }
            for payout in self._payouts.all.values()
            for one in payout.payments
            if one["status"] != "SUBMITTED"
        ]

    def changes(self) -> list[JsonObject]:
        names = ("paymentId", "payorPaymentId", "status", *_MONEY)
        return [
            {"payoutId": one["payout"]["payoutId"], **{name: one[name] for name in names}} for one in self.payments()
        ]


def _accepted(payout: Payout) -> list[JsonObject]:
    return [one for one in payout.payments if one["status"] not in ("SUBMITTED", "REJECTED")]


def _head(payout: Payout, *times: str) -> JsonObject:
    known = {name: payout.times[name] for name in times if name in payout.times}
    return {"payoutMemo": payout.memo, "payoutType": "STANDARD", **known, "totalPayments": len(payout.payments)}


def _count(payout: Payout, *statuses: str) -> int:
    return sum(payment["status"] in statuses for payment in payout.payments)
