"""Histories of files: operators on ordinary bad days ask nobody twice, lose nothing, and read what
is so.

The oracle is tried on a small sender in memory, which has the rules of the table of payments: it
complains of nothing there, and of each mistake that is made in it on purpose.
"""

import os
from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.bulk.postgres import Postgres
from tests.histories import files
from tests.histories.__main__ import replayable, run_all
from tests.histories.files import COMMANDS, EDITS, SLIPS, Files, Move, ReferenceFiles
from tests.histories.history import draw, run
from tests.histories.provider import Rules
from tests.histories.reference_table import MISTAKES

pytestmark = pytest.mark.slow
SEED = os.environ.get("SEED", "files")
BULK = "victor_ext.bulk"
MOST = 800
"""Histories within which each mistake is found."""
CODES = {
    "looks_like", "created_before", "due_later", "other_values", "settled_as_stored",
    "only_looked_up", "rejected", "rejected_before", "corrected", "replaced", "other_account",
}  # fmt: skip
"""What is told of a row."""


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


@pytest.mark.parametrize("name", BAD_DAYS)
def test_nothing_happens_on_a_bad_day_where_the_rules_are_kept(name: str) -> None:
    assert ReferenceFiles(**_of_bad_day(name)).play() == []


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


def _reference(number: int, mistake: str = "", seed: str = SEED) -> ReferenceFiles:
    return ReferenceFiles(mistake=mistake, **Files.draw(Random(f"{seed}:{number}")))


@pytest.fixture(scope="module")
def histories() -> list[ReferenceFiles]:
    """Histories of a sender that keeps the rules, which have been played."""
    played = [_reference(number) for number in range(400)]
    for history in played:
        history.play()
    return played


def test_the_oracle_complains_of_nothing_where_the_rules_are_kept(
    histories: list[ReferenceFiles],
) -> None:
    complaints = {number: each.truth.wrong for number, each in enumerate(histories)}
    assert {number: wrong for number, wrong in complaints.items() if wrong} == {}


def test_the_histories_have_every_move_and_every_row_of_the_table(
    histories: list[ReferenceFiles],
) -> None:
    """Where nothing happens, nothing can go wrong."""
    codes, moves = Counter[str](), Counter[str]()
    for history in histories:
        sends = [move for move in history.moves if move.what == "send"]
        moves.update(move.what for move in history.moves)
        moves.update(f"{move.edit} {move.slip}".strip() for move in sends)
        moves.update(move.slip for move in sends)
        codes.update(code for told in history.truth.notices.values() for code in told)
    names = {"renumber", *(name for name, _ in (*COMMANDS, *EDITS, *SLIPS))}
    assert names <= set(moves)
    assert set(codes) == CODES
    assert sum(len(history.ledger.done) for history in histories) > 400


def _shows(number: int, mistake: str) -> bool:
    wrong = _reference(number, mistake, "planted").play()
    return any(MISTAKES[mistake] in complaint for complaint in wrong)


@pytest.mark.pull_request
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_oracle_notices(mistake: str) -> None:
    number = next((number for number in range(MOST) if _shows(number, mistake)), None)
    assert number is not None, f"none of {MOST} histories shows it"
    assert _reference(number, seed="planted").play() == []


def test_a_history_of_files_is_the_same_each_time() -> None:
    for number in range(20):
        assert draw(f"again:{number}", "files") == draw(f"again:{number}", "files")
        mistake = "the key has the name of the file"
        assert _reference(number, mistake).play() == _reference(number, mistake).play()


@pytest.mark.pull_request
@pytest.mark.parametrize("number", [1, 2])
def test_a_real_sender_runs_a_history_to_its_end(number: int) -> None:
    """Whatever is told of it: files are sent, and the provider makes requests of them."""
    history = Files(**Files.draw(Random(f"real:{number}")))
    history.play()
    assert history.ledger.done


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
