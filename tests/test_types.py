"""What type checkers know of the public surface: the types of what is returned, and which arguments
are wrong.
"""

import json
import re
from pathlib import Path

import pytest

from tests.programs import python

pytestmark = pytest.mark.pull_request
ROOT = Path(__file__).resolve().parent.parent

CONNECT = """
from typing import assert_type

from velo_api import required
from velo_api.client import Client
from velo_api.models import WebhookEndpoint
from victor_ext import ApiClient, AsyncApiClient, BearerAuth, HeaderKey, connect, connect_async

bank = connect(Client, base_url='https://x.example', auth=BearerAuth('t'), key=HeaderKey())
assert_type(bank, ApiClient[Client])
assert_type(bank.api, Client)
assert_type(bank.with_key('k'), Client)
assert_type(bank.with_options(deadline=5).api, Client)
later = connect_async(Client, base_url='https://x.example', auth=lambda request: None)
assert_type(later, AsyncApiClient[Client])
assert_type(later.api, Client)


def names(bank: ApiClient[Client], webhook: WebhookEndpoint) -> tuple[str, list[str]]:
    assert_type(required(webhook.id, name="id"), str)
    return required(webhook.payor_id, name="payor_id"), required(webhook, "categories")
"""
OPTIONS = """
import httpx


blocking, awaited = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()
bounds = httpx.Timeout(5.0)
connect(Client, base_url=httpx.URL("https://x.example"), timeout=bounds)
connect(
    Client,
    base_url="https://x.example",
    transport=blocking,
    limits=httpx.Limits(),
    proxy=httpx.Proxy("http://"),
)
connect(
    Client,
    base_url="https://x.example",
    transport=httpx.MockTransport(lambda _: httpx.Response(200)),
)
connect(Client, base_url="https://x.example", transport=awaited)  # WORD
connect_async(Client, base_url="https://x.example", transport=awaited)
connect_async(Client, base_url="https://x.example", transport=blocking)  # WORD
connect(Client, base_url="https://x.example", timeout=httpx.Limits())  # WORD
connect(Client, base_url="https://x.example", limits=bounds)  # WORD
connect(Client, base_url="https://x.example", proxy=httpx.Client())  # WORD
connect(Client, base_url=BearerAuth("t"))  # WORD
"""
OUTBOX = """
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Session
from victor_ext.outbox import AsyncOutbox, Outbox, PaymentRequestArguments

asked: PaymentRequestArguments = {
    "payee_account_number": "043987673645",
    "payer_counterparty_id": "aHeq349838",
    "amount": "44.23",
    "biller_type": "BUSINESS",
    "due_date": "2026-03-04",
    "client_reference_id": "INV-1",
    "idempotency_key": "k" * 20,
}


async def add(
    now: Outbox, later: AsyncOutbox, session: Session, connection: AsyncConnection
) -> None:
    now.add(session, **asked)
    now.add(session, **asked, amuont="44.23")  # WRONG
    await later.add(connection, **asked)
    await later.add(connection, **asked, amuont="44.23")  # WRONG
"""
WORDS = """
import os
from datetime import date

from victor_ext import AsyncVictor, Status, Victor, Word
from victor_ext.providers import EastPay, FlexFactor, Velo

with Victor.from_env(deadline=5, environment="staging") as victor:
    victor.payment_requests.list(status="completed", direction="outbound", network_type="RTP")
    victor.payment_requests.list(status=Status.PENDING, direction=Word("sideways"))
    victor.payment_requests.list(status=Word("canceled"))
    victor.payment_requests.list(status="complete")  # WORD
    victor.payment_requests.list(direction="outbond")  # WORD
    victor.payment_requests.list(network_type="rtp")  # WORD
    victor.payment_requests.wait("id", until=["completed", Word("canceled")])
    victor.payment_requests.wait("id", until="complete")  # WORD
Victor.from_env(deadlin=5)  # WRONG
Victor.from_env(environment="stagging")  # WORD
Victor.from_env(environment=Word(os.environ["PLACE"]))
AsyncVictor.from_env(deadlin=5)  # WRONG
Victor.from_profile("staging", deadline=5)
Victor.from_profile("staging", deadlin=5)  # WRONG
Velo.from_env(environment="production", deadlin=5)  # WRONG
Velo.from_profile("velo", environment="prod")  # WORD
EastPay.from_env(entity_type="POS", inquiry_by_reference=True)
EastPay.from_env(entity_type="PO")  # WORD
EastPay.from_profile("bank", entity="EB000001")  # WRONG
FlexFactor.from_env(hosts="flexfactor", mid="m")
FlexFactor.from_env(hosts="flex")  # WORD
FlexFactor.from_profile("flex", deadlin=5)  # WRONG


def create(victor: Victor) -> None:
    victor.payment_requests.create(
        payee_account_number="1",
        payer_counterparty_id="a",
        amount="1",
        due_date=date.today(),
        biller_type="BUSINESS",
    )
"""

