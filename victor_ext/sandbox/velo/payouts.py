"""Payouts and their payments, from submission to completion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.formats import Refused, amount_of, iso, list_of, text_of
from victor_ext.sandbox.velo.payees import Payees

RATE = 1.25
"""The exchange rate between any two currencies."""


@dataclass
class Payout:
    id: str
    payor_id: str
    due: float
    status: str = "SUBMITTED"
    payments: list[JsonObject] = field(default_factory=list["JsonObject"])
    quoted: bool = False
    memo: str | None = None
    times: dict[str, float] = field(default_factory=dict[str, float])


class Payouts:
    """All payouts."""

    def __init__(
        self,
        now: Callable[[], float],
        new_id: Callable[[], str],
        validation: float,
        settlement: float,
        payees: Payees,
        accounts: Accounts,
        notify: Callable[[str, JsonObject], None],
    ) -> None:
        self._now = now
        self._new_id = new_id
        self._validation, self._settlement = validation, settlement
        self._payees = payees
        self._accounts = accounts
        self._notify = notify
        self.all: dict[str, Payout] = {}
        self.changed: dict[str, float] = {}

    def clear(self) -> None:
        self.all.clear()
        self.changed.clear()

    def submit(self, payor_id: str, body: JsonObject) -> tuple[str, list[str]]:
        """Make a payout; returns its id, and the payor's ids of its payments."""
        items = list_of(body, "payments")
        payout = Payout(self._new_id(), payor_id, self._now() + self._validation)
        payout.memo = text_of(body, "payoutMemo", 0, 40) if body.get("payoutMemo") is not None else None
        payout.times["submitted"] = self._now()
        payout.payments = [self._payment(payout, item, place) for place, item in enumerate(items)]
        self.all[payout.id] = payout
        return payout.id, [one["payorPaymentId"] for one in payout.payments if one["payorPaymentId"]]

    def _payment(self, payout: Payout, item: JsonObject, place: int) -> JsonObject:
        where = f"payments[{place}]."
        remote_id = text_of(item, "remoteId", 1, 100, where=where)
        account = text_of(item, "sourceAccountName", 1, 64, where=where)
        payee = self._payees.by_remote_id(payout.payor_id, remote_id)
        source = self._accounts.named(payout.payor_id, account)
        reason = None if payee else f"There is no payee {remote_id}."
        reason = reason or (None if source else f"There is no source account {account}.")
        currency = text_of(item, "currency", 3, 3, where=where)
        return {
            "paymentId": self._new_id(),
            "payeeId": payee["payeeId"] if payee else None,
            "payorId": payout.payor_id,
            "remoteId": remote_id,
            "currency": currency,
            "amount": amount_of(item, "amount", 2**63 - 1, where=where),
            "sourceCurrency": source["currency"] if source else currency,
            "sourceAccountName": account,
            "sourceAccountId": source["id"] if source else None,
            "payorPaymentId": item.get("payorPaymentId"),
            "paymentMemo": item.get("paymentMemo"),
            "transmissionType": item.get("transmissionType", "ACH"),
            "remoteSystemId": item.get("remoteSystemId"),
            "submittedDateTime": iso(self._now()),
            "status": "SUBMITTED",
            "reason": reason,
            "events": [],
        }

    def get(self, payout_id: str) -> Payout:
        """A payout, or 404. Moves that are due are made first."""
        payout = find(self.all, payout_id, "payout")
        self.move()
        return payout

    def quote(self, payout_id: str) -> JsonObject:
        """Quote the exchange rates."""
        payout = self.get(payout_id)
        if payout.status not in ("ACCEPTED", "QUOTED"):
            raise Refused(409, "state", f"The payout is {payout.status}.")
        payout.status, payout.quoted, payout.times["quoted"] = "QUOTED", True, self._now()
        return {"fxSummaries": self._summaries(payout)}

    def instruct(self, payout_id: str) -> None:
        """Pay the accepted payments."""
        payout = self.get(payout_id)
        if payout.status not in ("ACCEPTED", "QUOTED"):
            raise Refused(409, "state", f"The payout is {payout.status}.")
        accepted = [one for one in payout.payments if one["status"] == "ACCEPTED"]
        if not payout.quoted and any(one["currency"] != one["sourceCurrency"] for one in accepted):
            raise Refused(409, "state", "Payments of other currencies need a quote first.")
        payout.status, payout.due = "INSTRUCTED", self._now() + self._settlement
        payout.times["instructed"] = self._now()
        for payment in accepted:
            account = self._accounts.sources[payment["sourceAccountId"]]
            funded = account["balance"] >= self._cost(payment)
            account["balance"] -= self._cost(payment) if funded else 0
            self._set_status(payment, "FUNDED" if funded else "AWAITING_FUNDS")

    def withdraw(self, payout_id: str) -> None:
        """Withdraw the payout and its payments."""
        payout = self.get(payout_id)
        if payout.status not in ("SUBMITTED", "ACCEPTED", "QUOTED"):
            raise Refused(400, "state", f"The payout is {payout.status}.")
        payout.status, payout.times["withdrawn"] = "WITHDRAWN", self._now()
        for payment in payout.payments:
            self._set_status(payment, "WITHDRAWN")

    def withdraw_payment(self, payment_id: str, reason: str) -> None:
        """Withdraw one payment of a payout that is not instructed."""
        self.move()
        known = {one["paymentId"]: (payout, one) for payout in self.all.values() for one in payout.payments}
        payout, payment = find(known, payment_id, "payment")
        if payout.status not in ("ACCEPTED", "QUOTED") or payment["status"] != "ACCEPTED":
            raise Refused(400, "state", f"The payment is {payment['status']}, its payout {payout.status}.")
        payment["withdrawnReason"] = reason
        self._set_status(payment, "WITHDRAWN")

    def pays(self, payee_id: str) -> bool:
        return any(one["payeeId"] == payee_id for payout in self.all.values() for one in payout.payments)

    def move(self) -> int:
        """Make the moves that are due; returns their number."""
        due = [one for one in self.all.values() if one.status in ("SUBMITTED", "INSTRUCTED") and self._now() >= one.due]
        for payout in due:
            (self._validate if payout.status == "SUBMITTED" else self._settle)(payout)
        return len(due)

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
        event: JsonObject = {
            "eventId": self._new_id(),
            "eventDateTime": iso(self._now()),
            "eventType": f"PAYMENT_{status}",
            "paymentAmount": payment["amount"],
            "paymentCurrency": payment["currency"],
        }
        payment["events"].append(event)
        self.changed[payment["paymentId"]] = self._now()
        self._notify(f"payment.{status.lower()}", payment)

    def _cost(self, payment: JsonObject) -> int:
        """The cost of a payment in minor units of the source currency, rounded up."""
        amount: int = payment["amount"]
        return amount if payment["currency"] == payment["sourceCurrency"] else -int(-amount // RATE)

    def summary(self, payout: Payout) -> JsonObject:
        """The payout as `getPayout` returns it."""
        accepted = [one for one in payout.payments if one["status"] not in ("SUBMITTED", "REJECTED")]
        rejected = [one for one in payout.payments if one["status"] == "REJECTED"]
        common = ("remoteId", "amount", "sourceAccountName", "payorPaymentId")
        return {
            "payoutId": payout.id,
            "status": payout.status,
            "paymentsSubmitted": len(payout.payments),
            "paymentsAccepted": len(accepted),
            "paymentsRejected": len(rejected),
            "paymentsWithdrawn": sum(one["status"] == "WITHDRAWN" for one in payout.payments),
            "fxSummaries": self._summaries(payout) if payout.quoted else [],
            "accounts": self._costs(accepted),
            "acceptedPayments": [
                {**{name: one[name] for name in common}, "currencyType": one["currency"], "railsId": "SANDBOX"}
                for one in accepted
            ],
            "rejectedPayments": [
                {**{name: one[name] for name in common}, "currencyType": one["currency"], "reason": one["reason"]}
                for one in rejected
            ],
        }

    def _costs(self, payments: list[JsonObject]) -> list[JsonObject]:
        costs: dict[str, JsonObject] = {}
        for one in payments:
            cost = costs.setdefault(
                one["sourceAccountId"],
                {
                    "sourceAccountName": one["sourceAccountName"],
                    "sourceAccountId": one["sourceAccountId"],
                    "currency": one["sourceCurrency"],
                    "totalPayoutCost": 0,
                },
            )
            cost["totalPayoutCost"] += self._cost(one)
        return list(costs.values())

    def _summaries(self, payout: Payout) -> list[JsonObject]:
        pairs: dict[tuple[str, str], list[JsonObject]] = {}
        for one in payout.payments:
            if one["reason"] is None and one["currency"] != one["sourceCurrency"]:
                pairs.setdefault((one["sourceCurrency"], one["currency"]), []).append(one)
        return [
            {
                "quoteId": self._new_id(),
                "rate": RATE,
                "invertedRate": 1 / RATE,
                "creationTime": iso(self._now()),
                "expiryTime": iso(self._now() + 60),
                "totalSourceAmount": sum(map(self._cost, payments)),
                "totalPaymentAmount": sum(one["amount"] for one in payments),
                "sourceCurrency": source,
                "paymentCurrency": paid,
                "fundingStatus": "UNFUNDED",
                "status": "QUOTED",
            }
            for (source, paid), payments in pairs.items()
        ]

    def audit(self, payor_id: str) -> list[JsonObject]:
        """The payments of a payor, without those that are not validated yet."""
        self.move()
        return [
            {
                **{name: one[name] for name in _AUDITED},
                # Velo names the payee once the payment is confirmed.
                "remoteId": one["remoteId"] if one["status"] == "CONFIRMED" else None,
                "sourceAmount": self._cost(one),
                "paymentAmount": one["amount"],
                "paymentCurrency": one["currency"],
                "railsId": "SANDBOX",
                "fundingStatus": "FUNDED" if one["status"] in ("FUNDED", "CONFIRMED") else "UNFUNDED",
                "rejectionReason": one["reason"],
                "withdrawnReason": one.get("withdrawnReason"),
                "payout": {"payoutId": payout.id},
            }
            for payout, one in self._known(payor_id)
        ]

    def changes(self, payor_id: str, since: float) -> list[JsonObject]:
        self.move()
        return [
            {
                "paymentId": one["paymentId"],
                "payoutId": payout.id,
                "payorPaymentId": one["payorPaymentId"],
                "paymentCurrency": one["currency"],
                "paymentAmount": one["amount"],
                "sourceCurrency": one["sourceCurrency"],
                "sourceAmount": self._cost(one),
                "status": one["status"],
            }
            for payout, one in self._known(payor_id)
            if self.changed[one["paymentId"]] >= since
        ]

    def _known(self, payor_id: str) -> list[tuple[Payout, JsonObject]]:
        mine = [payout for payout in self.all.values() if payout.payor_id == payor_id]
        return [(payout, one) for payout in mine for one in payout.payments if one["status"] != "SUBMITTED"]


_AUDITED = (
    *("paymentId", "payeeId", "payorId", "payorPaymentId", "sourceAccountId", "sourceAccountName", "sourceCurrency"),
    *("submittedDateTime", "status", "paymentMemo", "transmissionType", "remoteSystemId", "events"),
)
