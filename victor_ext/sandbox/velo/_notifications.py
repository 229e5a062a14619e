"""What Velo posts to webhooks, to which, and how often.

By Velo's document: the members of a notification, the statuses of payments that it notifies of,
the header, and that any status but 200 "will result in the notification being retried"; by its page
of support, for 30 days.

The sandbox's own choice: when in those days; the names of events about payees and debits; the code
of a rejection; that a webhook without `categories` gets three of them; and that a notification that
is posted again has the header that its webhook has by then, and is given up once that is disabled.
"""

from victor_ext.sandbox.engine import Asked, Result
from victor_ext.sandbox.server import JsonObject, Posted, Resending, find, json_response
from victor_ext.sandbox.velo._state import VeloState, made_at

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


def notify(
    state: VeloState,
    category: str,
    event: str,
    source: JsonObject,
    webhook_id: str | None = None,
) -> str:
    """Add a notification, and post it to the webhooks that want it, or to one alone if an id is
    given; returns the id of its event.
    """
    event_id = state.new_id()
    notification: JsonObject = {
        "apiVersion": "1",
        "sequenceNumber": len(state.notifications) + 1,
        "category": category,
        "eventName": event,
        "source": {"eventId": event_id, "createdAt": state.timestamp(), **source},
    }
    state.notifications.append(notification)
    wanting = [webhook_id]
    if webhook_id is None:
        wanting = [name for name, each in state.webhooks.items() if _wants(each, category)]
    for name in wanting:
        _post(state, notification, name)
    if _goes_to_notify(state):
        _post(state, notification, None)
    return event_id


def _goes_to_notify(state: VeloState) -> bool:
    """Whether the address of `--notify` (or the log alone) gets what no webhook is made for: until
    one is made in the API to which the sandbox may post.
    """
    addresses = [webhook["webhookUrl"] for webhook in state.webhooks.values()]
    is_configured = any(map(state.posting.may_post, addresses))
    return not is_configured


def _post(state: VeloState, notification: JsonObject, webhook_id: str | None) -> None:
    """Post a notification to a webhook, or to the address of `--notify` (None)."""
    source: JsonObject = notification["source"]
    subjects = ("paymentId", "payeeId", "debitTransactionId", "eventId")
    about = next(str(source[name]) for name in subjects if name in source)
    body = json_response(200, notification).body

    def make(_url: str, _was_posted: bool) -> Posted | None:  # noqa: FBT001 (as `Make` says)
        header: str | None = state.authorization
        if webhook_id is not None:
            webhook = state.webhooks[webhook_id]
            header = webhook.get("authorizationHeader")
            if not webhook["enabled"] and source["sourceType"] != "ping":
                return None
        headers = {"Content-Type": "application/json"}
        return Posted(headers | ({"Authorization": header} if header else {}), body)

    url = None if webhook_id is None else str(state.webhooks[webhook_id]["webhookUrl"])
    state.posting.add(notification["eventName"], about, make, url=url)


def _wants(webhook: JsonObject, category: str) -> bool:
    return bool(webhook["enabled"]) and category in webhook["categories"]


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


# Webhooks


def create_webhook(state: VeloState, asked: Asked) -> Result:
    state.posting.start()  # time alone moves payouts from now on
    webhook_id = state.new_id()
    known = {"id": webhook_id, "categories": ["payment", "payee", "debit"]}
    state.webhooks[webhook_id] = {**known, **asked.body}
    return made_at(f"/v1/webhooks/{webhook_id}", asked.body["webhookUrl"])


def list_webhooks(state: VeloState, _: Asked) -> list[JsonObject]:
    return [_shown(webhook) for webhook in state.webhooks.values()]


def get_webhook(state: VeloState, asked: Asked) -> JsonObject:
    return _shown(_webhook(state, asked))


def _webhook(state: VeloState, asked: Asked) -> JsonObject:
    return find(state.webhooks, asked.about, "webhook")


def _shown(webhook: JsonObject) -> JsonObject:
    """A webhook as it is shown: its secret is masked."""
    masked = {"authorizationHeader": "********"} if "authorizationHeader" in webhook else {}
    return webhook | masked


def update_webhook(state: VeloState, asked: Asked) -> None:
    _webhook(state, asked).update(asked.body)


def ping(state: VeloState, asked: Asked) -> Result:
    """Post a ping to a webhook."""
    webhook_id = _webhook(state, asked)["id"]
    event_id = notify(state, "system", "ping", {"sourceType": "ping"}, webhook_id)
    return Result(body={"id": event_id, "webhookId": webhook_id}, work=[webhook_id])