MISTAKES = """
from datetime import date, datetime

import victor_ext
from sqlalchemy.orm import Session
from velo_api.client import Client
from velo_api.models import Payuot  # attr-defined, reportAttributeAccessIssue
from victor_ext import Victr  # attr-defined, reportAttributeAccessIssue
from victor_ext import AsyncVictor, Victor, VictorJwt, VictorOAuth, connect, idempotency_key_for
from victor_ext.errors import Conflit  # attr-defined, reportAttributeAccessIssue
from victor_ext.outbox import Outbox
from victor_ext.providers import Velos  # attr-defined, reportAttributeAccessIssue

victor_ext.nonsense  # attr-defined, reportAttributeAccessIssue
connect(Client, base_url="https://x.example", dealine=5)  # call-arg, reportCallIssue
Victor("key")  # arg-type, reportArgumentType
Victor(VictorOAuth("id"))  # call-arg, reportCallIssue
Victor(VictorJwt("k", "p"), timeout="20")  # arg-type, reportArgumentType
idempotency_key_for("invoice", 1.5)  # arg-type, reportArgumentType


def program(victor: Victor, outbox: Outbox, session: Session) -> None:
    requests = victor.payment_requests
    requests.fetch("id")  # attr-defined, reportAttributeAccessIssue
    requests.get(42)  # arg-type, reportArgumentType
    requests.get("id").amout  # attr-defined, reportAttributeAccessIssue
    requests.get("id").status = "pending"  # misc, reportAttributeAccessIssue
    requests.list()[0]  # index, reportIndexIssue
    requests.list(start_datetime=date(2026, 1, 1))  # arg-type, reportArgumentType
    requests.list(
        start_datetime=datetime(2026, 1, 1)
    )  # no type tells a naive time: InvalidRequest does
    requests.accept("id")  # call-arg, reportCallIssue
    requests.create("1")  # call-arg, reportCallIssue
    requests.create(
        payer_counterparty_id="a",
        due_date=date.today(),
        ultimate_creditor=None,
        payee_account_number=43987673645,  # arg-type, reportArgumentType
        amount=44.23,  # arg-type, reportArgumentType
        biller_type="BUSINES",  # arg-type, reportArgumentType
    )
    outbox.add(session, notes="without the key and the rest")  # call-arg, reportCallIssue


async def awaited(victor: AsyncVictor) -> None:
    victor.payment_requests.accept("id", notes="Thanks.")  # unused-coroutine, reportUnusedCoroutine
    victor.payment_requests.get("id").status  # attr-defined, reportAttributeAccessIssue
    for _ in victor.payment_requests.list():  # attr-defined, reportGeneralTypeIssues
        pass
    with AsyncVictor.from_env():  # attr-defined, reportGeneralTypeIssues
        pass
"""
"""Each mistake is followed by what mypy --strict says of it, and what pyright says."""
ON_PAGE = re.search(
    r"(?s)```python\n(class Both.*?)```", (ROOT / "docs" / "observability.md").read_text("utf-8")
)[1]
LISTENER = f"""
from victor_ext import Event, Victor, VictorJwt
from victor_ext.otel import OpenTelemetry

auth = VictorJwt("k", "p")


def watch(event: Event) -> None: ...


{ON_PAGE}
"""


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_accept_a_right_program_and_find_each_wrong_line(tmp_path, checker):
    """One run for all of it.

    A wrong line without an error is an ignored error too many, which is an error.
    """
    ignored, words = {
        "mypy": ("# type: ignore[call-arg]", "# type: ignore[arg-type]"),
        "pyright": ("# pyright: ignore[reportCallIssue]", "# pyright: ignore[reportArgumentType]"),
    }[checker]
    program = (
        (CONNECT + OPTIONS + OUTBOX + WORDS).replace("# WRONG", ignored).replace("# WORD", words)
    )
    for name, text in {"program": program, "listener": LISTENER, "mistakes": MISTAKES}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.mypy]\nmypy_path = "{ROOT}:{ROOT}/generated"\ncache_dir = "{ROOT}/.mypy_cache"\n'
        "strict = true\n"
        f'[tool.pyright]\ntypeCheckingMode = "strict"\nextraPaths = ["{ROOT}", '
        f'"{ROOT}/generated"]\n'
        f'reportUnnecessaryTypeIgnoreComment = true\nvenvPath = "{ROOT}"\nvenv = ".venv"\n'
        # What only follows from a mistake.
        + "".join(
            f"reportUn{what} = false\n"
            for what in ("knownMemberType", "knownVariableType", "usedExpression")
        )
    )
    arguments = (
        ["--output=json", "--config-file=pyproject.toml", "."]
        if checker == "mypy"
        else ["--outputjson"]
    )
    ran = python("-m", checker, *arguments, cwd=tmp_path, timeout=None)
    expected = {
        ("mistakes", number, said[checker])
        for number, line in enumerate(MISTAKES.splitlines(), 1)
        if (said := re.search(r"  # (?P<mypy>[\w-]+), (?P<pyright>report\w+)$", line))
    }
    assert len(expected) >= 25
    assert set(errors(checker, ran.stdout)) == expected, ran.stderr


def errors(checker, output):
    """The file, line and code of each error."""
    if checker == "mypy":
        for each in map(json.loads, output.splitlines()):
            if each["severity"] == "error":
                yield Path(each["file"]).stem, each["line"], each["code"]
    else:
        for each in json.loads(output)["generalDiagnostics"]:
            if not (each["rule"] == "reportUnusedImport" and each["file"].endswith("mistakes.py")):
                yield Path(each["file"]).stem, each["range"]["start"]["line"] + 1, each["rule"]
