"""Velo's audit of payouts and payments: lists, histories, numbers of the month and the export, and their calls."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from victor_ext.sandbox.server import Call, JsonObject, Response, find, json_response
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.formats import in_order, iso, matches, page_of
from victor_ext.sandbox.velo.operations import AUDIT_FILTERS, NEWEST_FIRST, PAYOUT_FILTERS
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


class AuditCalls:
    """The part of Velo's provider that reads the audit."""

    payor_id: str
    accounts: Accounts
    _payouts: Payouts
    _audit: Audit

    def _payor_of(self, query: Mapping[str, Any], *, required: bool) -> str:
        """The payor of a query."""
        raise NotImplementedError

    def _list_payments(self, call: Call) -> Response:
        query = call.query_values()
        payments = self._payouts.audit(self._payor_of(query, required=True))
        payments = self._in_window([one for one in payments if _passes(one, query)], query)
        return json_response(200, page_of(in_order(payments, query.get("sort"), NEWEST_FIRST), query))

    @staticmethod
    def _in_window(items: list[JsonObject], query: dict[str, str]) -> list[JsonObject]:
        first, last = query.get("submittedDateFrom", "0"), query.get("submittedDateTo", "9")
        return [one for one in items if first <= one["submittedDateTime"][:10] <= last]

    def _get_payment(self, call: Call) -> Response:
        return json_response(200, self._audit.payment(self.payor_id, call.params["payment_id"]))

    def _export(self, call: Call) -> Response:
        query = call.query_values()
        payor_id = self._payor_of(query, required=False)
        text = self._audit.export(payor_id, query.get("startDate", "0"), query.get("endDate", "9"))
        return Response(200, text.encode("utf-8"), ((b"content-type", b"application/csv"),))

    def _list_payouts(self, call: Call) -> Response:
        query = call.query_values()
        payouts = self._audit.payouts(self._payor_of(query, required=False))
        memo = query.get("payoutMemo", "").casefold()
        payouts = [one for one in payouts if matches(one, query, PAYOUT_FILTERS)]
        payouts = self._in_window([one for one in payouts if memo in (one["payoutMemo"] or "").casefold()], query)
        return json_response(200, page_of(in_order(payouts, query.get("sort"), "submittedDateTime:asc"), query))

    def _payout_history(self, call: Call) -> Response:
        query, payout_id = call.query_values(), call.params["payout_id"]
        summary = self._audit.history(payout_id)
        payments = [one for one in self._payouts.audit(self.payor_id) if one["payout"]["payoutId"] == payout_id]
        payments = self._in_window([one for one in payments if _passes(one, query)], query)
        page = page_of(in_order(payments, query.get("sort"), "remoteId:asc"), query)
        return json_response(200, {"summary": summary, **page})

    def _statistics(self, call: Call) -> Response:
        return json_response(200, self._audit.statistics(self._payor_of(call.query_values(), required=False)))

    def _list_fundings(self, call: Call) -> Response:
        query = call.query_values()
        fundings = self.accounts.audit(self._payor_of(query, required=True))
        fundings = [one for one in fundings if matches(one, query, {"sourceAccountName": "sourceAccountName"})]
        return json_response(200, page_of(in_order(fundings, query.get("sort"), "dateTime"), query))


def _passes(payment: JsonObject, query: dict[str, str]) -> bool:
    """Whether a payment passes the filters. Those by schedule, exchange and payor's name pass all: nothing has them."""
    amounts = ("sourceAmount", "paymentAmount")
    return matches(payment, query, AUDIT_FILTERS) and all(
        int(query.get(f"{name}From", 0)) <= payment[name] <= int(query.get(f"{name}To", 2**63)) for name in amounts
    )
