"""What this package does not know yet is sent by its name on the wire: `extra_body` and
`extra_query` of Victor.

And docs/victor.md is true: its document makes a package, its calls run, and its errors are those
that it quotes.
"""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.providers.running import QUICK, Script
from tests.providers.victor.adapter import ARGUMENTS, payment
from victor_ext import (
    BadRequest,
    Conflict,
    InvalidRequest,
    Victor,
    VictorError,
    VictorOAuth,
    check_payment_request,
)
from victor_ext.providers.victor import creating
from victor_ext.providers.victor.payment_requests import PaymentRequests
from victor_ext.providers.victor.responding import RESPONSE_ARGUMENTS
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.engine import table_provider
from victor_ext.sandbox.server import document
from victor_ext.sandbox.victor import state
from victor_spec.generate import generate

from .test_victor_client import Provider, create

EXTRA = {
    "payment_details": {"purpose": "RENT", "surcharge": Decimal("0.10")},
    "memo_lines": ["a", None],
}
AMOUNTS = {"original_amount": "44.23", "modified_amount": "44.23"}
ANSWERED = {"victor_payment_request_id": "in-1", "status": "Accepted", "notes": "yes", **AMOUNTS}


def respond(word: str, **arguments: Any) -> Callable[[Any], Any]:
    return lambda victor: getattr(victor.payment_requests, word)("in-1", notes="yes", **arguments)


@pytest.mark.parametrize("word", ["accept", "decline"])
def test_an_answer_sends_them_too(run: Any, word: str) -> None:
    provider = Provider(
        httpx.Response(
            200, json={**ANSWERED, "status": {"accept": "Accepted"}.get(word, "Rejected")}
        )
    )
    try:
        run(provider, respond(word, extra_body={"reason_code": "AC04"}))
    except VictorError:
        # the word of the answer is another; what was sent is what counts here
        assert word == "decline"
    assert json.loads(provider.requests[0].content) == {
        "reason_code": "AC04",
        "notes": "yes",
        "status": {"accept": "Accepted", "decline": "Declined"}[word],
    }


def test_what_was_added_is_not_compared_when_an_answer_is_read_back(run: Any) -> None:
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
    provider = Provider(httpx.ReadError("cut"), httpx.Response(200, json=read))
    result = run(provider, respond("accept", extra_body={"reason_code": "AC04"}))
    assert (result.id, [each.method for each in provider.requests]) == ("in-1", ["POST", "GET"])
    assert "reason_code" not in str(provider.requests[1].url)


@pytest.mark.parametrize("by_options", [False, True])
@pytest.mark.parametrize(("place", "argument"), creating.ARGUMENTS.items())
def test_a_member_with_an_argument_is_refused_by_the_arguments_name(
    run: Any, place: str, argument: str, by_options: bool
) -> None:
    provider = Provider()
    *outer, last = place.split(".")
    extra: dict[str, Any] = {last: "99"}
    for name in reversed(outer):
        extra = {name: extra}
    changed: dict[str, Any] = {} if by_options else {"amount": 1.5, "extra_body": extra}
    options = {"extra_body": extra} if by_options else {}
    with pytest.raises(InvalidRequest) as raised:
        run(provider, lambda victor: create(victor.with_options(**options), **changed))
    own, [added] = raised.value.problems[:-1], raised.value.problems[-1:]
    assert [each.field for each in own] == [*changed][:1], (
        "the checks of the arguments still run, in one error"
    )
    assert (added.field, added.message.endswith(f"use the argument {argument}.")) == (
        f"extra_body.{place}",
        True,
    )
    assert argument in inspect.signature(PaymentRequests.create).parameters
    assert not provider.requests


@pytest.mark.parametrize("name", RESPONSE_ARGUMENTS)
def test_a_member_of_an_answer_is_the_methods_own(run: Any, name: str) -> None:
    provider = Provider()
    with pytest.raises(InvalidRequest, match=f"extra_body.{name} is set already by this method"):
        run(provider, respond("decline", extra_body={name: "1.00"}))
    with pytest.raises(InvalidRequest, match=f"use the argument {RESPONSE_ARGUMENTS[name]}"):
        run(
            provider,
            lambda victor: respond("accept")(victor.with_options(extra_body={name: "1.00"})),
        )
    assert not provider.requests


