"""The tests of faults must be able to fail: each of four mistakes, made in a copy of the client, turns them red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mistakes import Copy, Mistake, assert_noticed

MATRIX = "tests/faults/test_fault_matrix.py::test_cut_at_every_byte"
STATUSES = "tests/faults/test_statuses.py::test_a_write"
CUT_CREATE, CUT_ANSWER = f"{MATRIX}[sync-create-reset-answer]", f"{MATRIX}[sync-respond-reset-answer]"
STATUS_OF_CREATE, STATUS_OF_ANSWER = f"{STATUSES}[sync-create]", f"{STATUSES}[sync-respond]"
SELECTED = (CUT_CREATE, CUT_ANSWER, STATUS_OF_CREATE, STATUS_OF_ANSWER)
LOOP, CLASSIFICATION = "victor_ext.runtime.loop.attempts", "victor_ext.runtime.loop.classification"

MISTAKES = {
    "the key is made anew for each attempt": Mistake(
        f"{LOOP}:_Call._attempt_until_definite",
        "result = yield from self._attempt(request, counted=signed)",
        """
if signed and self._key:
    import uuid
    request.headers["Idempotency-Key"] = str(uuid.uuid4())
result = yield from self._attempt(request, counted=signed)
""",
        (CUT_CREATE, STATUS_OF_CREATE),
        "the work was done 2 times",
    ),
    "an answer without a key is tried again": Mistake(
        f"{CLASSIFICATION}:may_repeat",
        "return has_key or method in SAFE_METHODS",
        "return True",
        (CUT_ANSWER, STATUS_OF_ANSWER),
        "an answer without a key was sent 2 times",
    ),
    "a 5xx is reported as rejected": Mistake(
        f"{CLASSIFICATION}:_of_error_status",
        """
if status in profile.transient_statuses:
    return Failure(error_class, what, Repeat.REPEATABLE, Outcome.UNKNOWN, response)
""",
        """
if status in profile.transient_statuses:
    return Failure(error_class, what, Repeat.REPEATABLE, Outcome.REJECTED, response)
""",
        (STATUS_OF_CREATE, STATUS_OF_ANSWER),
        "502 with the work: rejected was reported, and the work was done; respond",
    ),
    "a 400 that follows a lost answer is reported as rejected": Mistake(
        f"{LOOP}:_Call._attempt_until_definite",
        "self._outcome = self._outcome.combined_with(result.outcome)",
        "self._outcome = result.outcome",
        (STATUS_OF_CREATE,),
        "400 after a lost answer: rejected was reported, and the work was done; create",
    ),
}


def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    run = Copy(tmp_path).run(*SELECTED)
    assert (run.failed, run.passed) == ((), len(SELECTED)), run.output


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    assert_noticed(MISTAKES[name], tmp_path, SELECTED)
