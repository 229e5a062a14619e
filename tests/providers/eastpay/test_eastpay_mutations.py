"""The tests of EastPay must be able to fail: each of these mistakes, made in a copy of the client, turns them red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mistakes import Copy, Mistake, assert_noticed

HERE = "tests/providers/eastpay"
CODES, JOURNEYS = f"{HERE}/test_eastpay_result_codes.py", f"{HERE}/test_eastpay_journeys.py"
FAILURES = f"{HERE}/test_eastpay_failures.py"
TIMED_OUT_THERE = f"{CODES}::test_the_table[100.200.100]"
FAMILY = f"{CODES}::test_the_sentences_of_the_page_hold_for_every_code"
LOOK_ALIKE = f"{CODES}::test_the_four_codes_where_the_look_alike_table_differs"
PENDING = f"{JOURNEYS}::test_a_time_out_of_the_bank_is_pending_until_it_is_inquired[blocking]"
DECLINED = f"{JOURNEYS}::test_a_declined_payment_is_a_result[blocking]"
LOST = f"{FAILURES}::test_after_a_lost_answer_nothing_is_charged_again[blocking]"
REDIRECTED = f"{FAILURES}::TestRedirects::test_a_307_is_sent_again_with_method_and_body[blocking]"
SELECTED = (TIMED_OUT_THERE, FAMILY, LOOK_ALIKE, PENDING, DECLINED, LOST, REDIRECTED)

RULES, PROFILE = "victor_ext.providers.eastpay.result_codes:", "victor_ext.providers.eastpay.profile:"
SUCCESS = r'(re.compile(r"000\.000\.000"), ResultClass.SUCCEEDED)'
MISTAKES = {
    "100.200.100 is a rejection": Mistake(
        RULES,
        SUCCESS,
        rf'*[{SUCCESS}, (re.compile(r"100\.2[01].*"), ResultClass.REJECTED)]',
        (TIMED_OUT_THERE, LOOK_ALIKE, PENDING),
    ),
    "every code that begins with 000 is a success": Mistake(
        RULES, r're.compile(r"000\.000\.000")', r're.compile(r"000\..*")', (FAMILY, LOOK_ALIKE)
    ),
    "a declined payment is an error": Mistake(PROFILE, "is_result=is_payment_result", "", (FAMILY, DECLINED)),
    "a payment is sent again after a lost answer": Mistake(
        "victor_ext.runtime.loop.classification:may_repeat",
        "return has_key or method in SAFE_METHODS",
        "return True",
        (LOST,),
    ),
    "a 307 is not followed": Mistake(PROFILE, "resent_redirects=frozenset({307})", "", (REDIRECTED,)),
}


@pytest.mark.nightly
def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    run = Copy(tmp_path).run(*SELECTED)
    assert (run.failed, run.passed) == ((), len(SELECTED)), run.output


@pytest.mark.nightly
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    assert_noticed(MISTAKES[name], tmp_path, SELECTED)
