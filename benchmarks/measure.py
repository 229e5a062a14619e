"""Timing that a noisy machine disturbs little: rounds in turn, and the best of each."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was measured, in which unit, and its ratio to the first of its group."""

    group: str
    name: str
    value: float
    unit: str
    ratio: float | None
    limit: float | None = None

    @property
    def met(self) -> bool:
        """Whether the ratio is within its limit."""
        return self.limit is None or self.ratio is None or self.ratio <= self.limit


def seconds(action: Callable[[], object]) -> float:
    """How long the action takes, without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began
    finally:
        gc.enable()


def best_in_turn(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The best time of each, measured in turn so that a slow moment of the machine hits all of them."""
    for action in contenders.values():
        action()
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, action in contenders.items():
            best[name] = min(best[name], seconds(action))
    return best


def compared(group: str, best: dict[str, float], unit: str, scale: float, limits: dict[str, float]) -> list[Figure]:
    """Figures of a group, each as a ratio to the first."""
    base = next(iter(best.values()))
    return [Figure(group, name, value * scale, unit, value / base, limits.get(name)) for name, value in best.items()]
