"""Payouts and their payments, from submission to completion, and what can be read of them."""

from collections.abc import Callable, Iterator

from victor_ext.sandbox.engine import Asked, Move, Refused, Result
from victor_ext.sandbox.server import JsonObject, NotFound, find
from victor_ext.sandbox.velo._notifications import notify_of_payment
from victor_ext.sandbox.velo._payees import by_remote_id
from victor_ext.sandbox.velo._state import Payout, VeloState, iso, made_at

RATE = 1.25
"""The exchange rate between any two currencies."""
_QUOTE_LIFE = 900.0
"""Seconds until a quote has expired: the sandbox's own choice."""


def submit(state: VeloState, asked: Asked) -> Result:
    """Make a payout. The work is counted for the payor's ids of its payments."""
    others = {name: value for name, value in asked.body.items() if name != "payments"}
    payout = Payout(state.new_id(), others=others)
    payout.times["submittedDateTime"] = state.timestamp()
    payout.payments = [_payment(state, item) for item in asked.body["payments"]]
    state.payouts[payout.id] = payout
    _plan(state, payout, state.settings.validation, _validate)
    for payment in payout.payments:
        notify_of_payment(state, payment)
    named = [one["payorPaymentId"] for one in payout.payments if one["payorPaymentId"]]
    return made_at(f"/v3/payouts/{payout.id}", *named)


def _payment(state: VeloState, item: JsonObject) -> JsonObject:
    remote_id, name = item["remoteId"], item["sourceAccountName"]
    payee = by_remote_id(state, remote_id)
    account = next((one for one in state.sources.values() if one["name"] == name), None)
    unknown = f"source account {name}" if payee else f"payee {remote_id}"
    return {
        **dict.fromkeys(("payorPaymentId", "paymentMemo", "remoteSystemId")),
        "transmissionType": "ACH",
        **item,
        "paymentId": state.new_id(),
        # The provider's document has an id in each payment, also where nobody has it.
        "payeeId": payee["payeeId"] if payee else state.new_id(),
        "quoteId": state.new_id(),
        "payorId": state.payor_id,
        "sourceCurrency": account["currency"] if account else item["currency"],
        "sourceAccountId": account["id"] if account else state.new_id(),
        "submittedDateTime": state.timestamp(),
        "status": "SUBMITTED",
        "reason": None if payee and account else f"There is no {unknown}.",
        "events": [],
    }


_PAYOR_NAME = "The payor of the sandbox"

# The moves of a payout

_IN_STATUS = "The payout is {}."
_QUOTE = Move(("ACCEPTED", "QUOTED"), "QUOTED", _IN_STATUS)
_INSTRUCT = Move(("ACCEPTED", "QUOTED"), "INSTRUCTED", _IN_STATUS)
_WITHDRAW = Move(("SUBMITTED", "ACCEPTED", "QUOTED"), "WITHDRAWN", _IN_STATUS, status=400)


def _payout(state: VeloState, asked: Asked, move: Move | None = None) -> Payout:
    """The payout that a call names, which may make the move. Raises `Refused`."""
    payout = find(state.payouts, asked.about, "payout")
    if move is not None:
        move.check(payout.status)
    return payout


def _move(state: VeloState, payout: Payout, move: Move) -> None:
    payout.status = move.enters
    payout.times[f"{payout.status.lower()}DateTime"] = state.timestamp()


def quote(state: VeloState, asked: Asked) -> JsonObject:
    payout = _payout(state, asked, _QUOTE)
    _move(state, payout, _QUOTE)
    payout.quoted_until = state.now() + _QUOTE_LIFE
    payout.quotes = _exchanges(state, payout)
    return {"fxSummaries": payout.quotes}


def instruct(state: VeloState, asked: Asked) -> None:
    """Have a payout paid.

    That a quote which has expired is a conflict, as a missing one, is the sandbox's own rule.
    """
    payout = _payout(state, asked, _INSTRUCT)
    accepted = [one for one in payout.payments if one["status"] == "ACCEPTED"]
    exchanged = any(one["currency"] != one["sourceCurrency"] for one in accepted)
    if exchanged and state.now() >= payout.quoted_until:
        why = "its quote has expired" if payout.quotes else "it has none"
        raise Refused(409, f"A payout of other currencies needs a quote, and {why}.")
    _move(state, payout, _INSTRUCT)
    _plan(state, payout, state.settings.settlement, _settle)
    for payment in accepted:
        account = state.sources[payment["sourceAccountId"]]
        funded = account["balance"] >= _cost(payment)
        account["balance"] -= _cost(payment) if funded else 0
        _set_status(state, payment, "FUNDED" if funded else "AWAITING_FUNDS")


