"""The tests of FlexFactor must be able to fail: each of these mistakes in a copy of the client turns them red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mistakes import Copy, Mistake, assert_noticed

HERE = "tests/providers/flexfactor"
FAILURES, PARSERS = f"{HERE}/test_flexfactor_failures.py", f"{HERE}/test_flexfactor_parsers.py"
REFUSED = f"{FAILURES}::test_a_200_that_says_no_is_a_refusal[a flag and a word]"
APPROVED = f"{PARSERS}::test_success_is_no_approval"
UNITS = f"{PARSERS}::test_cents_and_dollars_of_one_money"
UNDECIDED = f"{FAILURES}::test_a_409_that_does_not_say_which_is_asked_again"
TOKEN = f"{HERE}/test_flexfactor_tokens.py::test_a_token_that_has_not_ended_is_kept_and_one_that_has_is_not"
KEYLESS = f"{FAILURES}::test_a_key_in_a_refund_makes_no_repeat_safe"
SELECTED = (REFUSED, APPROVED, UNITS, UNDECIDED, TOKEN, KEYLESS)

FLEXFACTOR = "victor_ext.providers.flexfactor"
MISTAKES = {
    "a 200 with success: false is a success, as the profile tells it": Mistake(
        f"{FLEXFACTOR}.profile:", "rejection_reason=_refused", "", (REFUSED,)
    ),
    "a 200 with success: false is a success, as it is read": Mistake(
        f"{FLEXFACTOR}.responses:says",
        "return _TABLE[success, _complains(body, success)][_meaning(operation, status)]",
        "return Says.YES",
        (REFUSED,),
    ),
    "success is approval": Mistake(
        f"{FLEXFACTOR}.records:",
        'return self.status == "APPROVED" and self.success is not False',
        "return self.success is True",
        (APPROVED,),
    ),
    "a refund is in cents": Mistake(
        f"{FLEXFACTOR}.transactions:", "return float(amount.amount)", "return float(amount.minor_units)", (UNITS,)
    ),
    "every 409 is final": Mistake(f"{FLEXFACTOR}.profile:", "in_progress=may_be_in_progress", "", (UNDECIDED,)),
    "a token is kept when it has ended, and not before": Mistake(
        "victor_ext.runtime.auth.tokens:TokenCache",
        "left <= kept.window(MANDATORY_SECONDS)",
        "left >= kept.window(MANDATORY_SECONDS)",
        (TOKEN,),
    ),
    "a key that a refund does not take makes its repeat safe": Mistake(
        f"{FLEXFACTOR}.profile:", "ignores_key=_takes_no_key", "", (KEYLESS,)
    ),
}


@pytest.mark.nightly
def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    run = Copy(tmp_path).run(*SELECTED)
    assert run.failed == (), run.output
    assert run.passed >= len(SELECTED)


@pytest.mark.nightly
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    assert_noticed(mistake, tmp_path, mistake.fails)