def test_a_check_without_a_call_knows_them() -> None:
    with pytest.raises(
        InvalidRequest, match=r"extra_body\.payer: |extra_body\.payer is set already"
    ):
        check_payment_request(**payment(extra_body={"payer": "x"}))


@pytest.mark.parametrize("method", ["list", "find"])
def test_every_page_of_every_reading_carries_them(run: Any, method: str) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        items = [{"victor_payment_request_id": "ab"[number]}] if number < 2 else []
        return httpx.Response(200, json={"page": number, "results": items})

    provider, names = Provider(page), ("INV-1042",) if method == "find" else ()
    since = datetime(2026, 3, 4, tzinfo=UTC)
    extra: dict[str, Any] = {"purpose": "RENT & food", "rail": ["a", "b"]}
    result = run(
        provider,
        lambda victor: getattr(victor.payment_requests, method)(
            *names, start_datetime=since, extra_query=extra
        ),
    )
    assert [each.url.params["page"] for each in provider.requests] == ["0", "1", "2"] * 2, (
        "read twice: see `list`"
    )
    for each in provider.requests:
        query = each.url.query.decode()
        assert query.endswith("&purpose=RENT%20%26%20food&rail=a&rail=b")
        assert "start_datetime=2026-03-0" in query
    assert [each.id for each in result] == ([] if method == "find" else ["a", "b"])


def test_a_filter_with_an_argument_is_refused_when_list_is_called(run: Any) -> None:
    provider = Provider()
    with pytest.raises(InvalidRequest) as raised:
        run(
            provider,
            lambda victor: victor.payment_requests.list(
                page=-1, extra_query={"Status": "x", "page": 1}
            ),
        )
    assert [each.field for each in raised.value.problems] == [
        "page",
        "extra_query.Status",
        "extra_query.page",
    ]
    assert "use its argument status" in str(raised.value)
    assert not provider.requests


def test_the_sandbox_takes_what_its_document_allows_and_a_key_covers_it() -> None:
    with (
        Sandbox() as sandbox,
        Victor(VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url) as victor,
    ):
        made = create(victor, idempotency_key="k" * 20, extra_body=EXTRA)
        again = create(victor, idempotency_key="k" * 20, extra_body=EXTRA)
        assert again.id == made.id
        with pytest.raises(Conflict):
            create(victor, idempotency_key="k" * 20, extra_body={"memo_lines": []})
        [result] = victor.payment_requests.list(victor_id=made.id, extra_query={"purpose": "RENT"})
        assert result.id == made.id
        assert sandbox.work_done_by_key() == {"k" * 20: 1}


def test_the_sandbox_refuses_what_its_document_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = yaml.safe_load(document.document_path("victor.yaml").read_text(encoding="utf-8"))
    schemas = closed["components"]["schemas"]
    schemas["RfpBasePaymentDetails"]["additionalProperties"] = False
    schemas["ListPaymentRequests"]["additionalProperties"] = False
    for module in (table_provider, state):
        monkeypatch.setattr(module, "load_document", lambda _name: document.Document(closed))
    with (
        Sandbox() as sandbox,
        Victor(VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url) as victor,
    ):
        with pytest.raises(BadRequest):
            create(victor, extra_body=EXTRA)
        with pytest.raises(BadRequest):
            next(iter(victor.payment_requests.list(extra_query={"purpose": "RENT"})))
        create(victor, extra_body={"memo_lines": []})


ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "victor.md").read_text(encoding="utf-8")
FRAGMENT, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
*_, ELIGIBILITY, EXTRAS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HOST = "https://api.stage.victorfi.com"


def test_the_sentences_with_two_readings_are_the_documents() -> None:
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
def test_an_operation_without_a_document_is_called_by_a_few_lines_of_one(
    answer: httpx.Response, bank: Any
) -> None:
    script, names = Script(httpx.ReadError("cut"), answer), dict[str, Any]()
    with Victor(**ARGUMENTS, transport=script.transport, retry=QUICK) as names["victor"]:
        exec(ELIGIBILITY, names)
    assert names["bank"] == bank
    sent = [(each.method, str(each.url), each.headers["authorization"]) for each in script.requests]
    assert (
        sent == [("GET", f"{HOST}/v2/banks/instant-payment-eligibility/011401533", "Bearer t")] * 2
    )
