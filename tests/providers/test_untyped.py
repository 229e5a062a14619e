"""A filter or a member of a newer document whose type no check knows is no argument, and
`extra_query` or `extra_body` sends it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from victor_spec.command_line import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PLANTED: dict[str, list[list[str]]] = cases_beside(__file__, "untyped")
BEGIN = """
import asyncio, datetime, json
from urllib.parse import parse_qs
import httpx
from victor_ext import InvalidRequest
from victor_ext.money import Money

LEGS = [{"amount": 7}]
seen = []

def answer(request):
    if request.url.path.endswith(("/auth/token", "/authenticate")):
        token = {"access_token": "t", "token_type": "Bearer", "expires": 4_000_000_000_000}
        return httpx.Response(200, json={**token, "expires_in": 60})
    seen.append(json.loads(request.content or "null") or parse_qs(request.url.query.decode()))
    return respond(request)

TRANSPORT = httpx.MockTransport(answer)
"""
PROGRAMS = {
    "victor": """
from victor_ext import AsyncVictor, Victor, VictorOAuth

CLIENTS = [kind(VictorOAuth("id", "secret"), transport=TRANSPORT) for kind in (Victor, AsyncVictor)]

def respond(request):
    receipt = {"victor_payment_request_id": "r-1", "status": "created", "direction": "outbound"}
    if request.url.path.endswith("/r-1"):
        return httpx.Response(200, json=receipt)
    if request.method == "GET":
        return httpx.Response(200, json={"page": int(seen[-1]["page"][0]), "results": []})
    return httpx.Response(200, json={**receipt, "payment_request": seen[-1]})

def create(victor, **extra):
    return victor.payment_requests.create(
        payee_account_number="043987673645", payer_counterparty_id="p", amount="44.23",
        biller_type="BUSINESS", due_date=datetime.date.today(), **extra,
    )

def with_legs(victor, **members):
    return victor.with_options(extra_body={"payment_details": {"legs": LEGS, **members}})

CALLS = {
    "list": lambda victor: victor.payment_requests.list(extra_query={"since": "x"}),
    "list by option": lambda victor: (
        victor.with_options(extra_query={"moments": ["a", "b"]}).payment_requests.list()
    ),
    "known filter": lambda victor: victor.payment_requests.list(extra_query={"status": "x"}),
    "known filter by option": lambda victor: (
        victor.with_options(extra_query={"Status": "x"}).payment_requests.list()
    ),
    "wait by option": lambda victor: victor.with_options(
        extra_query={"since": "x"}
    ).payment_requests.wait("r-1", until="created", timeout=0),
    "create": lambda victor: create(victor, extra_body={"payment_details": {"legs": LEGS}}),
    "create by option": lambda victor: create(with_legs(victor)),
    "money": lambda victor: create(victor, extra_body={"payment_details": {"amount": "9"}}),
    "money by option": lambda victor: create(with_legs(victor, Amount="9")),
}
""",
    "velo": """
from victor_ext.providers.velo import AsyncVelo, Challenge, PaymentInstruction, Velo, VeloAuth

CLIENTS = [kind(VeloAuth("key", "secret"), transport=TRANSPORT) for kind in (Velo, AsyncVelo)]
PAYEE = "5e3a7a5d-0f57-4b3c-9a1e-0d6f1b8a4c11"

def respond(request):
    page = {"content": [], "page": {"totalPages": 0, "totalElements": 0}}
    return httpx.Response(200, json=page) if request.method == "GET" else httpx.Response(204)

def update(velo, **members):
    challenge = Challenge(value="1042", description="Which number?")
    return velo.with_options(extra_body=members).payees.update(PAYEE, challenge=challenge)

def submit(velo, **members):
    payment = PaymentInstruction(
        remote_id="r-1", source_account_name="main", amount=Money.of("1.00", "USD"),
        payor_payment_id="INV-1",
    )
    return velo.with_options(extra_body=members).payouts.submit([payment])

def listed(velo, **filters):
    return velo.with_options(extra_query=filters).payouts.list(PAYEE)

CALLS = {
    "list by option": lambda velo: listed(velo, since="x"),
    "known filter by option": lambda velo: listed(velo, payoutMemo="x"),
    "page by option": lambda velo: listed(velo, page=2),
    "update by option": lambda velo: update(velo, legs=LEGS),
    "part by option": lambda velo: update(velo, challenge={"hint": {"text": "a"}}),
    "known member by option": lambda velo: update(velo, email="a@example.com"),
    "known in part by option": lambda velo: update(velo, challenge={"value": "1"}),
    "money by option": lambda velo: submit(velo, payments=[{"amount": 1}]),
}
""",
    "flexfactor": """
from victor_ext.providers.flexfactor import (
    AsyncFlexFactor, Card, FlexFactor, FlexFactorToken, Payer, Transaction,
)

MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
CLIENTS = [
    kind(FlexFactorToken("t"), mid=MID, transport=TRANSPORT)
    for kind in (FlexFactor, AsyncFlexFactor)
]

def respond(request):
    if request.method == "GET":
        return httpx.Response(200, json={"items": [], "isLastPage": True})
    if request.url.path.endswith("/transmit"):
        return httpx.Response(200, json={"success": True})
    return httpx.Response(200, json={"status": "DECLINED", "orderId": "o-1"})

def ask(method, **more):
    at = datetime.datetime(2026, 3, 4, tzinfo=datetime.timezone.utc)
    return method(
        order_id="INV-1", amount=Money.of("92.00", "USD"),
        transaction=Transaction(id="t-1", occurred_at=at, response_code="05"),
        payer=Payer(email="ada@example.com"),
        card=Card(token="tok_4242", expiration_month=4, expiration_year=2031), **more,
    )

