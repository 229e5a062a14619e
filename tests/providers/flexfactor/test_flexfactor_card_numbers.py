"""A card number where a token belongs: in no environment is it sent, and nothing shows it."""

import logging
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.frames import assert_hidden
from tests.providers.flexfactor.adapter import ARGUMENTS, Harness, declined
from tests.providers.running import MODES, Script, run
from victor_ext import InvalidRequest, Outcome
from victor_ext._runtime.core.card_data import has_card_number
from victor_ext.providers.flexfactor import Card

NUMBER = "4111111111111111"
WRITTEN = (
    NUMBER,
    "4111 1111 1111 1111",
    " 4111\u20111111\u00a01111.1111\n",
    "378282246310005",
    "6304000000000000000",
    "4111_1111/1111\u200b1111",
    "\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11",
    "\u0664111111111111111",
    "card 4111111111111111 exp 12/30",
    ";4111111111111111=30121010000?",
)
TOKENS = (
    "tok_4242", "tok_4111111111111111", "4111111111111112", "411111111111", "41111111111111111111",
    "56FE7D4C9A0B11EE8C990242AC120002", "41111111-1111-1111-8111-111111111111", "",
    None, True, b"4" * 16, [], 10**400,
)  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_card_number_is_known_however_it_is_written(text):
    assert has_card_number(text)


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_taken_for_no_card_number(token):
    assert not has_card_number(token)


@given(st.from_regex(r"\A[0-9]{12,18}\Z"))
def test_exactly_one_check_digit_of_ten_makes_a_number(digits):
    assert sum(has_card_number(f"{digits}{last}") for last in range(10)) == 1


def refusal(call, mode=MODES[0], **changes):
    """The error of a call in production, of which nothing is sent."""
    script = Script()
    settings = {**ARGUMENTS, "environment": "production", "transport": script.transport}
    kind = Harness.kinds[MODES.index(mode)]
    with pytest.raises(InvalidRequest) as raised:
        run(kind, lambda client: getattr(client, call)(**declined(**changes)), **settings)
    assert (script.requests, raised.value.outcome) == ([], Outcome.NOT_SENT)
    return raised.value


@pytest.mark.parametrize("call", ["evaluate", "transmit"])
@pytest.mark.parametrize("number", [NUMBER, "4111-1111-1111-1111", int(NUMBER)])
def test_a_card_number_in_place_of_a_token_is_refused_and_not_shown(caplog, call, number, mode):
    caplog.set_level(logging.DEBUG)
    card = Card(token=number)
    error = refusal(call, mode, card=card)
    problems = [(problem.field, problem.code) for problem in error.problems]
    assert ("card.token", "card_number") in problems
    assert "a card is named by its token alone" in str(error)
    assert_hidden(error, secrets=[str(number)])
    shown = f"{error!r}{error}{vars(error)}{pickle.dumps(error)!r}{card!r}{card}"
    assert "1111" not in shown + caplog.text


def test_a_card_number_in_place_of_a_year_is_not_shown():
    card = Card(token="tok_1", expiration_year=int(NUMBER))
    assert "41111" not in str(refusal("evaluate", card=card))
