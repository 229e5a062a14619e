"""Histories of rare input: nobody is asked twice, nothing is lost, nobody is told what is not so.

`make histories` runs 100,000 of them. A test runs as many as its share of a minute allows, of 10,000. What fails is
printed as the shortest history that fails in the same way; `run` of `history.py` runs it again.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.bulk.postgres import Postgres
from tests.histories import settling
from tests.histories.__main__ import replayable, run_all
from tests.histories.history import KINDS, draw, run
from tests.mistakes import ROOT, _named, _Replacement
from tests.outbox.databases import new_schema

SEED = os.environ.get("SEED", "histories")
PARTS, SECONDS, MOST = 4, 60.0, 10_000


@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_is_asked_twice_or_told_wrong(part: int) -> None:
    found = run_all(SEED, range(part, MOST, PARTS), seconds=SECONDS / PARTS)
    print(f"{found.count} histories from seed {SEED!r}: {dict(found.words)}")
    assert not found.wrong, "\n\n".join(replayable(*each[0]) for each in list(found.wrong.values())[:2])
    for family, word in (("outbox", "sent"), ("bulk", "created"), ("calls", "success"), ("reading", "read")):
        told = {name: times for name, times in found.words.items() if name.startswith(f"{family}:")}
        assert told[f"{family}: {word}"] > 0.4 * sum(told.values()), (
            f"to say that nothing is known is no answer: {told}"
        )


def test_the_outbox_on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres()
    try:
        database = new_schema(server)
        monkeypatch.setattr(settling, "DATABASE", [database])
        found = run_all(SEED, range(60), "outbox")
        settling.shared_outbox(database)._engine.dispose()
    finally:
        server.stop()
    assert not found.wrong, found.wrong


class Planted(NamedTuple):
    """A decision that is taken back: a piece of code, and what takes its place. See `tests.mistakes.Mistake`."""

    where: str
    right: str
    wrong: str
    family: str
    complaint: str


PLANTED = {
    "writes without a key are repeated": Planted(
        "victor_ext.runtime.loop.classification:may_repeat",
        "has_key or method in SAFE_METHODS",
        "True",
        "calls",
        "asked twice",
    ),
    "a lost answer is a rejection": Planted(
        "victor_ext.runtime.loop.attempts:_Call._attempt",
        "return of_exception(came)",
        "return of_exception(came)._replace(outcome=Outcome.REJECTED)",
        "calls",
        "told wrong",
    ),
    "a page that is shorter than others is the last one": Planted(
        "victor_ext.runtime.client.paging:PageReader.accept",
        "self.done = self.is_last",
        "self.done = self.is_last or self.last_was_short",
        "reading",
        "ends early",
    ),
}
"""Decisions; without each of them the generator has to find a history that shows it."""


def plant(where: str, right: str, wrong: str) -> Callable[[], None]:
    """Take a decision back in this process. Returns what restores it."""
    name, _, path = where.partition(":")
    module, (*holders, function) = importlib.import_module(name), path.split(".")
    tree = _named(ast.parse((ROOT / (name.replace(".", "/") + ".py")).read_text("utf-8")), path)
    replaced = _Replacement(right, wrong)
    replaced.visit(tree)
    assert replaced.count == 1, f"{right!r} is {replaced.count} times in {where}: plant it anew"
    holder: Any = module
    for each in holders:
        holder = getattr(holder, each)
    before, made = vars(holder)[function], dict[str, Any]()
    # Modules that have imported it have it, too.
    holders_of_it = [
        holder,
        *(each for each in list(sys.modules.values()) if getattr(each, "__dict__", {}).get(function) is before),
    ]
    assert isinstance(tree, ast.FunctionDef)
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    exec(compile(ast.fix_missing_locations(ast.Module([future, tree], [])), where, "exec"), vars(module), made)
    for each in holders_of_it:
        setattr(each, function, made[function])
    return lambda: [setattr(each, function, before) for each in holders_of_it] and None


@pytest.mark.parametrize("name", PLANTED)
def test_the_generator_notices(name: str) -> None:
    where, right, wrong, family, complaint = PLANTED[name]
    restore = plant(where, right, wrong)
    try:
        numbers = range(2_000)
        assert any(complaint in each for number in numbers for each in run(draw(f"planted:{number}", family)))
    finally:
        restore()


def test_a_history_is_the_same_each_time() -> None:
    for number in range(40):
        history = draw(f"again:{number}", [*KINDS][number % 4])
        assert draw(f"again:{number}", history.kind) == history
        assert run(history) == run(history)
