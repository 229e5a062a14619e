"""Payouts and their payments, from submission to completion, and what can be read of them."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from victor_ext.sandbox.engine import Asked, Move, Refused, Result
from victor_ext.sandbox.server import JsonObject, NotFound, Response, find
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.base import Base, iso, made_at
from victor_ext.sandbox.velo.notifications import notify_of_payment
from victor_ext.sandbox.velo.payees import Payees

RATE = 1.25
"""The exchange rate between any two currencies."""
_QUOTE_LIFE = 900.0
"""Seconds until a quote has expired: the sandbox's own choice."""
_MONEY = ("sourceAmount", "sourceCurrency", "paymentAmount", "paymentCurrency")
_EXPORTED: tuple[str, ...] = (
    "transactionDate",
    *_MONEY,
    "remoteId",
    "sourceAccountName",
    "payorPaymentId",
    "status",
)
"""Titles of the sandbox's own choice: those of Velo's file are not documented."""


_IN_STATUS = "The payout is {}."
_MOVES = {
    "quote": Move(("ACCEPTED", "QUOTED"), "QUOTED", _IN_STATUS),
    "instruct": Move(("ACCEPTED", "QUOTED"), "INSTRUCTED", _IN_STATUS),
    "withdraw": Move(("SUBMITTED", "ACCEPTED", "QUOTED"), "WITHDRAWN", _IN_STATUS, status=400),
}


@dataclass
class Payout:
    id: str
    status: str = "SUBMITTED"
    payments: list[JsonObject] = field(default_factory=list["JsonObject"])
    others: JsonObject = field(default_factory=dict[str, Any])
    """What its submission said beside the payments."""
    quotes: list[JsonObject] = field(default_factory=list["JsonObject"])
    """The exchanges of its last quote."""
    quoted_until: float = 0.0
    times: dict[str, str] = field(default_factory=dict[str, str])
    """When it was submitted, quoted, instructed and withdrawn, as `submittedDateTime` and so on."""


