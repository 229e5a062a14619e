"""What the proxy does to an exchange, drawn from a seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Literal

End = Literal["reset", "close", "stall"]
Kind = Literal[
    "request cut",
    "answer cut",
    "answer lost",
    "answered for the provider",
    "answered after the work",
    "spoilt answer",
    "slow answer",
    "late request",
    "request sent twice",
    "answer sent twice",
    "another answer later",
]

_WEIGHTS: dict[Kind, int] = {
    "request cut": 4,
    "answer cut": 4,
    "answer lost": 4,
    "answered for the provider": 4,
    "answered after the work": 4,
    "spoilt answer": 2,
    "slow answer": 2,
    "late request": 2,
    "request sent twice": 1,
    "answer sent twice": 1,
    "another answer later": 4,
}
_ENDS: tuple[End, ...] = ("reset", "reset", "reset", "reset", "close", "close", "close", "close", "stall")
_NO_WORK_YET = (408, 425, 429, 429, 500, 502, 503, 503, 504, 520)
LATEST = 0.01
"""Seconds after an answer within which another one comes that nobody asked for."""
_WORK_DONE = (408, 500, 502, 503, 504, 524)


@dataclass(frozen=True, slots=True)
class Mischief:
    """One way to fail. `where` is the share of the bytes that pass, `seconds` how long it takes."""

    kind: Kind
    how: End
    where: float
    seconds: float
    status: int
    body: bytes


class Plan:
    """Decides what befalls each exchange. The same seed gives the same decisions in the same order.

    Args:
        seed: Of the dice.
        rate: The share of exchanges that fail.
        patience: Seconds for which the callers wait for an answer; delays are drawn around it.
    """

    def __init__(self, seed: int, rate: float, patience: float) -> None:
        self._dice = Random(seed)  # noqa: S311 - a test's dice, not secrets
        self._rate = rate
        self._patience = patience
        self.exchanges = 0
        self.failed: Counter[str] = Counter()

    def next(self) -> Mischief | None:
        """What befalls the exchange that begins now; None lets it pass."""
        self.exchanges += 1
        dice = self._dice
        if dice.random() >= self._rate:
            return None
        kind = dice.choices([*_WEIGHTS], [*_WEIGHTS.values()])[0]
        self.failed[kind] += 1
        return Mischief(
            kind=kind,
            how=dice.choice(_ENDS),
            where=dice.random(),
            seconds=self._patience * dice.choice((0.05, 0.2, 0.5, 1.2)),
            status=dice.choice(_NO_WORK_YET if kind == "answered for the provider" else _WORK_DONE),
            body=dice.choice((b"", b"<html><body>Bad gateway</body></html>", b'{"error": "unavailable"}', b"\xff\xfe")),
        )

    def ends_connection(self) -> bool:
        """Whether a connection that has just been made ends at once."""
        ends = self._dice.random() < self._rate / 10
        self.failed["connection ended at once"] += ends
        return ends


def spoilt(answer: bytes, where: float) -> bytes:
    """An answer with a good head, and a body that is whole and no JSON."""
    head, _, body = answer.partition(b"\r\n\r\n")
    body = body[: int(len(body) * where)]
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", b""]) + body


def instead(status: int, body: bytes) -> bytes:
    """An answer of the proxy's own. A 429 asks to come back at once, so that a run is not spent on waiting."""
    patience = b"retry-after: 0\r\n" if status == 429 else b""
    return b"HTTP/1.1 %d Mischief\r\n%bcontent-length: %d\r\n\r\n%b" % (status, patience, len(body), body)
