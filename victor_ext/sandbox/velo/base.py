"""What all parts of Velo's sandbox stand on: the options, ids and the time, notifications and
lists.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import ge, le
from typing import Any

from victor_ext.sandbox.engine import Listing, Result, Timeline
from victor_ext.sandbox.server import (
    Clock,
    JsonObject,
    JsonValue,
    option,
)
from victor_ext.sandbox.server.notifying import NotifyingSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(NotifyingSettings):
    """The options of every sandbox, and those of this one.

    All times are seconds of the business clock.
    """

    validation: float = option(
        0.0, at_least=0, help="seconds until a submitted payout is accepted or rejected"
    )
    settlement: float = option(
        30.0, at_least=0, help="seconds until an instructed payout is completed"
    )


def _to_nobody(_notification: JsonObject, _webhook_id: str | None) -> None: ...


class Base:
    """The settings, the business clock, new ids, the only payor, and the notifications so far."""

    def __init__(self, clock: Clock, settings: VeloSettings) -> None:
        self.settings = settings
        self.now = clock.now
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        self.payor_id = self.new_id()
        self.timeline: Timeline[Callable[[], bool]] = Timeline(lambda move, _: move())
        """What happens by itself: each move says whether there was something to move."""
        self.changed: dict[str, float] = {}
        """When each payee, funding and payment last changed, by its id."""
        self.notifications: list[JsonObject] = []
        self.post: Callable[[JsonObject, str | None], None] = _to_nobody
        """Posts a notification: to the webhook of an id, or where it is wanted (None)."""
        self.watch: Callable[[], None] = lambda: None
        """Lets time alone move payouts from now on."""

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def touch(self, changed_id: str) -> None:
        self.changed[changed_id] = self.now()

    def move(self) -> int:
        """Make the moves that are due; returns their number."""
        return self.timeline.pass_time(self.now())

    def timestamp(self) -> str:
        return iso(self.now())

    def notify(
        self, category: str, event: str, source: JsonObject, webhook_id: str | None = None
    ) -> str:
        """Add a notification, for one webhook alone if an id is given, and post it; returns the id
        of its event.
        """
        event_id = self.new_id()
        notification: JsonObject = {
            "apiVersion": "1",
            "sequenceNumber": len(self.notifications) + 1,
            "category": category,
            "eventName": event,
            "source": {"eventId": event_id, "createdAt": self.timestamp(), **source},
        }
        self.notifications.append(notification)
        self.post(notification, webhook_id)
        return event_id


def iso(moment: float) -> str:
    return (
        datetime.fromtimestamp(moment, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def made_at(address: str, *references: str) -> Result:
    """The answer of what makes something: its address, and what the work is counted for."""
    made = address.rpartition("/")[2]
    return Result(headers={"Location": address}, made=made, work=references)


_MEMBERS = {"submittedDate": "submittedDateTime"}
"""The member that a range of two filters is about, where it has another name than the filters."""


def _test_of(name: str) -> tuple[str, Callable[[Any, Any], bool]] | None:
    """What a filter compares, if it ends a range or looks for a text: days by their dates."""
    if name == "payoutMemo":
        return name, _has_text
    if not name.endswith(("From", "To")):
        return None
    range_ = name.removesuffix("From").removesuffix("To")
    compare = ge if name.endswith("From") else le
    return _MEMBERS.get(range_, range_), lambda value, wanted: compare(_day_of(value), wanted)


def _day_of(value: JsonValue) -> JsonValue:
    return value[:10] if isinstance(value, str) else value


def _has_text(value: str, wanted: str) -> bool:
    return wanted.casefold() in value.casefold()


listing = partial(
    Listing,
    controls=("payorId", "sensitive", "updatedSince", "includeUserDeleted"),
    test_of=_test_of,
)
"""How Velo's lists are read."""
