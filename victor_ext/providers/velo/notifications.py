"""Notifications that Velo posts to a webhook: who sent them, what they say, and in which order.

Velo signs nothing. All that comes with a notification is the `Authorization` header that was chosen when the webhook
was made, the same every time. So what it says is a hint, not a fact: before money or goods depend on it, read the
payment, the payee or the funding that it names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from victor_ext.errors import AuthenticationError, ConfigurationError, Conflict, InvalidRequest, Problem
from victor_ext.redaction import concealed, kind_of

MAX_BYTES = 1 << 20
"""The longest body that is read (1 MiB). A notification has about one KiB."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What one notification says.

    Attributes:
        sequence_number: Counted by Velo for each payor, from 1, by ones.
        event_id: Velo's id of the event; the same when it is delivered again.
        category: `payment`, `payee`, `debit`, `funding`, `system`; others may come.
        event_name: Such as `payment.accepted`.
        source_type: The kind of event, such as `payment_status_changed`.
        created_at: When the event came about, if that can be read.
        source: Everything that Velo sent of the event.
        api_version: Of the notification's own shape.
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
        """The payment it is about, if it is about one: read that."""
        return _text(self.source.get("paymentId")) or None

    @property
    def payor_payment_id(self) -> str | None:
        """The payor's own reference of that payment."""
        return _text(self.source.get("payorPaymentId")) or None

    @property
    def payee_id(self) -> str | None:
        """The payee it is about, if it is about one: read that."""
        return _text(self.source.get("payeeId")) or None

    @property
    def payor_ids(self) -> frozenset[str]:
        """The payors that a payment's notification names: who submitted it, who pays, whose payee is paid.

        Empty where it names none, as those about payees and debits do.
        """
        named = self.source.get("payoutPayorIds")
        values = cast("dict[str, Any]", named).values() if isinstance(named, dict) else ()
        return frozenset(filter(None, map(_text, values)))


class Webhook:
    """One address that Velo posts to, with the header that was chosen for it.

    Args:
        authorization: The `authorizationHeader` of the webhook: long and random. Several while one is being replaced.

    Raises:
        ConfigurationError: One of them is shorter than 16 characters: whoever guesses it can post what he likes. (Velo
            takes 4.)
    """

    def __init__(self, *authorization: str) -> None:
        authorization = tuple(map(concealed, authorization))
        if not authorization:
            raise ConfigurationError("authorization is missing: pass the authorizationHeader of the webhook.")
        for value in authorization:
            if not isinstance(value, str) or len(value.strip()) < 16:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError("authorization must be text of at least 16 characters that nobody can guess.")
        self._digests = tuple(_digest(value.strip()) for value in authorization)

    def __repr__(self) -> str:
        return "Webhook('[hidden]')"

    def read(self, body: bytes, authorization: str | bytes | None) -> Notification:
        """The notification in a request, if it carries the header.

        Args:
            body: The raw body.
            authorization: The value of the request's `Authorization` header, None if it has none.

        Raises:
            AuthenticationError: The header is not the one that was chosen. Answer 401, and look at nothing else.
            InvalidRequest: The body is no notification. Answer 400.
        """
        if not self.is_ours(authorization):
            raise AuthenticationError(
                "The Authorization header is not the one of this webhook, so this need not come from Velo: answer 401."
            )
        return read_notification(body)

    def is_ours(self, authorization: str | bytes | None) -> bool:
        """Whether a header is one that was chosen. How long that takes tells nothing of where it differs."""
        given = authorization if isinstance(authorization, str | bytes) else b""
        digest = _digest(given)
        del given, authorization
        # All of them, whichever fits; and of the digests, so that not even the length is told.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def read_notification(body: bytes) -> Notification:
    """What a body says. Who sent it is not looked at: that is what `Webhook` is for.

    Unknown members are kept in `source`; unknown kinds of events are read like any other.

    Raises:
        InvalidRequest: It is no JSON object, or lacks what tells notifications apart.
    """
    given: object = body
    if not isinstance(given, bytes | bytearray | str):
        raise _no_notification(f"it is of type {kind_of(given)}, not the bytes that came")
    if len(body) > MAX_BYTES:
        raise _no_notification("it is longer than 1 MiB")
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise _no_notification("it is not JSON") from None
    if not isinstance(said, dict):
        raise _no_notification("it is JSON, but no object")
    whole = cast("dict[str, Any]", said)
    inner = whole.get("source")
    source = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    number, event_id = whole.get("sequenceNumber"), _text(source.get("eventId"))
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 2**63:
        raise _no_notification("it has no sequenceNumber of 1 or more")
    if not event_id:
        raise _no_notification("its source has no eventId")
    return Notification(
        sequence_number=number,
        event_id=event_id,
        category=_text(whole.get("category")),
        event_name=_text(whole.get("eventName")),
        source_type=_text(source.get("sourceType")) or _text(source.get("type")),  # the document has both
        created_at=_moment(source.get("createdAt")),
        source=source,
        api_version=_text(whole.get("apiVersion")),
    )


