"""Velo's sandbox: its options, what it keeps, and what all parts of it stand on: ids, the time and
lists.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from victor_ext.sandbox.engine import Listing, Result, Timeline
from victor_ext.sandbox.server import (
    Clock,
    JsonObject,
    JsonValue,
    Notifications,
    NotifyingSettings,
    TokenStore,
    option,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(NotifyingSettings):
    """The options of every sandbox, and those of this one.

    All times are seconds of the business clock.
    """

    validation: Annotated[float, Meta(ge=0)] = option(
        0.0, "seconds until a submitted payout is accepted or rejected"
    )
    settlement: Annotated[float, Meta(ge=0)] = option(
        30.0, "seconds until an instructed payout is completed"
    )


@dataclass
class Payout:
    id: str
    status: str = "SUBMITTED"
    payments: list[JsonObject] = field(default_factory=list[JsonObject])
    others: JsonObject = field(default_factory=dict[str, Any])
    """What its submission said beside the payments."""
    quotes: list[JsonObject] = field(default_factory=list[JsonObject])
    """The exchanges of its last quote."""
    quoted_until: float = 0.0
    times: dict[str, str] = field(default_factory=dict[str, str])
    """When it was submitted, quoted, instructed and withdrawn, as `submittedDateTime` and so on."""


class VeloState:
    """All that Velo keeps, by id: of the only payor, and of this sandbox.

    `accounts`, `payees` and `payouts` have the operations.
    """

    def __init__(self, clock: Clock, settings: VeloSettings, posting: Notifications) -> None:
        self.settings = settings
        self.now = clock.now
        self.posting = posting
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        self.payor_id = "5a4db0c5-0000-4000-8000-000000000001"
        self.keys: dict[str, str] = {}
        self.tokens = TokenStore(clock)
        self.payees: dict[str, JsonObject] = {}
        self.batches: dict[str, list[JsonObject]] = {}
        """What was refused of each batch of payees."""
        self.sources: dict[str, JsonObject] = {}
        self.banks: dict[str, JsonObject] = {}
        """The funding accounts."""
        self.fundings: dict[str, JsonObject] = {}
        self.payouts: dict[str, Payout] = {}
        self.authorization = "sandbox-authorization"
        """The header of what is posted to the address of `--notify`."""
        self.notifications: list[JsonObject] = []
        self.changed: dict[str, float] = {}
        """When each funding last changed, by its id."""
        self.timeline = Timeline()
        """What happens by itself."""

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def touch(self, funding_id: str) -> None:
        self.changed[funding_id] = self.now()

    def move(self) -> int:
        """Make the moves that are due; returns their number."""
        return self.timeline.pass_time(self.now())

    def timestamp(self) -> str:
        return iso(self.now())

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        number = len(self.keys) + 1
        key, secret = api_key or f"sandbox-key-{number}", api_secret or f"sandbox-secret-{number}"
        self.keys[key] = secret
        return {"api_key": key, "api_secret": secret}


def iso(moment: float) -> str:
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def made_at(address: str, *references: str) -> Result:
    """The answer of what makes something: its address, and what the work is counted for."""
    made = address.rpartition("/")[2]
    return Result(headers={"Location": address}, made=made, work=references)


# Lists

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "From": lambda value, first: bool(_day_of(value) >= first),
    "To": lambda value, last: bool(_day_of(value) <= last),
    "payoutMemo": lambda value, part: part.casefold() in value.casefold(),
}
"""How a filter that ends so compares a member: a range, whose days are dates, a text or a word."""
_TIMES = {"submittedDate": "submittedDateTime"}
"""The members that ranges of days compare, where they are named otherwise."""


def _day_of(value: JsonValue) -> JsonValue:
    return value[:10] if isinstance(value, str) else value


def _test_of(name: str) -> Callable[[JsonObject, Any], bool] | None:
    end = next((each for each in _COMPARISONS if name.endswith(each)), None)
    if end is None:
        return None
    member = name.removesuffix("From").removesuffix("To")
    member = _TIMES.get(member, member)

    def test(item: JsonObject, wanted: Any) -> bool:
        value = item.get(member)
        return value is not None and _COMPARISONS[end](value, wanted)

    return test


listing = partial(
    Listing,
    controls=("payorId", "sensitive", "updatedSince", "includeUserDeleted"),
    test_of=_test_of,
)
"""How Velo's lists are read."""
