"""Notifications that Velo posts to a webhook: their origin, their content and their order."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from victor_ext.errors import AuthenticationError, ConfigurationError, Conflict, InvalidRequest, Problem
from victor_ext.privacy import concealed
from victor_ext.runtime.client.records import as_timestamp
from victor_ext.runtime.client.webhooks import invalid_notification, notification_body
from victor_ext.runtime.core.json_values import object_or_empty, text_or_empty

SHORTEST_AUTHORIZATION = 16
"""Characters. Velo takes four, which can be guessed."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification.

    Attributes:
        sequence_number: Velo counts the notifications of each payor from 1.
        event_id: Velo's id of the event; the same when it is delivered again.
        category: `payment`, `payee`, `debit`, `funding`, `system`; others may come.
        event_name: Such as `payment.accepted`.
        source_type: The kind of event, such as `payment_status_changed`.
        created_at: When the event happened, aware; None if that cannot be read.
        source: Everything that Velo sent of the event.
        api_version: The version of the notification's format.
    """

    sequence_number: int
    event_id: str
    category: str
    event_name: str
    source_type: str = ""
    created_at: datetime | None = None
    source: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    api_version: str = ""

    @property
    def payment_id(self) -> str | None:
        """The id of the payment, if it is about one. It is a hint: read the payment before you act on it."""
        return text_or_empty(self.source.get("paymentId")) or None

    @property
    def payor_payment_id(self) -> str | None:
        """The payor's own reference of that payment."""
        return text_or_empty(self.source.get("payorPaymentId")) or None

    @property
    def payee_id(self) -> str | None:
        """The id of the payee, if it is about one. Read the payee before you act on it."""
        return text_or_empty(self.source.get("payeeId")) or None

    @property
    def payor_ids(self) -> frozenset[str]:
        """The payors of a payment: who submitted it, who pays, whose payee is paid. Empty when none is named."""
        payors = object_or_empty(self.source.get("payoutPayorIds"))
        return frozenset(filter(None, map(text_or_empty, payors.values())))


class Webhook:
    """One address that Velo posts to, with the `authorizationHeader` that was chosen for it, long and random.

    Pass both as `authorization` while one replaces another.

    Raises:
        ConfigurationError: One of them is shorter than 16 characters, and could be guessed. (Velo's minimum is 4.)
    """

    def __init__(self, *authorization: str) -> None:
        authorization = tuple(map(concealed, authorization))
        for value in authorization or ("",):
            if not isinstance(value, str) or len(value.strip()) < SHORTEST_AUTHORIZATION:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError(f"authorization must be text of {SHORTEST_AUTHORIZATION} characters or more.")
        self._digests = tuple(_digest(value.strip()) for value in authorization)

    def __repr__(self) -> str:
        return "Webhook('[hidden]')"

    def read(self, body: bytes, authorization: str | bytes | None) -> Notification:
        """Read a request: its body, as it came, and its `Authorization` header (None if it has none).

        Raises:
            AuthenticationError: The header is not that of the webhook. Answer 401, and ignore the body.
            InvalidRequest: The body is not a notification. Answer 400.
        """
        if not self.is_ours(authorization):
            raise AuthenticationError(
                "The Authorization header is not the one of this webhook, so this may not come from Velo: answer 401."
            )
        return read_notification(body)

    def is_ours(self, authorization: str | bytes | None) -> bool:
        """Whether an `Authorization` header is that of the webhook, compared in constant time."""
        given = authorization if isinstance(authorization, str | bytes) else b""
        digest = _digest(given)
        del given, authorization
        # Every digest is compared, so that the time depends neither on which one fits nor on the header's length.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def read_notification(body: bytes) -> Notification:
    """Read a body without checking who sent it: for that see `Webhook`.

    Unknown members are kept in `source`; unknown kinds of events are read like any other.

    Raises:
        InvalidRequest: It is not a JSON object of up to 1 MiB, or it has no sequence number or no event id.
    """
    content = notification_body(body, provider="Velo")
    source = object_or_empty(content.get("source"))
    number, event_id = content.get("sequenceNumber"), text_or_empty(source.get("eventId"))
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 2**63:
        raise invalid_notification("Velo", "has no sequenceNumber of 1 or more")
    if not event_id:
        raise invalid_notification("Velo", "has no eventId in its source")
    return Notification(
        sequence_number=number,
        event_id=event_id,
        category=text_or_empty(content.get("category")),
        event_name=text_or_empty(content.get("eventName")),
        # Velo's document has both names.
        source_type=text_or_empty(source.get("sourceType")) or text_or_empty(source.get("type")),
        created_at=as_timestamp(source.get("createdAt")),
        source=source,
        api_version=text_or_empty(content.get("apiVersion")),
    )