def _digest(value: str | bytes) -> bytes:
    try:
        raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    except UnicodeEncodeError:
        raw = b""  # half a character, which no header can hold
    return hashlib.sha256(raw.strip()).digest()


def _no_notification(why: str) -> InvalidRequest:
    return InvalidRequest.of([Problem("body", "format", f"This is no notification of Velo's: {why}.")])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


class NotificationSequencer:
    """The notifications of one payor in their order: repeats dropped, gaps seen.

    One object for each payor: the numbers are the payor's, and a notification does not always say whose it is. So
    give each payor's webhook an address of its own. Not safe to share between threads without a lock.

        for notification in in_order.take(webhook.read(body, header)):
            handle(notification)
        store(in_order.done)

    What `take` hands out counts as done. When `handle` fails, store nothing, answer with an error status, and go on
    with a new object made from what was stored last: Velo delivers again, and the old one would take it for a repeat.

    What comes ahead of its turn is held back until the missing ones have come. Velo delivers again for up to 30 days,
    but not what you have answered with a 200: so store what is `held` before you do, and `take` it again after a
    restart. Whoever does not want to wait reads what changed (`payments.changes` and the like) and calls `go_on`.

    Args:
        done: The number up to which everything has been handled, as stored; 0 for a new payor.
        most: How many notifications are held back, and how many ids remembered, at most.

    Attributes:
        done: The number up to which everything has been handed out: store it with what you made of them.
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
        """Those whose turn it is now, in order: none for a repeat, or for one that is ahead of its turn.

        A repeat is what has an id that came before, or a number up to the one that was stored. One that was given up
        by `go_on` is handed out when it comes after all.

        Raises:
            Conflict: Its number came before, with another event, or is further ahead than twice what is held back at
                most: two payors share this object, or the number is wrong. Nothing is dropped in silence for that.
            OverflowError: So many are held back already that it is not to be taken: answer 503, Velo delivers again.
        """
        number = notification.sequence_number
        if notification.event_id in self._ids:
            return []
        if number in self._numbers:
            raise Conflict(
                f"Notification {number} came twice, as different events: do two payors post to one address? Give each "
                "payor's webhook its own, and an NotificationSequencer of its own."
            )
        if number <= self.done and number not in self._left_out:
            return []
        # To go on behind it would make repeats of all that is still to come. (The first of all may have any number.)
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
        self._remember(notification.event_id, number)
        if number in self._left_out:
            self._left_out.discard(number)
            return [notification]
        self._held[number] = notification
        return self._ready()

    @property
    def held(self) -> tuple[Notification, ...]:
        """What has come ahead of its turn and waits, by number."""
        return tuple(self._held[number] for number in sorted(self._held))

    @property
    def missing(self) -> tuple[range, ...]:
        """The gaps: numbers that have not come though a later one has, from the smallest on."""
        gaps: list[range] = []
        last = self.done
        for number in sorted(self._held):
            if number > last + 1:
                gaps.append(range(last + 1, number))
            last = number
        return tuple(gaps)

    def go_on(self) -> list[Notification]:
        """Give the first gap up; those behind it, up to the next one, in order. None when there is no gap."""
        if not self._held:
            return []
        first = min(self._held)
        gap = range(self.done + 1, first)
        # Only so many: where the first number is far from 0, what is before it is another consumer's.
        self._left_out.update(gap[-2 * self._most :])
        self.done = first - 1
        return self._ready()

    def _ready(self) -> list[Notification]:
        ready: list[Notification] = []
        while self.done + 1 in self._held:
            self.done += 1
            ready.append(self._held.pop(self.done))
        return ready

    def _remember(self, event_id: str, number: int) -> None:
        self._ids[event_id], self._numbers[number] = number, event_id
        if len(self._ids) > 2 * self._most:
            oldest = next(iter(self._ids))
            del self._numbers[self._ids.pop(oldest)]
