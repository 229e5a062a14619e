"""The tests of EastPay and FlexFactor must be able to fail: each of these mistakes turns them red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mistakes import Copy, Mistake, assert_noticed

HERE = "tests/providers"
CODES, JOURNEYS = f"{HERE}/eastpay/test_eastpay_result_codes.py", f"{HERE}/eastpay/test_eastpay_journeys.py"
TIMED_OUT_THERE = f"{CODES}::test_the_table[100.200.100]"
FAMILY = f"{CODES}::test_the_sentences_of_the_page_hold_for_every_code"
LOOK_ALIKE = f"{CODES}::test_the_four_codes_where_the_look_alike_table_differs"
PENDING = f"{JOURNEYS}::test_a_time_out_of_the_bank_is_pending_until_it_is_inquired[blocking]"
DECLINED = f"{JOURNEYS}::test_a_declined_payment_is_a_result[blocking]"
LOST = f"{HERE}/test_every_system.py::test_an_exchange_fails_once[blocking-eastpay-pay]"
REDIRECTED = (
    f"{HERE}/eastpay/test_eastpay_failures.py::TestRedirects::test_a_307_is_sent_again_with_method_and_body[blocking]"
)
EASTPAY = (TIMED_OUT_THERE, FAMILY, LOOK_ALIKE, PENDING, DECLINED, LOST, REDIRECTED)

FAILURES, PARSERS = f"{HERE}/flexfactor/test_flexfactor_failures.py", f"{HERE}/flexfactor/test_flexfactor_parsers.py"
REFUSED = f"{HERE}/flexfactor/test_flexfactor_answers.py::test_what_a_200_says"
UNITS = f"{PARSERS}::test_what_is_on_the_wire_is_the_very_amount"
UNDECIDED = f"{FAILURES}::test_a_409_that_does_not_say_which_is_asked_again"
TOKEN = f"{HERE}/flexfactor/test_flexfactor_tokens.py::test_a_token_that_has_not_ended_is_kept_and_one_that_has_is_not"
KEYLESS = f"{FAILURES}::test_a_key_in_a_refund_makes_no_repeat_safe"
FLEXFACTOR = (REFUSED, UNITS, UNDECIDED, TOKEN, KEYLESS)

RULES = "victor_ext.providers.eastpay.result_codes:"
SUCCESS = r'(r"000\.000\.000", ResultClass.SUCCEEDED, None)'
_EASTPAY, _FLEXFACTOR = "victor_ext.providers.eastpay", "victor_ext.providers.flexfactor"
MISTAKES = {
    "100.200.100 is a rejection": Mistake(
        RULES,
        SUCCESS,
        rf'*[{SUCCESS}, (r"100\.2[01].*", ResultClass.REJECTED, Rejection.UNCLEAR)]',
        (TIMED_OUT_THERE, LOOK_ALIKE, PENDING),
    ),
    "every code that begins with 000 is a success": Mistake(
        RULES, SUCCESS, SUCCESS.replace(r"\.000\.000", r"\..*"), (FAMILY, LOOK_ALIKE)
    ),
    "a declined payment is an error": Mistake(
        f"{_EASTPAY}.profile:", "is_result=is_payment_result", "", (FAMILY, DECLINED)
    ),
    "a payment is sent again after a lost answer": Mistake(
        "victor_ext.runtime.loop.classification:may_repeat",
        "return has_key or method in SAFE_METHODS",
        "return True",
        (LOST,),
    ),
    "a 307 is not followed": Mistake(f"{_EASTPAY}.profile:", "resent_redirects=frozenset({307})", "", (REDIRECTED,)),
    "a 200 with success: false is a success, as the profile tells it": Mistake(
        f"{_FLEXFACTOR}.profile:", "rejection_reason=_refused", "", (REFUSED,)
    ),
    "a 200 with success: false is a success, as it is read": Mistake(
        f"{_FLEXFACTOR}.responses:says",
        "return _TABLE[False if complains else success][_meaning(operation, status)]",
        "return Says.YES",
        (REFUSED,),
    ),
    "success is approval": Mistake(
        f"{_FLEXFACTOR}.records:",
        'return self.status == "APPROVED" and self.success is not False',
        "return self.success is True",
        (REFUSED,),
    ),
    "a refund is in cents": Mistake(
        f"{_FLEXFACTOR}.orders:", "float(amount.amount)", "float(amount.minor_units)", (UNITS,)
    ),
    "every 409 is final": Mistake(f"{_FLEXFACTOR}.profile:", "in_progress=may_be_in_progress", "", (UNDECIDED,)),
    "a token is kept when it has ended, and not before": Mistake(
        "victor_ext.runtime.auth.tokens:TokenCache",
        "left <= kept.window(MANDATORY_SECONDS)",
        "left >= kept.window(MANDATORY_SECONDS)",
        (TOKEN,),
    ),
    "a key that a refund does not take makes its repeat safe": Mistake(
        f"{_FLEXFACTOR}.profile:", "ignores_key=lambda request: operation_of(request) not in _KEYED", "", (KEYLESS,)
    ),
}


@pytest.mark.nightly
def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    run = Copy(tmp_path).run(*EASTPAY, *FLEXFACTOR)
    assert run.failed == (), run.output
    assert run.passed >= len(EASTPAY + FLEXFACTOR)


@pytest.mark.nightly
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    assert_noticed(mistake, tmp_path, EASTPAY if mistake.fails[0] in EASTPAY else mistake.fails)
