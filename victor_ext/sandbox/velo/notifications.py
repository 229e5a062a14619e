"""What Velo posts to webhooks, to which, and how often.

By Velo's document: the members of a notification, the statuses of payments that it notifies of,
the header, and that any status but 200 "will result in the notification being retried"; by its page
of support, for 30 days.

The sandbox's own choice: when in those days; the names of events about payees; the code of a
rejection; that a webhook without `categories` gets three of them; and that a notification that is
posted again has the header that its webhook has by then, and is given up once that is disabled.
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


def notify_of_payment(base: Base, payment: JsonObject) -> None:
    """Notify of the status that a payment has now."""
    status: str = payment["status"]
    if status not in _NOTIFIED:
        return
    payors = ("submittingPayorId", "payoutFromPayorId", "payoutToPayorId")
    source: JsonObject = {
        "sourceType": "payment_status_changed",
        "paymentId": payment["paymentId"],
        "payoutPayorIds": dict.fromkeys(payors, base.payor_id),
        "payorPaymentId": payment["payorPaymentId"],
        "status": status,
    }
    if status in ("REJECTED", "RETURNED"):
        source["sourceType"] = "payment_rejected_or_returned"
        source["reasonCode"], source["reasonMessage"] = "VE0001", payment["reason"]
    base.notify("payment", f"payment.{status.lower()}", source)


def notify_of_payee(base: Base, payee_id: str, source_type: str) -> None:
    """Notify of a change to a payee."""
    event = f"payee.{source_type.removeprefix('payee_')}"
    base.notify("payee", event, {"sourceType": source_type, "payeeId": payee_id})


class Webhooks:
    """Who gets a notification: the webhooks of the API; and until one is made there to which the
    sandbox may post, the address of `--notify`.
    """

    def __init__(
        self,
        notifications: Notifications,
        webhooks: dict[str, JsonObject],
        authorization: str | None,
    ) -> None:
        self._notifications = notifications
        self._webhooks = webhooks
        self.authorization = authorization or secrets.token_urlsafe(24)

    def post(self, notification: JsonObject, webhook_id: str | None) -> None:
        """Post a notification to the webhooks that want it, or to one alone."""
        known = self._webhooks
        is_configured = any(
            self._notifications.may_post(webhook["webhookUrl"]) for webhook in known.values()
        )
        for each in known if webhook_id is None else (webhook_id,):
            if webhook_id is not None or _wants(known[each], notification["category"]):
                self._add(notification, each)
        if not is_configured and self._notifications.url is not None:
            self._add(notification, None)

    def _add(self, notification: JsonObject, webhook_id: str | None) -> None:
        source: JsonObject = notification["source"]
        about = source.get("paymentId") or source.get("payeeId") or source["eventId"]
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
