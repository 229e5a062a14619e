"""Histories: drawn from a seed, run, judged, and made shorter when one of them fails."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

from tests.histories.calls import Calls
from tests.histories.provider import KEPT, Rules
from tests.histories.reading import Readings
from tests.histories.real import Senders, Sockets
from tests.histories.settling import Batches, Outboxes
from tests.histories.world import OK, Event

FAMILIES: dict[str, tuple[Any, int]] = {
    "calls": (Calls, 5000),
    "outbox": (Outboxes, 1700),
    "bulk": (Batches, 2100),
    "reading": (Readings, 1100),
    "sockets": (Sockets, 75),
    "senders": (Senders, 25),
}
"""What plays in a history, and how many of 10,000 are of this kind."""
EVENTS = ("start", "go", "kill", "wait", "clock", "meanwhile")
LIKELY = {
    "calls": (20, 72, 3, 2, 2, 1),
    "outbox": (12, 68, 7, 8, 3, 2),
    "bulk": (12, 68, 7, 8, 3, 2),
    "reading": (8, 72, 1, 1, 0, 18),
    "sockets": (0, 1, 0, 0, 0, 0),
    "senders": (0, 1, 0, 0, 0, 0),
}
FAULTS = ("ok", "refuse", "no time", "reset", "silence", "half", "status", "page", "foreign", "damaged")
STATUSES = (400, 400, 400, 401, 403, 404, 409, 409, 409, 422, 425, 408, 429, 429, 500, 502, 503, 504, 520, 302)
PAGES = ("html", "html", "empty", "text", "list", "null")
WAITS = (1.0, 130.0, KEPT / 3, KEPT + 1, 1.25 * KEPT, 1.25 * KEPT)
CLOCKS = (-3_600.0, 3_600.0, -100_800.0, 100_800.0, -259_200.0, 259_200.0)


@dataclass(frozen=True)
class History:
    """A history as data: each run of it is the same."""

    family: str
    setup: dict[str, Any]
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        events = "".join(f"    {event!r},\n" for event in self.events)
        return f"History({self.family!r}, {self.setup!r}, (\n{events}))"

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong in it."""
        return all(event[0] == "start" or (event[0] == "go" and event[2] == OK) for event in self.events)


def draw(seed: str, family: str | None = None) -> History:
    """The history of a seed, of this family or any."""
    dice = Random(seed)
    family = family or dice.choices(list(FAMILIES), [share for _, share in FAMILIES.values()])[0]
    setup, calm = FAMILIES[family][0].draw(dice), dice.random() < 0.05
    count = 0 if hasattr(FAMILIES[family][0], "play") else dice.choice([6, 12, 24, 40])
    return History(family, setup, tuple(_event(dice, family, calm=calm) for _ in range(count)))


def _event(dice: Random, family: str, *, calm: bool) -> Event:
    who, what = dice.randrange(3), dice.choices(EVENTS, LIKELY[family])[0]
    if what == "start":
        return what, who, dice.randrange(60)
    if what == "go" or calm:
        return "go", who, OK if calm else _fault(dice)
    if what == "meanwhile":
        return what, dice.randrange(60)
    return (what, who) if what == "kill" else (what, who, dice.choice(WAITS if what == "wait" else CLOCKS))


def _fault(dice: Random) -> Event:
    kind = dice.choices(FAULTS, [60, 2, 1, 6, 3, 3, 13, 8, 3, 2])[0]
    if kind == "status":
        body = dice.choice(["empty", "html", "no reason", "error", "another field", "text", "list"])
        return kind, dice.choice(STATUSES), body, dice.choice([None, None, 0, 3600])
    if kind == "page":
        return kind, dice.choice([200, 200, 200, 201, 202, 204]), dice.choice(PAGES)
    return (kind, dice.randrange(5)) if kind == "foreign" else (kind,)


def run(history: History, words: Counter[str] | None = None) -> list[str]:
    """Let it happen. Returns what was done or told wrong; `words` counts what was told."""
    scene = FAMILIES[history.family][0](**history.setup)
    if hasattr(scene, "play"):
        return list(dict.fromkeys(scene.play()))
    with scene.world.clocks():
        for event in history.events:
            _let_happen(scene, event)
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
            words.update(f"{history.family}: {word}" for word in told)
        unsettled = [word for word in told if word not in scene.settled]
        calm = [f"lost: {unsettled} though nothing went wrong"] if history.is_calm and unsettled else []
        return list(dict.fromkeys([*scene.judge(), *calm]))


def _let_happen(scene: Any, event: Event) -> None:
    kind, number, *details = event
    process = scene.processes[number % len(scene.processes)]
    if kind == "meanwhile":
        scene.meanwhile(number)
    elif kind == "start" or (kind == "go" and process.is_idle):
        if process.is_idle:
            scene.start(number % len(scene.processes), details[0] if kind == "start" else 0)
    elif kind == "go":
        process.resume(details[0])
    elif kind == "kill":
        if not process.is_idle:
            process.resume(None)
        scene.kill(number % len(scene.processes))
    elif kind == "wait":
        scene.world.now += details[0]
    else:
        process.ahead += details[0]


def kind_of(complaint: str) -> str:
    """What a complaint has in common with others of its kind."""
    return re.sub(r"\d+", "N", complaint)[:70]


def shortest(history: History, complaint: str) -> History:
    """The history without what does not matter to a complaint of this kind."""

    def fails(candidate: History) -> bool:
        return any(kind_of(each) == kind_of(complaint) for each in run(candidate))

    size = len(history.events)
    while size:
        start = 0
        while start < len(history.events):
            shorter = replace(history, events=history.events[:start] + history.events[start + size :])
            history, start = (shorter, start) if fails(shorter) else (history, start + size)
        size //= 2
    for candidate in _calmer(history):
        candidate = candidate(history)
        history = candidate if fails(candidate) else history
    return history


def _calmer(history: History) -> Iterator[Any]:
    """Steps to a history with fewer faults, and with plainer rules."""
    for place, event in enumerate(history.events):
        if event[0] == "go":
            yield lambda it, place=place, who=event[1]: replace(
                it, events=(*it.events[:place], ("go", who, OK), *it.events[place + 1 :])
            )
    for field in fields(Rules) if "rules" in history.setup else ():
        yield lambda it, field=field: replace(
            it, setup={**it.setup, "rules": replace(it.setup["rules"], **{field.name: field.default})}
        )
