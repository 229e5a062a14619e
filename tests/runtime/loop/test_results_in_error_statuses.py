"""Some providers answer with an error status, and the body is the result that was asked for: it is returned."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from tests.runtime.fakes import BOTH, PROFILE, Happens, Harness, raises
from victor_ext import errors
from victor_ext.errors import Outcome

pytestmark = pytest.mark.parametrize("mode", BOTH)


def has_result(answer: httpx.Response) -> bool:
    try:
        return answer.status_code == 400 and "result" in answer.json()
    except ValueError:
        return False


TELLS = replace(
    PROFILE,
    is_result=has_result,
    mismatch=lambda answer: "its body is about another" if answer.json().get("id") == "other" else None,
)
DECLINED = Happens(400, json.dumps({"id": "p1", "result": "declined"}).encode())


def test_it_is_returned(mode):
    answer = Harness(mode, [DECLINED], profile=TELLS).call("POST")
    assert (answer.status_code, answer.json()["result"]) == (400, "declined")


def test_after_an_attempt_whose_answer_was_lost_too(mode):
    harness = Harness(mode, [raises(httpx.ReadTimeout), DECLINED], profile=TELLS)
    assert harness.call("GET").json()["result"] == "declined"


@pytest.mark.parametrize("body", [b'{"detail": "no"}', b"<html>", b"", b'{"result"'])
def test_every_other_body_is_an_error(mode, body):
    with pytest.raises(errors.BadRequest) as raised:
        Harness(mode, [Happens(400, body)], profile=TELLS).call("POST")
    assert raised.value.outcome is Outcome.REJECTED


def test_a_result_of_something_else_proves_nothing(mode):
    other = Happens(400, json.dumps({"id": "other", "result": "declined"}).encode())
    with pytest.raises(errors.UnreadableResponse, match="about another") as raised:
        Harness(mode, [other], profile=TELLS).call("POST")
    assert raised.value.outcome is Outcome.UNKNOWN


def test_a_body_that_may_repeat_a_secret_is_not_quoted(mode):
    quiet = replace(PROFILE, may_quote_body=lambda _answer: False)
    echo = Happens(400, b"cvv 123 is wrong")
    with pytest.raises(errors.BadRequest) as raised:
        Harness(mode, [echo], profile=quiet).call("POST")
    assert "123" not in str(raised.value)
    with pytest.raises(errors.BadRequest, match="cvv 123"):
        Harness(mode, [echo]).call("POST")


def test_one_that_was_damaged_on_the_way_may_have_been_a_result(mode):
    spoilt = Happens(400, b"no gzip", (("content-encoding", "gzip"),))
    for profile, outcome in ((TELLS, Outcome.UNKNOWN), (PROFILE, Outcome.REJECTED)):
        with pytest.raises(errors.BadRequest) as raised:
            Harness(mode, [spoilt], profile=profile).call("POST")
        assert raised.value.outcome is outcome
