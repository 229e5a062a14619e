"""What Velo posts to a webhook, and how often.

By Velo's document: the members of a notification, the statuses of payments that it notifies of,
the header, and that any status but 200 "will result in the notification being retried"; by its page
of support, for 30 days.

The sandbox's own choice: when in those days; the names of events about payees and debits; the code
of a rejection.
"""

from victor_ext.sandbox.server import JsonObject, Posted, Resending, json_response
from victor_ext.sandbox.velo._state import VeloState

RESENDING = Resending(taken=range(200, 201), end=30 * 86_400.0)
_STATUSES = ("SUBMITTED", "ACCEPTED", "REJECTED", "ACCEPTED_BY_RAILS", "CONFIRMED", "RETURNED")
_NOTIFIED = (*_STATUSES, "WITHDRAWN")
"""The statuses that the document names. Of others, such as FUNDED, Velo notifies nobody."""
ONBOARDING = "onboarding_status_changed"
DETAILS = "payee_details_changed"
_OF_PAYEES = (ONBOARDING, "payable_status_changed", DETAILS)
_OF_DEBITS = ("PENDING", "PROCESSING", "REJECTED", "RELEASED")
EVENTS = (
    *(f"payment.{status.lower()}" for status in _NOTIFIED),
    *(f"payee.{source_type.removeprefix('payee_')}" for source_type in _OF_PAYEES),
    *(f"debit.{status.lower()}" for status in _OF_DEBITS),
    "ping",
)
"""The events of all kinds of notification that the document has."""


def notify(state: VeloState, category: str, event: str, source: JsonObject) -> None:
    """Add a notification, and post it to the address of `--notify`, if there is one."""
    notification: JsonObject = {
        "apiVersion": "1",
        "sequenceNumber": len(state.notifications) + 1,
        "category": category,
        "eventName": event,
        "source": {"eventId": state.new_id(), "createdAt": state.timestamp(), **source},
    }
    state.notifications.append(notification)
    subjects = ("paymentId", "payeeId", "debitTransactionId", "eventId")
    about = next(
        str(notification["source"][name]) for name in subjects if name in notification["source"]
    )
    headers = {"Content-Type": "application/json", "Authorization": state.authorization}
    posted = Posted(headers, json_response(200, notification).body)
    state.posting.add(event, about, lambda _url, _was_posted: posted)


# What is notified


def notify_of_payment(state: VeloState, payment: JsonObject) -> None:
    """Notify of the status that a payment has now."""
    if payment["status"] in _NOTIFIED:
        _notify_of_status(state, payment, payment["status"])


def _notify_of_status(state: VeloState, payment: JsonObject, status: str) -> None:
    payors = ("submittingPayorId", "payoutFromPayorId", "payoutToPayorId")
    source: JsonObject = {
        "sourceType": "payment_status_changed",
        "paymentId": payment["paymentId"],
        "payoutPayorIds": dict.fromkeys(payors, state.payor_id),
        "status": status,
    }
    if payment["payorPaymentId"] is not None:
        source["payorPaymentId"] = payment["payorPaymentId"]
    if status in ("REJECTED", "RETURNED"):
        source["sourceType"] = "payment_rejected_or_returned"
        source["reasonCode"] = "VE0001"
        source["reasonMessage"] = payment["reason"] or "The sandbox was told to."
    notify(state, "payment", f"payment.{status.lower()}", source)


def notify_of_payee(state: VeloState, payee_id: str, source_type: str) -> None:
    """Notify of a change to a payee."""
    event = f"payee.{source_type.removeprefix('payee_')}"
    notify(state, "payee", event, {"sourceType": source_type, "payeeId": payee_id})


def notify_without_cause(state: VeloState, payment: JsonObject, event: str, about: str) -> None:
    """Notify of any event but a ping. Nothing else changes.

    `payment` is the one that it is about, as far as the sandbox knows it.
    """
    category, _, what = event.partition(".")
    if category == "payment":
        unknown = {"paymentId": about, "payorPaymentId": None, "reason": None}
        _notify_of_status(state, unknown | payment, what.upper())
    elif category == "payee":
        known = {source_type.removeprefix("payee_"): source_type for source_type in _OF_PAYEES}
        notify_of_payee(state, about, known[what])
    else:
        source_type = "debit_status_changed"
        source = {"sourceType": source_type, "debitTransactionId": about, "status": what.upper()}
        notify(state, "debit", event, source)
