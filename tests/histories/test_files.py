"""Histories of files: operators on ordinary bad days ask nobody twice, lose nothing, and read what
is so.
"""

import os
from typing import Any

import pytest

from tests.bulk.postgres import Postgres
from tests.histories import files
from tests.histories.__main__ import replayable, run_all
from tests.histories.files import Files, Move
from tests.histories.history import draw, run
from tests.histories.provider import Rules

pytestmark = pytest.mark.slow
SEED = os.environ.get("SEED", "files")

BAD_DAYS: dict[str, list[Move]] = {
    "a renamed file with other rows": [Move("send", edit="same"), Move("send", edit="cut")],
    "a file that a spreadsheet has saved under its name": [
        Move("send", edit="same"),
        Move("send", edit="resave", damage="float"),
    ],
    "an amount that is corrected after a failed start": [
        Move("send", edit="same", is_down=True),
        Move("send", edit="amount"),
    ],
    "a row that is taken out after a failed start": [
        Move("send", edit="same", is_down=True),
        Move("send", edit="remove"),
    ],
    "a rotated secret and a renamed file": [Move("send", edit="same"), Move("rotate", place=1)],
    "a key that a spreadsheet has lost": [Move("send", edit="same", slip="no key")],
    "a state of before its rows were sent": [
        Move("send", edit="same", is_down=True),
        Move("send", edit="same"),
        Move("days pass"),
        Move("restore"),
    ],
    "a state of before a rejected row was corrected": [
        Move("send", edit="same"),
        Move("send", edit="correct the rejected"),
        Move("days pass"),
        Move("restore"),
    ],
    "a state of before a waiting row was rejected and asked again": [
        Move("send", edit="same", is_down=True),
        Move("send", edit="same", is_rejected=True),
        Move("ask again"),
        Move("restore", place=1),
    ],
    "a state of before a waiting row was rejected and corrected": [
        Move("send", edit="same", is_down=True),
        Move("send", edit="same", is_rejected=True),
        Move("send", edit="amount"),
        Move("restore", place=1),
    ],
    "a state of before a waiting row got another number": [
        Move("send", edit="same", is_down=True),
        Move("send", edit="renumber"),
        Move("restore", place=1),
    ],
}
"""The shortest histories of what happened to ordinary operators."""


def _of_bad_day(name: str) -> dict[str, Any]:
    moves, rules = BAD_DAYS[name], Rules(conflict="409")
    known = {"form": "00{}", "rules": rules, "is_monthly": False, "has_storage_key": False}
    return {"moves": moves, "seed": 1, **known}


@pytest.mark.pull_request
@pytest.mark.parametrize("name", BAD_DAYS)
def test_nothing_happens_to_bulk_on_a_bad_day(name: str) -> None:
    assert Files(**_of_bad_day(name)).play() == []


def _of_one_id(*later: Move) -> dict[str, Any]:
    """A file, and what is done with it while each answer names what the state has already."""
    moves = [Move("send", edit="same"), *later]
    rules = Rules(conflict="409")
    known = {"form": "00{}", "rules": rules, "is_monthly": False, "has_storage_key": False}
    return {"moves": moves, "seed": 1, "share_of_anothers": 1.0, **known}


ADDED = _of_one_id(Move("send", edit="add"), Move("send", edit="add"))
ASKED_AGAIN = _of_one_id(Move("decline", place=1), Move("ask again"), Move("resume"))


@pytest.mark.parametrize(
    "setup", [ADDED, ASKED_AGAIN], ids=["another row's request", "the declined request"]
)
def test_an_answer_that_names_what_settles_another_payment_settles_nothing(
    setup: dict[str, Any],
) -> None:
    assert Files(**setup).play() == []


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
