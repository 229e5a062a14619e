"""Histories of files: operators on ordinary bad days ask nobody twice, lose nothing, and read what
is so.

The oracle is tried on a small sender in memory, which has the rules of the table of payments: it
complains of nothing there, and of each mistake that is made in it on purpose. Bulk itself is judged
once it has the table; until then `python -m tests.histories 100 SEED files` shows what it does.
"""

import os
from collections import Counter
from random import Random

import pytest

from tests.bulk.postgres import Postgres
from tests.histories import files
from tests.histories.__main__ import replayable, run_all
from tests.histories.bulk_surface import HAS_PAYMENTS_TABLE
from tests.histories.files import COMMANDS, EDITS, Files, ReferenceFiles
from tests.histories.history import draw, run
from tests.histories.reference_bulk import MISTAKES

pytestmark = pytest.mark.slow
SEED = os.environ.get("SEED", "files")
needs_the_table = pytest.mark.skipif(
    not HAS_PAYMENTS_TABLE, reason="bulk has no table of payments yet"
)


def _reference(number: int, mistake: str = "", seed: str = SEED) -> ReferenceFiles:
    return ReferenceFiles(mistake=mistake, **Files.draw(Random(f"{seed}:{number}")))


def test_the_oracle_complains_of_nothing_where_the_rules_are_kept() -> None:
    wrong = {number: complaints for number in range(400) if (complaints := _played(number))}
    assert wrong == {}


def _played(number: int) -> list[str]:
    return _reference(number).play()


def test_the_histories_have_every_move_and_every_row_of_the_table() -> None:
    """Where nothing happens, nothing can go wrong."""
    codes, moves, sent = Counter[str](), Counter[str](), 0
    for number in range(400):
        history = _reference(number)
        history.play()
        moves.update(move.what for move in history.moves)
        moves.update(move.edit for move in history.moves if move.what == "send")
        codes.update(code for told in history.truth.notices.values() for code in told)
        sent += len(history.ledger.done)
    assert set(moves) == {name for name, _ in (*COMMANDS, *EDITS)}
    assert set(codes) >= {
        "created_before", "replaced", "settled_as_stored", "rejected_before", "other_values",
        "other_account", "looks_like", "due_later", "corrected",
    }  # fmt: skip
    assert sent > 400


def _shows(number: int, mistake: str) -> bool:
    wrong = _reference(number, mistake, "planted").play()
    return any(MISTAKES[mistake] in complaint for complaint in wrong)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_oracle_notices(mistake: str) -> None:
    number = next((number for number in range(2_000) if _shows(number, mistake)), None)
    assert number is not None
    assert _reference(number, seed="planted").play() == []


def test_a_history_of_files_is_the_same_each_time() -> None:
    for number in range(20):
        assert draw(f"again:{number}", "files") == draw(f"again:{number}", "files")
        mistake = "the key has the name of the file"
        assert _reference(number, mistake).play() == _reference(number, mistake).play()


@pytest.mark.parametrize("number", range(2))
def test_a_real_sender_runs_a_history_to_its_end(number: int) -> None:
    """Whatever is told of it: files are sent, and the provider makes requests of them."""
    history = Files(**Files.draw(Random(f"real:{number}")))
    history.play()
    assert history.ledger.done


@needs_the_table
def test_operators_of_bulk_ask_nobody_twice() -> None:
    found = run_all(SEED, range(24), "files")
    assert not found.wrong, "\n\n".join(
        replayable(*each[0], "files") for each in list(found.wrong.values())[:2]
    )


@needs_the_table
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


@needs_the_table
def test_each_mistake_of_the_rules_is_planted_in_bulk() -> None:
    """A mistake in the sender in memory says what the oracle can find, and nothing of bulk: each
    has a namesake in the code of bulk.
    """
    from tests.histories.test_histories import PLANTED

    of_files = {name for name, planted in PLANTED.items() if planted.kind == "files"}
    assert of_files >= set(MISTAKES)
