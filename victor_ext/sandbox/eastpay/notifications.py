"""What EastPay posts about payments, and how often.

By its page: notifications "notify you of a change in status of a payment", `notificationUrl`
"will receive the result of an asynchronous payment", and the message "is the same as the response
of Inquiry API". It names no signature.

The sandbox's own choice: that it is a POST of JSON; that a result which the answer to the call had
already is not notified; that a status from 200 to 299 takes it; when it is posted again, for three
days; and that it says then what an inquiry says by then.
"""

from collections.abc import Callable

from victor_ext.sandbox.eastpay.payments import PaymentEntry
from victor_ext.sandbox.server.notifications import Notifications, Resending
from victor_ext.sandbox.server.posting import Posted

EVENT = "payment"
"""What the log calls each of them: the page names no events."""
RESENDING = Resending(taken=range(200, 300), end=3 * 86_400.0)


class PaymentNotifications:
    """Posts the results of payments to their `notificationUrl`, or to the address of `--notify`."""

    def __init__(
        self, notifications: Notifications, body_of: Callable[[PaymentEntry], bytes]
    ) -> None:
        self._notifications, self._body_of = notifications, body_of

    def when_it_ends(self, entry: PaymentEntry) -> None:
        """Notify of the result that a payment has later, once it has it."""
        if entry.ending.then not in (None, entry.ending.code):
            self._post(entry, entry.ending.after)

    def now(self, entry: PaymentEntry) -> None:
        """Notify of a payment as it is now."""
        self._post(entry, 0.0)

    def _post(self, entry: PaymentEntry, after: float) -> None:
        def make(_url: str, _was_posted: bool) -> Posted:  # noqa: FBT001 (as `Make` says)
            return Posted({"Content-Type": "application/json"}, self._body_of(entry))

        url = entry.form.get("notificationUrl")
        self._notifications.add(EVENT, entry.id, make, url=url, after=after)