def _digest(value: str | bytes) -> bytes:
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return hashlib.sha256(raw.strip()).digest()


class NotificationSequencer:
    """Puts the notifications of one payor into their order, drops repeats, and finds gaps. Not thread-safe.

    Velo numbers the notifications of each payor, and one does not always name its payor: use one object for each payor,
    and give each payor's webhook an address of its own. docs/webhooks.md has a complete receiver.

    What `take` returns counts as done. When its processing fails, continue with a new object made from what was stored
    last: the old one would drop what Velo delivers again. A notification ahead of its turn is held back until the
    missing ones have come. Velo does not redeliver what was answered with a 200: store what is `held` before you
    answer, and `take` it again after a restart. To stop waiting, read what changed (`payments.changes` and the like)
    and call `go_on`.

    Args:
        done: The number up to which everything has been handled, as it was stored; 0 for a new payor.
        most: How many notifications are held back at most; twice as many ids are remembered.

    Attributes:
        done: The number up to which everything has been returned. Store it together with the results.
    """

    def __init__(self, done: int = 0, *, most: int = 10_000) -> None:
        if isinstance(done, bool) or not isinstance(done, int) or done < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            message = "done must be the number up to which everything has been handled, or 0."
            raise InvalidRequest.of([Problem("done", "range", message)])
        self.done = done
        self._most = most
        self._held: dict[int, Notification] = {}
        self._left_out: set[int] = set()
        self._ids: dict[str, int] = {}
        self._numbers: dict[int, str] = {}

    def take(self, notification: Notification) -> list[Notification]:
        """Add a notification. Returns those whose turn has come, in order; none for a repeat or one ahead of its turn.

        A repeat has an event id that came before, or a number that was done when this object was made. One that
        `go_on` gave up is returned when it comes after all.

        Raises:
            Conflict: Its number came before with another event, or is further ahead than twice `most`: two payors
                share this object, or the number is wrong.
            OverflowError: `most` notifications are held back already. Answer 503, so that Velo delivers it again.
        """
        number = notification.sequence_number
        if notification.event_id in self._ids:
            return []
        if number in self._numbers:
            raise Conflict(
                f"Notification {number} came twice, as different events: do two payors post to one address? Give each "
                "payor's webhook its own, and a NotificationSequencer of its own."
            )
        if number <= self.done and number not in self._left_out:
            return []
        # If `go_on` went past a wrong number, all that follow would be repeats. (The first one may have any number.)
        if self.done and number > self.done + 2 * self._most:
            raise Conflict(
                f"Notification {number} is far ahead of {self.done}: another payor's, or a wrong number. If it is "
                f"right, read what changed, and go on with NotificationSequencer(done={number - 1})."
            )
        if number > self.done + 1 and len(self._held) >= self._most:
            raise OverflowError(
                f"{len(self._held)} notifications are held back, since number {self.done + 1} has not come: read what "
                "changed meanwhile, and call go_on()."
            )
        self._ids[notification.event_id], self._numbers[number] = number, notification.event_id
        if len(self._ids) > 2 * self._most:
            oldest = next(iter(self._ids))
            del self._numbers[self._ids.pop(oldest)]
        if number in self._left_out:
            self._left_out.discard(number)
            return [notification]
        self._held[number] = notification
        return self._ready()

    @property
    def held(self) -> tuple[Notification, ...]:
        """The notifications that are ahead of their turn, by number."""
        return tuple(self._held[number] for number in sorted(self._held))

    @property
    def missing(self) -> tuple[range, ...]:
        """The gaps: numbers that have not come, although a later one has."""
        numbers = pairwise((self.done, *sorted(self._held)))
        return tuple(range(last + 1, number) for last, number in numbers if number > last + 1)

    def go_on(self) -> list[Notification]:
        """Give up the first gap. Returns the notifications between it and the next gap; an empty list without a gap."""
        if not self._held:
            return []
        first = min(self._held)
        gap = range(self.done + 1, first)
        # A limited number: if the first number is far from 0, another consumer handled what is before it.
        self._left_out.update(gap[-2 * self._most :])
        self.done = first - 1
        return self._ready()

    def _ready(self) -> list[Notification]:
        ready: list[Notification] = []
        while self.done + 1 in self._held:
            self.done += 1
            ready.append(self._held.pop(self.done))
        return ready