def withdraw(state: VeloState, asked: Asked) -> None:
    payout = _payout(state, asked, _WITHDRAW)
    _move(state, payout, _WITHDRAW)
    for payment in payout.payments:
        if payment["status"] != "REJECTED":
            _set_status(state, payment, "WITHDRAWN")


def withdraw_payment(state: VeloState, asked: Asked) -> None:
    by_id = {payment["paymentId"]: (payout, payment) for payout, payment in _all(state)}
    payout, payment = find(by_id, asked.about, "payment")
    if payout.status not in ("ACCEPTED", "QUOTED") or payment["status"] != "ACCEPTED":
        raise Refused(400, f"The payment is {payment['status']}, its payout {payout.status}.")
    payment["withdrawnReason"] = asked.body["reason"]
    _set_status(state, payment, "WITHDRAWN")


def return_payment(state: VeloState, payment_id: str) -> None:
    """Return a payment. That its source account has the money again, whole and at once, is the
    sandbox's own rule, and so is that the payout stays as it is.
    """
    payment = known(state, payment_id)
    if not payment:
        raise NotFound("There is no such payment.")
    if payment["status"] != "CONFIRMED":
        raise ValueError(f"the payment is {payment['status']}: only a CONFIRMED one is returned")
    state.sources[payment["sourceAccountId"]]["balance"] += _cost(payment)
    _set_status(state, payment, "RETURNED")


def _plan(
    state: VeloState, payout: Payout, seconds: float, move: Callable[[VeloState, Payout], None]
) -> None:
    """Plan a move of a payout, which is not made if the payout has left its status before."""
    leaves = payout.status

    def move_if_there() -> bool:
        is_there = payout.status == leaves
        if is_there:
            move(state, payout)
        return is_there

    state.timeline.plan(state.now() + seconds, move_if_there)


def _validate(state: VeloState, payout: Payout) -> None:
    for payment in payout.payments:
        _set_status(state, payment, "REJECTED" if payment["reason"] else "ACCEPTED")
    payout.status = "REJECTED" if all(one["reason"] for one in payout.payments) else "ACCEPTED"


def _settle(state: VeloState, payout: Payout) -> None:
    for payment in payout.payments:
        if payment["status"] == "FUNDED":
            _set_status(state, payment, "CONFIRMED")
    payout.status = "INCOMPLETE" if _count(payout, "AWAITING_FUNDS") else "COMPLETED"


def _set_status(state: VeloState, payment: JsonObject, status: str) -> None:
    payment["status"] = status
    event = {
        "eventId": state.new_id(),
        "eventDateTime": state.timestamp(),
        "eventType": f"PAYMENT_{status}",
        "paymentAmount": payment["amount"],
        "paymentCurrency": payment["currency"],
    }
    payment["events"].append(event)
    notify_of_payment(state, payment)


