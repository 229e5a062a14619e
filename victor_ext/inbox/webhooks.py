"""What an inbox needs of a webhook of a system: `ReceivesWebhook`, and `TakesName` where a request
does not tell which webhook it is for.
"""

from collections.abc import Callable
from typing import Any, Protocol

from victor_ext import Delivery


class ReceivesWebhook(Protocol):
    """A webhook of a system, such as `victor_ext.providers.velo.Webhook`, as an inbox uses it.

    A webhook whose requests prove nothing of their sender has `anybody_can_post = True`: an event
    with an id that the system does not know is given up after a few inquiries. The webhook's
    `is_own_response(response)` tells which responses with 404 or 400 are the system's own; without
    it, each JSON object is the system's. After another response, such as the page of a proxy, the
    event is tried again, and at last is a dead letter.
    """

    @property
    def provider(self) -> str:
        """The name of the system."""
        ...

    def delivery(self, body: Any, headers: Any) -> Delivery:
        """Check a request, and say what it is. Raises `AuthenticationError` or `InvalidRequest`."""
        ...

    def notification(self, content: str) -> Any:
        """The notification in the `content` of a delivery, as handlers get it."""

    def reading(self, client: Any, notification: Any) -> Callable[[], Any] | None:
        """The call of the client that reads the object of a notification; None: it has no
        object.
        """

    def state_of(self, record: Any) -> str | None:
        """A text that differs between two states of the object that was read; None: the system's
        notifications tell their states themselves.
        """


class TakesName(Protocol):
    """The further part of a webhook to which `receive` can pass a `name`: that of a webhook in the
    document of a connected client.
    """

    @property
    def needs_name(self) -> tuple[str, ...]:
        """The names of the webhooks whose bodies may not tell them from the others."""
        ...

    def delivery(self, body: Any, headers: Any, *, name: str | None = None) -> Delivery:
        """As `delivery` of `ReceivesWebhook`, for the webhook with this name."""
        ...
