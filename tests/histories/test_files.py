"""Histories of files: operators on ordinary bad days ask nobody twice, lose nothing, and read what
is so.
"""

import os
from collections.abc import Iterable
from typing import Any

import pytest

from tests.bulk.postgres import Postgres
from tests.cases import cases_beside
from tests.histories import files
from tests.histories.__main__ import replayable, run_all
from tests.histories.files import Files, Move
from tests.histories.history import draw, run
from tests.histories.provider import Rules

pytestmark = pytest.mark.slow
SEED = os.environ.get("SEED", "files")

BAD_DAYS = cases_beside(__file__, "bad_days")


def wrong_of(moves: Iterable[Move], share_of_anothers: float = 0.0) -> list[str]:
    """What is wrong after these moves."""
    known: dict[str, Any] = {"is_monthly": False, "has_storage_key": False, "seed": 1}
    rules = Rules(conflict="409")
    return Files([*moves], "00{}", rules, share_of_anothers=share_of_anothers, **known).play()


@pytest.mark.pull_request
@pytest.mark.parametrize("name", BAD_DAYS)
def test_nothing_happens_to_bulk_on_a_bad_day(name: str) -> None:
    assert wrong_of(Move(**move) for move in BAD_DAYS[name]) == []


@pytest.mark.parametrize(
    "later",
    [
        [Move("send", edit="add"), Move("send", edit="add")],
        [Move("decline", place=1), Move("ask again"), Move("resume")],
    ],
    ids=["another row's request", "the declined request"],
)
def test_an_answer_that_names_what_settles_another_payment_settles_nothing(
    later: list[Move],
) -> None:
    """Each answer names what the state has already."""
    assert wrong_of([Move("send", edit="same"), *later], 1.0) == []


def test_operators_of_bulk_ask_nobody_twice() -> None:
    _run_real(range(8))


@pytest.mark.nightly
def test_operators_of_bulk_ask_nobody_twice_in_many_histories() -> None:
    _run_real(range(8, 200))


def _run_real(numbers: range) -> None:
    found = run_all(SEED, numbers, "files")
    assert not found.wrong, "\n\n".join(
        replayable(*each[0], "files") for each in list(found.wrong.values())[:2]
    )


@pytest.mark.nightly
def test_operators_of_bulk_on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres()
    try:
        for number in range(10):
            monkeypatch.setitem(files.DATABASES, "state", server.url(f"files_{number}"))
            history = draw(f"{SEED}:{number}", "files")
            moves = [move for move in history.setup["moves"] if move.what != "restore"]
            history.setup["moves"] = moves
            assert run(history) == []
    finally:
        server.stop()