def _cost(payment: JsonObject) -> int:
    """The cost of a payment in minor units of the source currency, rounded up."""
    amount: int = payment["amount"]
    return amount if payment["currency"] == payment["sourceCurrency"] else -int(-amount // RATE)


def _exchanges(state: VeloState, payout: Payout) -> list[JsonObject]:
    """What the payments of other currencies cost, by pair of currencies."""
    pairs: dict[tuple[str, str], list[JsonObject]] = {}
    for one in payout.payments:
        if one["status"] == "ACCEPTED" and one["currency"] != one["sourceCurrency"]:
            pairs.setdefault((one["sourceCurrency"], one["currency"]), []).append(one)
    for pair in pairs.values():
        quote_id = state.new_id()
        for one in pair:
            one["quoteId"] = quote_id
    return [
        {
            "quoteId": payments[0]["quoteId"],
            "rate": RATE,
            "invertedRate": 1 / RATE,
            "creationTime": state.timestamp(),
            "expiryTime": iso(payout.quoted_until),
            "totalSourceAmount": sum(map(_cost, payments)),
            "totalPaymentAmount": sum(one["amount"] for one in payments),
            "sourceCurrency": currency,
            "paymentCurrency": paid,
            "fundingStatus": "UNFUNDED",
            "status": "QUOTED",
        }
        for (currency, paid), payments in pairs.items()
    ]


# What can be read


def get_payout(state: VeloState, asked: Asked) -> JsonObject:
    return shown(state, _payout(state, asked))


def list_payouts(state: VeloState, _: Asked) -> list[JsonObject]:
    return [shown(state, payout) for payout in state.payouts.values()]


def payout_payments(state: VeloState, asked: Asked) -> list[JsonObject]:
    return _payout(state, asked).payments


def shown(state: VeloState, payout: Payout) -> JsonObject:
    """All that Velo says of a payout; a response has the part that its schema names."""
    accepted = [one for one in payout.payments if one["status"] not in ("SUBMITTED", "REJECTED")]
    rejected = [one for one in payout.payments if one["status"] == "REJECTED"]
    costs = _costs(accepted)
    quotes = payout.quotes
    if payout.status == "QUOTED" and state.now() >= payout.quoted_until:
        quotes = [{**one, "status": "EXPIRED"} for one in quotes]
    return {
        "payoutMemo": None,
        **payout.others,
        "payoutId": payout.id,
        "payorId": state.payor_id,
        "payorName": _PAYOR_NAME,
        "status": payout.status,
        "payoutStatus": payout.status,
        "payoutType": "STANDARD",
        **payout.times,
        "paymentsSubmitted": len(payout.payments),
        "paymentsAccepted": len(accepted),
        "paymentsRejected": len(rejected),
        "paymentsWithdrawn": _count(payout, "WITHDRAWN"),
        "totalPayments": len(payout.payments),
        **_counts(payout, "Incomplete", "AWAITING_FUNDS"),
        **_counts(payout, "Returned", "RETURNED"),
        **_counts(payout, "Withdrawn", "WITHDRAWN"),
        "confirmedPayments": _count(payout, "CONFIRMED"),
        "releasedPayments": _count(payout, "CONFIRMED", "FUNDED"),
        "fxSummaries": quotes,
        "accounts": costs,
        "sourceAccountSummary": [{**cost, "totalCost": cost["totalPayoutCost"]} for cost in costs],
        "acceptedPayments": [{**_submitted(one), "railsId": "SANDBOX"} for one in accepted],
        "rejectedPayments": [_submitted(one) for one in rejected],
    }


def _submitted(payment: JsonObject) -> JsonObject:
    """A payment of a payout. The provider's document has the payor's id in each, and lets it be
    empty.
    """
    reference = payment["payorPaymentId"] or ""
    return {**payment, "payorPaymentId": reference, "currencyType": payment["currency"]}


def _count(payout: Payout, *statuses: str) -> int:
    return sum(payment["status"] in statuses for payment in payout.payments)


def _counts(payout: Payout, word: str, status: str) -> dict[str, int]:
    """A count under both names that a summary and an item of a list have for it."""
    return dict.fromkeys(
        (f"total{word}Payments", f"{word.lower()}Payments"), _count(payout, status)
    )


def _costs(payments: list[JsonObject]) -> list[JsonObject]:
    """What payments cost, in sum for each source account."""
    by_account: dict[str, JsonObject] = {}
    for payment in payments:
        account = payment["sourceAccountId"]
        if account not in by_account:
            by_account[account] = {
                "sourceAccountName": payment["sourceAccountName"],
                "sourceAccountId": account,
                "currency": payment["sourceCurrency"],
                "totalPayoutCost": 0,
            }
        by_account[account]["totalPayoutCost"] += _cost(payment)
    return [*by_account.values()]


def known(state: VeloState, payment_id: str) -> JsonObject:
    """A payment in whatever state; empty: there is none."""
    return {payment["paymentId"]: payment for _, payment in _all(state)}.get(payment_id, {})


def _all(state: VeloState) -> Iterator[tuple[Payout, JsonObject]]:
    """Every payment with its payout."""
    for payout in state.payouts.values():
        for payment in payout.payments:
            yield payout, payment


def get_payment(state: VeloState, asked: Asked) -> JsonObject:
    return find({one["paymentId"]: one for one in payments(state)}, asked.about, "payment")


def audited_payments(state: VeloState, asked: Asked) -> list[JsonObject]:
    return [one for one in payments(state) if one["payoutId"] == asked.about]


def list_payments(state: VeloState, _: Asked) -> list[JsonObject]:
    return payments(state)


def payments(state: VeloState) -> list[JsonObject]:
    """The payments, without those that are not validated yet."""
    return [
        {
            **one,
            # Velo names the payee once the payment is confirmed.
            "remoteId": one["remoteId"] if one["status"] == "CONFIRMED" else None,
            "sourceAmount": _cost(one),
            "paymentAmount": one["amount"],
            "paymentCurrency": one["currency"],
            "railsId": "SANDBOX",
            "fundingStatus": "FUNDED" if one["status"] in ("FUNDED", "CONFIRMED") else "UNFUNDED",
            "rejectionReason": one["reason"],
            "payout": {"payoutId": payout.id},
            "payoutId": payout.id,
        }
        for payout, one in _all(state)
        if one["status"] != "SUBMITTED"
    ]
