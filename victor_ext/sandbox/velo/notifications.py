"""What Velo posts to webhooks, to which, and how often.

By Velo's document: the members of a notification, the statuses of payments that it notifies of,
the header, and that any status but 200 "will result in the notification being retried"; by its page
of support, for 30 days.

The sandbox's own choice: when in those days; the names of events about payees and debits; the code
of a rejection; that a webhook without `categories` gets three of them; and that a notification that
is posted again has the header that its webhook has by then, and is given up once that is disabled.
"""

import secrets

from victor_ext.sandbox.server.exchange import JsonObject, json_response
from victor_ext.sandbox.server.notifications import Notifications, Resending
from victor_ext.sandbox.server.posting import Posted
from victor_ext.sandbox.velo.base import Base

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


def notify_of_payment(base: Base, payment: JsonObject) -> None:
    """Notify of the status that a payment has now."""
    if payment["status"] in _NOTIFIED:
        _notify_of_status(base, payment, payment["status"])


def _notify_of_status(base: Base, payment: JsonObject, status: str) -> None:
    payors = ("submittingPayorId", "payoutFromPayorId", "payoutToPayorId")
    source: JsonObject = {
        "sourceType": "payment_status_changed",
        "paymentId": payment["paymentId"],
        "payoutPayorIds": dict.fromkeys(payors, base.payor_id),
        "status": status,
    }
    if payment["payorPaymentId"] is not None:
        source["payorPaymentId"] = payment["payorPaymentId"]
    if status in ("REJECTED", "RETURNED"):
        source["sourceType"] = "payment_rejected_or_returned"
        source["reasonCode"] = "VE0001"
        source["reasonMessage"] = payment["reason"] or "The sandbox was told to."
    base.notify("payment", f"payment.{status.lower()}", source)


def notify_of_payee(base: Base, payee_id: str, source_type: str) -> None:
    """Notify of a change to a payee."""
    event = f"payee.{source_type.removeprefix('payee_')}"
    base.notify("payee", event, {"sourceType": source_type, "payeeId": payee_id})


def notify_without_cause(base: Base, payment: JsonObject, event: str, about: str) -> None:
    """Notify of any event but a ping. Nothing else changes.

    `payment` is the one that it is about, as far as the sandbox knows it.
    """
    category, _, what = event.partition(".")
    if category == "payment":
        unknown = {"paymentId": about, "payorPaymentId": None, "reason": None}
        _notify_of_status(base, unknown | payment, what.upper())
    elif category == "payee":
        known = {source_type.removeprefix("payee_"): source_type for source_type in _OF_PAYEES}
        notify_of_payee(base, about, known[what])
    else:
        source_type = "debit_status_changed"
        source = {"sourceType": source_type, "debitTransactionId": about, "status": what.upper()}
        base.notify("debit", event, source)


class Webhooks:
    """Who gets a notification: the webhooks of the API; and until one is made there to which the
    sandbox may post, the address of `--notify`.
    """

    def __init__(
        self,
        notifications: Notifications,
        webhooks: dict[str, JsonObject],
    ) -> None:
        self._notifications = notifications
        self._webhooks = webhooks
        self.authorization = secrets.token_urlsafe(24)

    def post(self, notification: JsonObject, webhook_id: str | None) -> None:
        """Post a notification to the webhooks that want it, or to one alone."""
        known = self._webhooks
        for each in known if webhook_id is None else (webhook_id,):
            if webhook_id is not None or _wants(known[each], notification["category"]):
                self._add(notification, each)
        if self._goes_to_notify():
            self._add(notification, None)

    def require_receiver(self, event: str) -> None:
        """Raise `ValueError` where nobody wants an event that somebody asked for."""
        webhooks, category = self._webhooks, event.partition(".")[0]
        if self._goes_to_notify() or any(_wants(each, category) for each in webhooks.values()):
            return
        found = "; ".join(
            f"{name} has {', '.join(each['categories']) or 'none'}"
            + ("" if each["enabled"] else ", and is disabled")
            for name, each in webhooks.items()
        )
        raise ValueError(
            f"{event} is not posted: no enabled webhook has the category {category!r} ({found})"
        )

    def _goes_to_notify(self) -> bool:
        """Whether the address of `--notify` gets what no webhook is made for."""
        addresses = [webhook["webhookUrl"] for webhook in self._webhooks.values()]
        is_configured = any(map(self._notifications.may_post, addresses))
        return not is_configured and self._notifications.url is not None

    def _add(self, notification: JsonObject, webhook_id: str | None) -> None:
        source: JsonObject = notification["source"]
        subjects = ("paymentId", "payeeId", "debitTransactionId", "eventId")
        about = next(str(source[name]) for name in subjects if name in source)
        body = json_response(200, notification).body

        def make(_url: str, _was_posted: bool) -> Posted | None:  # noqa: FBT001 (as `Make` says)
            header: str | None = self.authorization
            if webhook_id is not None:
                webhook = self._webhooks[webhook_id]
                header = webhook.get("authorizationHeader")
                if not webhook["enabled"] and source["sourceType"] != "ping":
                    return None
            headers = {"Content-Type": "application/json"}
            return Posted(headers | ({"Authorization": header} if header else {}), body)

        url = None if webhook_id is None else str(self._webhooks[webhook_id]["webhookUrl"])
        self._notifications.add(notification["eventName"], about, make, url=url)


def _wants(webhook: JsonObject, category: str) -> bool:
    return bool(webhook["enabled"]) and category in webhook["categories"]
