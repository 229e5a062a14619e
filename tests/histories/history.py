"""Histories: drawn from a seed, run, judged, and made shorter when one of them fails."""

import re
import traceback
from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.cases import cases_beside
from tests.histories.banks import Banks
from tests.histories.batches import Batches, Payrolls
from tests.histories.calls import Calls
from tests.histories.inboxes import Inboxes
from tests.histories.provider import KEPT
from tests.histories.reading import Readings
from tests.histories.settling import YEAR, Outboxes, RestoredOutboxes
from tests.histories.world import OK, Event

KINDS: dict[str, Any] = {
    "calls": Calls,
    "outbox": Outboxes,
    "restored outbox": RestoredOutboxes,
    "bulk": Batches,
    "payouts": Payrolls,
    "reading": Readings,
    "inbox": Inboxes,
    "bank": Banks,
}
DRAWN = cases_beside(__file__, "drawn")
LIKELY, FAULTS = DRAWN["events"], DRAWN["faults"]
PAGES = ("html", "login", "empty", "text", "list", "null")
WAITS = (1.0, 130.0, KEPT / 3, KEPT + 1, 1.25 * KEPT, 1.25 * KEPT)
CLOCKS = (-3_600.0, 3_600.0, -100_800.0, 100_800.0, -259_200.0, 259_200.0, -YEAR, YEAR)
DAYS_AHEAD = (8 * 86_400.0, -8 * 86_400.0, 91 * 86_400.0, -91 * 86_400.0)
"""Longer than an event waits for its handler, and than the id of a notification is kept."""


@dataclass(frozen=True)
class History:
    """A history as data: each run of it is the same."""

    kind: str
    setup: dict[str, Any]
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        events = "\n".join(f"    {event!r}," for event in self.events)
        return f"History({self.kind!r}, {self.setup!r}, (\n{events}\n))"

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong in it."""
        return all(
            event[0] == "start" or (event[0] == "go" and event[2] == OK) for event in self.events
        )


def draw(seed: str, kind: str | None = None) -> History:
    """The history of a seed, of this kind or any."""
    dice = Random(seed)
    kind = kind or _one_of(dice, DRAWN["shares"])
    setup, is_calm = KINDS[kind].draw(dice), dice.random() < 0.05
    count = dice.choice([6, 12, 24, 40]) if kind in LIKELY else 0
    return History(kind, setup, tuple(_event(dice, kind, is_calm=is_calm) for _ in range(count)))


def _one_of(dice: Random, likely: dict[str, int]) -> str:
    return dice.choices([*likely], [*likely.values()])[0]


def _event(dice: Random, kind: str, *, is_calm: bool) -> Event:
    who, what = dice.randrange(3), _one_of(dice, LIKELY[kind])
    if what in ("start", "meanwhile"):
        return what, who if what == "start" else dice.randrange(60), dice.randrange(60)
    if what == "go" or is_calm:
        return "go", who, OK if is_calm else _fault(dice, kind)
    clocks = DAYS_AHEAD if kind == "inbox" else CLOCKS
    return what, who, dice.choice(WAITS if what == "wait" else clocks)


def _fault(dice: Random, history: str) -> Event:
    kind = _one_of(dice, FAULTS)
    if kind == "status":
        body = dice.choice(["empty", "html", "no reason", "error", "another field", "text", "list"])
        status = (
            400 if history == "reading" and dice.random() < 0.5 else dice.choice(DRAWN["statuses"])
        )
        return kind, status, body, dice.choice([None, None, 0, 3600, 1.25 * KEPT])
    if kind == "page":
        return kind, dice.choice([200, 200, 200, 201, 202, 204]), dice.choice(PAGES)
    return (kind, dice.randrange(5)) if kind == "foreign" else (kind,)


def run(history: History, words: Counter[str] | None = None) -> list[str]:
    """Let it happen. Returns what was done or told wrong; `words` counts what was told."""
    scene = KINDS[history.kind](**history.setup)
    if history.kind not in LIKELY:
        wrong = list(dict.fromkeys(scene.play()))
        if words is not None:
            words.update(f"{history.kind}: {word}" for word in scene.words())
        return wrong
    with scene.world.clocks():
        try:
            return _let_all_happen(scene, history, words)
        except Exception as error:  # noqa: BLE001 - what nobody expects is a complaint as others are
            return [f"raised {error!r}\n{''.join(traceback.format_tb(error.__traceback__))}"]


def _let_all_happen(scene: Any, history: History, words: Counter[str] | None) -> list[str]:
    for event in history.events:
        _let_happen(scene, *event)
    for _ in range(2_000):
        busy = [process for process in scene.processes if not process.is_idle]
        for process in busy:
            process.resume(OK)
        if not busy:
            break
    else:
        return ["lost: it does not end"]
    scene.end()
    told = list(scene.words())
    if words is not None:
        words.update(f"{history.kind}: {word}" for word in told)
    unsettled = [word for word in told if word not in scene.settled]
    calm = [f"lost: {unsettled} though nothing went wrong"] if history.is_calm and unsettled else []
    return list(dict.fromkeys([*scene.judge(), *calm]))


def _let_happen(scene: Any, what: str, who: int, details: Any) -> None:
    number = who % len(scene.processes)
    process = scene.processes[number]
    if what == "wait":
        scene.world.now += details
    elif what == "clock":
        process.ahead += details
    elif what == "meanwhile":
        scene.meanwhile(who)
    elif process.is_idle and what in ("start", "go"):
        scene.start(number, details if what == "start" else 0)
    elif what == "go":
        process.resume(details)
    elif what == "kill":
        if not process.is_idle:
            process.resume(None)
        scene.kill(number)


def kind_of(complaint: str) -> str:
    """What a complaint has in common with others of its kind."""
    return re.sub(r"\d+", "N", complaint)[:70]


def shortest(history: History, complaint: str) -> History:
    """The history without the events and faults that do not matter to a complaint of this kind."""
    size = len(history.events)
    while size:
        for calm in (False, True):
            start = 0
            while start < len(history.events):
                before, after = history.events[:start], history.events[start + size :]
                part = history.events[start:][:size] if calm else ()
                instead = (
                    ("go", who, OK) if what == "go" else (what, who, rest)
                    for what, who, rest in part
                )
                shorter = replace(history, events=(*before, *instead, *after))
                is_shorter = shorter != history and any(
                    kind_of(each) == kind_of(complaint) for each in run(shorter)
                )
                history = shorter if is_shorter else history
                start += 0 if is_shorter and not calm else size
        size //= 2
    return history