class Payouts:
    def __init__(self, base: Base, payees: Payees, accounts: Accounts) -> None:
        self._base, self._payees, self._accounts = base, payees, accounts
        self._now, self._new_id = base.now, base.new_id
        self.all: dict[str, Payout] = {}

    def submit(self, asked: Asked) -> Result:
        """Make a payout. The work is counted for the payor's ids of its payments."""
        body = asked.body
        payout = Payout(
            self._new_id(),
            others={name: value for name, value in body.items() if name != "payments"},
        )
        payout.times["submittedDateTime"] = self._base.timestamp()
        payout.payments = [self._payment(item) for item in body["payments"]]
        self.all[payout.id] = payout
        self._plan(payout, self._base.settings.validation, self._validate)
        for payment in payout.payments:
            notify_of_payment(self._base, payment)
        named = [one["payorPaymentId"] for one in payout.payments if one["payorPaymentId"]]
        return made_at(f"/v3/payouts/{payout.id}", *named)

    def _payment(self, item: JsonObject) -> JsonObject:
        remote_id, account, currency = item["remoteId"], item["sourceAccountName"], item["currency"]
        payee = self._payees.by_remote_id(remote_id)
        source = next(
            (one for one in self._accounts.sources.values() if one["name"] == account), None
        )
        unknown = f"source account {account}" if payee else f"payee {remote_id}"
        return {
            **dict.fromkeys(("payorPaymentId", "paymentMemo", "remoteSystemId")),
            "transmissionType": "ACH",
            **item,
            "paymentId": self._new_id(),
            "payeeId": payee["payeeId"] if payee else None,
            "payorId": self._base.payor_id,
            "sourceCurrency": source["currency"] if source else currency,
            "sourceAccountId": source["id"] if source else None,
            "submittedDateTime": self._base.timestamp(),
            "status": "SUBMITTED",
            "reason": None if payee and source else f"There is no {unknown}.",
            "events": [],
        }

    def get(self, payout_id: str) -> Payout:
        return find(self.all, payout_id, "payout")

    def _in_status_for(self, move: str, payout_id: str) -> Payout:
        """A payout that may make the move. Raises `Refused`."""
        payout = self.get(payout_id)
        _MOVES[move].check(payout.status)
        return payout

    def _move(self, payout: Payout, move: str) -> None:
        payout.status = _MOVES[move].enters
        payout.times[f"{payout.status.lower()}DateTime"] = self._base.timestamp()

    def quote(self, payout_id: str) -> JsonObject:
        payout = self._in_status_for("quote", payout_id)
        self._move(payout, "quote")
        payout.quoted_until = self._now() + _QUOTE_LIFE
        payout.quotes = self._exchanges(payout)
        return {"fxSummaries": payout.quotes}

    def instruct(self, payout_id: str) -> None:
        """Have a payout paid.

        That a quote which has expired is a conflict, as a missing one, is the sandbox's own rule.
        """
        payout = self._in_status_for("instruct", payout_id)
        accepted = [one for one in payout.payments if one["status"] == "ACCEPTED"]
        exchanged = any(one["currency"] != one["sourceCurrency"] for one in accepted)
        if exchanged and self._now() >= payout.quoted_until:
            why = "its quote has expired" if payout.quotes else "it has none"
            raise Refused(409, f"A payout of other currencies needs a quote, and {why}.")
        self._move(payout, "instruct")
        self._plan(payout, self._base.settings.settlement, self._settle)
        for payment in accepted:
            account = self._accounts.sources[payment["sourceAccountId"]]
            funded = account["balance"] >= self.cost(payment)
            account["balance"] -= self.cost(payment) if funded else 0
            self._set_status(payment, "FUNDED" if funded else "AWAITING_FUNDS")

    def withdraw(self, payout_id: str) -> None:
        payout = self._in_status_for("withdraw", payout_id)
        self._move(payout, "withdraw")
        for payment in payout.payments:
            if payment["status"] != "REJECTED":
                self._set_status(payment, "WITHDRAWN")

    def withdraw_one(self, asked: Asked) -> None:
        known = {
            one["paymentId"]: (payout, one)
            for payout in self.all.values()
            for one in payout.payments
        }
        payout, payment = find(known, asked.about, "payment")
        if payout.status not in ("ACCEPTED", "QUOTED") or payment["status"] != "ACCEPTED":
            raise Refused(400, f"The payment is {payment['status']}, its payout {payout.status}.")
        payment["withdrawnReason"] = asked.body["reason"]
        self._set_status(payment, "WITHDRAWN")

    def return_payment(self, payment_id: str) -> None:
        """Return a payment. That its source account has the money again, whole and at once, is the
        sandbox's own rule, and so is that the payout stays as it is.
        """
        payment = self.known(payment_id)
        if not payment:
            raise NotFound("There is no such payment.")
        if payment["status"] != "CONFIRMED":
            raise ValueError(
                f"the payment is {payment['status']}: only a CONFIRMED one is returned"
            )
        self._accounts.source(payment["sourceAccountId"])["balance"] += self.cost(payment)
        self._set_status(payment, "RETURNED")

    def pays(self, payee_id: str) -> bool:
        return any(
            one["payeeId"] == payee_id for payout in self.all.values() for one in payout.payments
        )

    def _plan(self, payout: Payout, seconds: float, move: Callable[[Payout], None]) -> None:
        """Plan a move of a payout, which is not made if the payout has left its status before."""
        leaves = payout.status

        def move_if_there() -> bool:
            is_there = payout.status == leaves
            if is_there:
                move(payout)
            return is_there

        self._base.timeline.plan(self._now() + seconds, move_if_there)

    def _validate(self, payout: Payout) -> None:
        for payment in payout.payments:
            self._set_status(payment, "REJECTED" if payment["reason"] else "ACCEPTED")
        payout.status = "REJECTED" if all(one["reason"] for one in payout.payments) else "ACCEPTED"

    def _settle(self, payout: Payout) -> None:
        for payment in payout.payments:
            if payment["status"] == "FUNDED":
                self._set_status(payment, "CONFIRMED")
        waiting = any(one["status"] == "AWAITING_FUNDS" for one in payout.payments)
        payout.status = "INCOMPLETE" if waiting else "COMPLETED"

    def _set_status(self, payment: JsonObject, status: str) -> None:
        payment["status"] = status
        event = {
            "eventId": self._new_id(),
            "eventDateTime": self._base.timestamp(),
            "eventType": f"PAYMENT_{status}",
        }
        price = {"paymentAmount": payment["amount"], "paymentCurrency": payment["currency"]}
        payment["events"].append({**event, **price})
        self._base.touch(payment["paymentId"])
        notify_of_payment(self._base, payment)

    def cost(self, payment: JsonObject) -> int:
        """The cost of a payment in minor units of the source currency, rounded up."""
        amount: int = payment["amount"]
        return amount if payment["currency"] == payment["sourceCurrency"] else -int(-amount // RATE)

    def _exchanges(self, payout: Payout) -> list[JsonObject]:
        """What the payments of other currencies cost, by pair of currencies."""
        pairs: dict[tuple[str, str], list[JsonObject]] = {}
        for one in payout.payments:
            if one["status"] == "ACCEPTED" and one["currency"] != one["sourceCurrency"]:
                pairs.setdefault((one["sourceCurrency"], one["currency"]), []).append(one)
        return [
            {
                "quoteId": self._new_id(),
                "rate": RATE,
                "invertedRate": 1 / RATE,
                "creationTime": self._base.timestamp(),
                "expiryTime": iso(payout.quoted_until),
                "totalSourceAmount": sum(map(self.cost, payments)),
                "totalPaymentAmount": sum(one["amount"] for one in payments),
                "sourceCurrency": source,
                "paymentCurrency": paid,
                "fundingStatus": "UNFUNDED",
                "status": "QUOTED",
            }
            for (source, paid), payments in pairs.items()
        ]

    def _quotes(self, payout: Payout) -> list[JsonObject]:
        """The exchanges of the last quote as they are now."""
        expired = payout.status == "QUOTED" and self._now() >= payout.quoted_until
        return [{**one, "status": "EXPIRED"} if expired else one for one in payout.quotes]

    # What can be read

    def shown(self, payout_id: str) -> JsonObject:
        """All that Velo says of a payout; a response has the part that its schema names."""
        payout = self.get(payout_id)
        accepted = [
            one for one in payout.payments if one["status"] not in ("SUBMITTED", "REJECTED")
        ]
        rejected = [one for one in payout.payments if one["status"] == "REJECTED"]
        costs, withdrawn, returned = (
            self._costs(accepted),
            _count(payout, "WITHDRAWN"),
            _count(payout, "RETURNED"),
        )
        incomplete = _count(payout, "AWAITING_FUNDS")
        return {
            "payoutMemo": None,
            **payout.others,
            "payoutId": payout.id,
            "payorId": self._base.payor_id,
            "status": payout.status,
            "payoutStatus": payout.status,
            "payoutType": "STANDARD",
            **payout.times,
            "paymentsSubmitted": len(payout.payments),
            "paymentsAccepted": len(accepted),
            "paymentsRejected": len(rejected),
            "paymentsWithdrawn": withdrawn,
            "totalPayments": len(payout.payments),
            "totalIncompletePayments": incomplete,
            "totalReturnedPayments": returned,
            "totalWithdrawnPayments": withdrawn,
            "confirmedPayments": _count(payout, "CONFIRMED"),
            "releasedPayments": _count(payout, "CONFIRMED", "FUNDED"),
            "incompletePayments": incomplete,
            "returnedPayments": returned,
            "withdrawnPayments": withdrawn,
            "fxSummaries": self._quotes(payout),
            "accounts": costs,
            "sourceAccountSummary": [
                {**cost, "totalCost": cost["totalPayoutCost"]} for cost in costs
            ],
            "acceptedPayments": [
                {**one, "currencyType": one["currency"], "railsId": "SANDBOX"} for one in accepted
            ],
            "rejectedPayments": [{**one, "currencyType": one["currency"]} for one in rejected],
        }

    def _costs(self, payments: list[JsonObject]) -> list[JsonObject]:
        costs: dict[str, JsonObject] = {}
        for one in payments:
            account = {name: one[name] for name in ("sourceAccountName", "sourceAccountId")}
            fresh = {**account, "currency": one["sourceCurrency"], "totalPayoutCost": 0}
            costs.setdefault(one["sourceAccountId"], fresh)["totalPayoutCost"] += self.cost(one)
        return list(costs.values())

    def listed(self) -> list[JsonObject]:
        return [self.shown(payout_id) for payout_id in self.all]

    def statistics(self) -> JsonObject:
        month = self._base.timestamp()[:7]
        these = [one for one in self.all.values() if one.times["submittedDateTime"][:7] == month]
        failed = [one for one in self.payments() if one["status"] in ("REJECTED", "RETURNED")]
        return {"thisMonthPayoutsCount": len(these), "thisMonthFailedPaymentsCount": len(failed)}

    def export(self, asked: Asked) -> Response:
        first, last = asked.query.get("startDate", "0"), asked.query.get("endDate", "9")
        file = io.StringIO(newline="")
        rows = csv.DictWriter(file, _EXPORTED, extrasaction="ignore")
        rows.writeheader()
        days = [
            {**one, "transactionDate": one["submittedDateTime"][:10]} for one in self.payments()
        ]
        rows.writerows(one for one in days if first <= one["transactionDate"] <= last)
        content_type = (b"content-type", b"application/csv")
        return Response(200, file.getvalue().encode(), (content_type,))

    def payment(self, payment_id: str) -> JsonObject:
        return find({one["paymentId"]: one for one in self.payments()}, payment_id, "payment")

    def known(self, payment_id: str) -> JsonObject:
        """A payment in whatever state; empty: there is none."""
        payments = [one for payout in self.all.values() for one in payout.payments]
        return next((one for one in payments if one["paymentId"] == payment_id), JsonObject())

    def of_payout(self, payout_id: str) -> list[JsonObject]:
        return [one for one in self.payments() if one["payoutId"] == payout_id]

    def payments(self) -> list[JsonObject]:
        """The payments, without those that are not validated yet."""
        return [
            {
                **one,
                # Velo names the payee once the payment is confirmed.
                "remoteId": one["remoteId"] if one["status"] == "CONFIRMED" else None,
                "sourceAmount": self.cost(one),
                "paymentAmount": one["amount"],
                "paymentCurrency": one["currency"],
                "railsId": "SANDBOX",
                "fundingStatus": "FUNDED"
                if one["status"] in ("FUNDED", "CONFIRMED")
                else "UNFUNDED",
                "rejectionReason": one["reason"],
                "payout": {"payoutId": payout.id},
                "payoutId": payout.id,
            }
            for payout in self.all.values()
            for one in payout.payments
            if one["status"] != "SUBMITTED"
        ]


def _count(payout: Payout, *statuses: str) -> int:
    return sum(payment["status"] in statuses for payment in payout.payments)