def evaluate(flexfactor, **members):
    return ask(flexfactor.evaluate, extra_body=members)

def with_members(flexfactor, **members):
    return flexfactor.with_options(extra_body=members)

CALLS = {
    "list by option": lambda flexfactor: (
        flexfactor.with_options(extra_query={"since": 7}).orders.list()
    ),
    "known filter by option": lambda flexfactor: (
        flexfactor.with_options(extra_query={"from": "x"}).orders.list()
    ),
    "evaluate": lambda flexfactor: evaluate(flexfactor, legs=LEGS),
    "evaluate by option": lambda flexfactor: ask(with_members(flexfactor, legs=LEGS).evaluate),
    "part": lambda flexfactor: evaluate(flexfactor, paymentMethod={"networks": LEGS}),
    "transmit by option": lambda flexfactor: ask(
        with_members(flexfactor, paymentMethod={"networks": LEGS}).transmit, declined=True
    ),
    "money": lambda flexfactor: evaluate(flexfactor, legs=LEGS, transaction={"amount": 1}),
    "money by option": lambda flexfactor: ask(
        with_members(flexfactor, transaction={"Currency": "EUR"}).evaluate
    ),
    "key": lambda flexfactor: evaluate(flexfactor, idempotencyKey="k"),
    "by hand, not set": lambda flexfactor: evaluate(flexfactor, siteId="s", orderItems=[]),
    "known, not set": lambda flexfactor: evaluate(flexfactor, senseKey="s"),
}
""",
}
END = """
def outcome(call):
    seen.clear()
    try:
        call()
    except InvalidRequest as error:
        assert not seen
        return [each.field for each in error.problems]
    return seen[-1]

def block(result):
    return list(result) if hasattr(result, "__iter__") else result

async def wait(result):
    return [item async for item in result] if hasattr(result, "__aiter__") else await result

blocking, awaited = CLIENTS
print(json.dumps([
    {name: outcome(lambda: block(call(blocking))) for name, call in CALLS.items()},
    {name: outcome(lambda: asyncio.run(wait(call(awaited)))) for name, call in CALLS.items()},
]))
"""
LEGS = [{"amount": 7}]
EXPECTED: dict[str, dict[str, Any]] = {
    "victor": {
        "list": {"since": ["x"]},
        "list by option": {"moments": ["a", "b"]},
        "known filter": ["extra_query.status"],
        "known filter by option": ["extra_query.Status"],
        "wait by option": {"since": ["x"]},
        "create": {"payment_details": {"legs": LEGS}},
        "create by option": {"payment_details": {"legs": LEGS}},
        "money": ["extra_body.payment_details.amount"],
        "money by option": ["extra_body.payment_details.Amount"],
    },
    "velo": {
        "list by option": {"since": ["x"]},
        "known filter by option": ["extra_query.payoutMemo"],
        "page by option": ["extra_query.page"],
        "update by option": {"legs": LEGS},
        "part by option": {"challenge": {"value": "1042", "hint": {"text": "a"}}},
        "known member by option": ["extra_body.email"],
        "known in part by option": ["extra_body.challenge.value"],
        "money by option": ["extra_body.payments"],
    },
    "flexfactor": {
        "list by option": {"since": ["7"]},
        "known filter by option": ["extra_query.from"],
        "evaluate": {"legs": LEGS},
        "evaluate by option": {"legs": LEGS},
        "part": {"paymentMethod": {"cardNumber": "tok_4242", "networks": LEGS}},
        "transmit by option": {"paymentMethod": {"cardNumber": "tok_4242", "networks": LEGS}},
        "money": ["extra_body.transaction.amount"],
        "money by option": ["extra_body.transaction.Currency"],
        "key": ["extra_body.idempotencyKey"],
        "by hand, not set": ["extra_body.siteId", "extra_body.orderItems"],
        "known, not set": ["extra_body.senseKey"],
    },
}
"""What is in the last request of each call, or else the fields that are refused before one."""


@pytest.mark.parametrize("system", EXPECTED)
def test_what_no_check_knows_is_sent_by_its_name_and_nothing_else_is(
    system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (ROOT / "openapi").glob(f"{system}.*"):
        shutil.copy(path, tmp_path)
    document = (tmp_path / f"{system}.yaml").read_text(encoding="utf-8")
    for old, new, _ in PLANTED[system]:
        assert document.count(old) == 1
        document = document.replace(old, new)
    (tmp_path / "newer.yaml").write_text(document, encoding="utf-8")
    names = [str(tmp_path / name) for name in (f"{system}.yaml", "newer.yaml")]
    assert main(["update", *names, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for *_, line in PLANTED[system] if f"  {line}" not in said] == []
    for outcomes in run(BEGIN + PROGRAMS[system] + END, tmp_path):
        assert outcomes.keys() == EXPECTED[system].keys()
        for name, expected in EXPECTED[system].items():
            found = outcomes[name]
            assert (found if isinstance(expected, list) else parts_of(found, expected)) == expected


def run(program: str, folder: Path) -> Any:
    """What a program prints that uses the package in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def parts_of(found: Any, expected: Any) -> Any:
    """What an object has at the places of another one."""
    if not isinstance(found, dict) or not isinstance(expected, dict):
        return found
    return {name: parts_of(found.get(name), inner) for name, inner in expected.items()}
