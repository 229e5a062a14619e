"""What goes wrong on the way to the second provider and back, at drawn calls."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import httpx

from tests.conform.second import people
from tests.conform.second.server import CREATE

Answer = Callable[[httpx.Request], httpx.Response]

BEFORE = ("refused", "timeout", "429", "429 in 2", "503", "503 in 5", "502")
AFTER = ("dropped", "late", "500", "503", "503 in 3", "502", "cut off", "disconnected")


class Faulty:
    """The way to a provider, on which some calls fail."""

    def __init__(self, answer: Answer, seed: int, *, is_faulty: bool) -> None:
        choices = random.Random(f"faults {seed}")
        self.answer = answer
        self.calls = 0
        self.creates = 0
        self.faults: dict[tuple[str, int], tuple[str, str]] = {}
        for _ in range(choices.choice([1, 2, 3, 5, 9]) if is_faulty else 0):
            when = choices.choice(["before", "after"])
            kind = choices.choice(BEFORE if when == "before" else AFTER)
            place = choices.choice(
                [("call", choices.randrange(160)), ("create", choices.randrange(45))]
            )
            self.faults[place] = (when, kind)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        places = [("call", self.calls), ("create", self.creates)]
        self.calls += 1
        if request.url.path == CREATE:
            self.creates += 1
        else:
            places.pop()
        found = [self.faults[place] for place in places if place in self.faults]
        if not found:
            return self.answer(request)
        when, kind = found[0]
        response = self.answer(request) if when == "after" else None
        return _failed(kind, response)


class Killed(BaseException):
    """The process ends here."""


class Deadly:
    """The way to a provider, on which the process is killed at one call."""

    def __init__(self, answer: Answer, at: int, *, is_before: bool) -> None:
        self.answer = answer
        self.left = at
        self.is_before = is_before

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left == 0 and self.is_before:
            raise Killed
        response = self.answer(request)
        if self.left == 0:
            raise Killed
        return response


def _failed(kind: str, response: httpx.Response | None) -> httpx.Response:
    raised = {
        "refused": httpx.ConnectError("refused"),
        "timeout": httpx.ConnectTimeout("no connection"),
        "dropped": httpx.ReadError("reset"),
        "late": httpx.ReadTimeout("no answer"),
        "disconnected": httpx.RemoteProtocolError("closed without an answer"),
    }
    if kind in raised:
        raise raised[kind]
    if kind == "cut off":
        assert response
        half = response.content[: len(response.content) // 2]
        return httpx.Response(response.status_code, content=half, headers=response.headers)
    status, _, after = kind.partition(" in ")
    headers = {"retry-after": after} if after else {}
    if status == "500":
        body = json.dumps({"status": 0, "error": people.SENTENCES[1]})
        return httpx.Response(500, content=body, headers={"content-type": "application/json"})
    page = f"<html>{status}: ask {people.NAMES[2]}</html>".encode()
    return httpx.Response(int(status), content=page, headers=headers)
