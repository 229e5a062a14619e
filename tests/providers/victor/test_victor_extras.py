"""What this package does not know yet is sent by its name on the wire: `extra_body` and
`extra_query` of Victor.

And docs/victor.md is true: its document makes a package, its calls run, and its errors are those
that it quotes.
"""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.providers.running import QUICK, Script
from tests.providers.victor.adapter import ARGUMENTS, Harness, payment
from victor_ext import (
    Conflict,
    InvalidRequest,
    Victor,
    check_payment_request,
)
from victor_ext.providers.victor import creating
from victor_spec.generate import generate

from .test_victor_client import GOOD, create

EXTRA = {
    "payment_details": {"purpose": "RENT", "surcharge": Decimal("0.10")},
    "memo_lines": ["a", None],
}


def respond(word: str, **arguments) -> Callable[[Any], Any]:
    return lambda victor: getattr(victor.payment_requests, word)("in-1", notes="yes", **arguments)


def test_what_was_added_is_not_compared_when_an_answer_is_read_back(run):
    said = {
        "payment_details": {"amount": "44.23"},
        "payment_request_response": {"status": "Accepted", "notes": "yes"},
    }
    read = {
        "victor_payment_request_id": "in-1",
        "direction": "inbound",
        "status": "accepted",
        "payment_request": said,
    }
    provider = Script(httpx.ReadError("cut"), httpx.Response(200, json=read))
    result = run(provider, respond("accept", extra_body={"reason_code": "AC04"}))
    assert (result.id, [each.method for each in provider.requests]) == ("in-1", ["POST", "GET"])
    assert "reason_code" not in str(provider.requests[1].url)


@pytest.mark.parametrize(("place", "argument"), creating.ARGUMENTS.items())
def test_a_member_with_an_argument_is_refused_by_the_arguments_name(run, place, argument):
    """The checks of the arguments still run, in one error."""
    provider, extra = (
        Script(GOOD),
        reduce(lambda inner, name: {name: inner}, place.split(".")[::-1], "9"),
    )
    with pytest.raises(InvalidRequest) as raised:
        run(provider, lambda victor: create(victor, amount=1.5, extra_body=extra))
    own, added = raised.value.problems
    assert (own.field, added.field) == ("amount", f"extra_body.{place}")
    assert added.message.endswith(f"use the argument {argument}.")
    with pytest.raises(InvalidRequest, match=f"use the argument {argument}"):
        run(provider, lambda victor: create(victor.with_options(extra_body=extra)))
    assert not provider.requests


def test_a_check_without_a_call_knows_them():
    with pytest.raises(
        InvalidRequest, match=r"extra_body\.payer: |extra_body\.payer is set already"
    ):
        check_payment_request(**payment(extra_body={"payer": "x"}))


def test_the_sandbox_takes_what_its_document_allows_and_a_key_covers_it(victor_sandbox):
    harness, key = Harness(victor_sandbox, awaited=False), "k" * 20

    def make(**extra):
        return harness(lambda victor: create(victor, idempotency_key=key, extra_body=extra))

    assert make(**EXTRA).id == make(**EXTRA).id
    with pytest.raises(Conflict):
        make(memo_lines=[])
    assert victor_sandbox.work_done_by_key() == {key: 1}


ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "victor.md").read_text(encoding="utf-8")
FRAGMENT, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
*_, ELIGIBILITY, EXTRAS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HOST = "https://api.stage.victorfi.com"


def test_the_sentences_with_two_readings_are_the_documents():
    document = " ".join((ROOT / "openapi" / "victor.yaml").read_text(encoding="utf-8").split())
    table = PAGE.partition("## Two readings")[2].partition("\n## ")[0]
    quoted = [sentence.rstrip(".") for sentence in re.findall(r'"([^"]{12,})"', table)]
    assert len(quoted) == 4
    assert [sentence for sentence in quoted if sentence not in document] == []


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("user")
    document = folder / "victor_banking.yaml"
    document.write_text(FRAGMENT, encoding="utf-8")
    generate(document, folder / "clients")
    sys.path.insert(0, str(folder / "clients"))
    importlib.invalidate_caches()
    yield "victor_banking_api"
    sys.path.remove(str(folder / "clients"))


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("answer", "bank"),
    [
        (httpx.Response(200, json={"rtp": {"receives": True}}), {"rtp": {"receives": True}}),
        (httpx.Response(404), None),
    ],
)
@pytest.mark.slow
def test_an_operation_without_a_document_is_called_by_a_few_lines_of_one(answer, bank):
    script, names = Script(httpx.ReadError("cut"), answer), dict[str, Any]()
    with Victor(**ARGUMENTS, transport=script.transport, retry=QUICK) as names["victor"]:
        exec(ELIGIBILITY, names)
    assert names["bank"] == bank
    sent = [(each.method, str(each.url), each.headers["authorization"]) for each in script.requests]
    assert (
        sent == [("GET", f"{HOST}/v2/banks/instant-payment-eligibility/011401533", "Bearer t")] * 2
    )
