"""A newer document brings Victor's callers its filters, words and fields, with no line written by
hand.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from victor_spec.command_line import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
NEWS = {
    # a text with its limit, and a text with words
    "        due_date_start_date:\n": (
        "        purpose: {type: string, maxLength: 35, description: What it is paid for}\n"
        "        channel: {type: string, enum: [web, branch]}\n"
        "        due_date_start_date:\n"
    ),
    # fields of a request, of a part of it, and of a part of the part
    "        payment_network:\n": (
        "        purpose: {type: string, description: What it is paid for}\n"
        "        network: {type: string}\n"
        "        payment_network:\n"
    ),
    "    PaymentRequestReceiptInfo:\n      properties:\n": (
        "    Fee:\n      type: object\n"
        "      properties: {name: {type: string}, rate: {type: number}}\n"
        "    PaymentRequestReceiptInfo:\n      properties:\n"
        "        fees: {type: array, items: {$ref: '#/components/schemas/Fee'}}\n"
    ),
    "        original_amount:\n          description: The original payment request amount.\n"
    "          type: string\n        approval_notes:\n": (
        "        attempts: {type: integer}\n"
        "        original_amount:\n          description: The original payment request amount.\n"
        "          type: string\n        approval_notes:\n"
    ),
    # a member of the body of create
    "          default: false\n        notes:\n": (
        "          default: false\n"
        "        memo: {type: string, maxLength: 35, description: For the statement}\n"
        "        reminders: {type: integer, default: 3}\n"
        "        urgency: {type: string, enum: [LOW, HIGH], default: LOW}\n"
        "        partial: {type: boolean, default: true}\n"
        "        fee: {type: number, default: 0}\n"
        "        expires_at: {type: string, format: date-time}\n"
        "        tags: {type: array, items: {type: string}}\n"
        "        notes:\n"
    ),
    "      description: Details of a new request for payment (RfP).\n      properties:\n": (
        "      description: Details of a new request for payment (RfP).\n      properties:\n"
        "        topic: {type: string, maxLength: 35}\n"
        "        status: {type: string}\n"
        "        self: {type: string}\n"
    ),
    # a word of the status
    "          - needs-review\n        direction:\n": (
        "          - needs-review\n          - canceled\n        direction:\n"
    ),
}
PROGRAM = """
import inspect, json
import httpx
from victor_ext import InvalidRequest, Victor, VictorOAuth

sent = []
listed = []

def answer(request):
    if request.url.path.endswith("/auth/token"):
        token = {"access_token": "t", "token_type": "Bearer", "expires": 4_000_000_000_000}
        return httpx.Response(200, json=token)
    if request.url.path.endswith("/r-1"):
        canceled = {"victor_payment_request_id": "r-1", "direction": "outbound"}
        return httpx.Response(200, json={**canceled, "status": "canceled"})
    sent.append(dict(request.url.params))
    number = int(request.url.params["page"])
    request = {"victor_payment_request_id": "r-1", "direction": "inbound", "purpose": "RENT"}
    request |= {"network": "own", "payment_network": "RTP"}
    details = {"attempts": 3, "due_date": "2026-03-04"}
    fees = [{"name": "rails", "rate": 0.25}]
    request["payment_request"] = {"fees": fees, "payment_details": details}
    return httpx.Response(200, json={"page": number, "results": [request][number:]})

def times_read(**filters):
    sent.clear()
    (read,) = requests.list(**filters)
    listed.append(read)
    return sum(one["page"] == "0" for one in sent)

def problem(**filters):
    try:
        victor.payment_requests.list(**filters)
    except InvalidRequest as error:
        return error.problems[0].message

def waited_for(status):
    try:
        return requests.wait("r-1", until=status, timeout=0).status
    except InvalidRequest as error:
        return error.message

with Victor(VictorOAuth("id", "secret"), transport=httpx.MockTransport(answer)) as victor:
    requests = victor.payment_requests
    times_read(purpose="RENT", channel="web", status="canceled")
    print(json.dumps({
        "sent": sent[0],
        "times read": [times_read(purpose="RENT"), times_read(direction="inbound")],
        "refused": [problem(purpose="x" * 36), problem(channel="phone")],
        "read": [listed[0].purpose, str(listed[0].fees[0].rate), listed[0].attempts],
        "row": listed[0].to_dict(),
        "repr": repr(listed[0]),
        "waited for": waited_for("canceled"),
        "signature": str(inspect.signature(requests.list)),
        "help": inspect.getdoc(requests.list),
    }))
"""


CREATE = """
import datetime, inspect, json
import httpx
from victor_ext import Conflict, InvalidRequest, PaymentRequestArguments, Victor, VictorOAuth
from victor_ext.bulk.payment_requests import PaymentRequests

sent = []

def answer(request):
    if request.url.path.endswith("/auth/token"):
        token = {"access_token": "t", "token_type": "Bearer", "expires": 4_000_000_000_000}
        return httpx.Response(200, json=token)
    body = json.loads(request.content)
    sent.append(body["payment_details"]["memo"])
    said = "GAS" if body["client_reference_id"] == "other" else sent[-1]
    repeated = {**body, "payment_details": {**body["payment_details"], "memo": said}}
    receipt = {"victor_payment_request_id": "r-1", "payment_request": repeated}
    return httpx.Response(200, json={**receipt, "status": "created", "direction": "outbound"})

def outcome(memo, reference="INV-1"):
    try:
        return victor.payment_requests.create(
            payee_account_number="043987673645", payer_counterparty_id="p", amount="44.23",
            biller_type="BUSINESS", due_date=datetime.date.today(), client_reference_id=reference,
            memo=memo,
        ).id
    except InvalidRequest as error:
        return error.problems[0].message
    except Conflict as error:
        return error.message

with Victor(VictorOAuth("id", "secret"), transport=httpx.MockTransport(answer)) as victor:
    print(json.dumps({
        "made": outcome("RENT"),
        "refused": outcome("x" * 36),
        "blank": outcome(" "),
        "of another": outcome("RENT", "other"),
        "sent": sent,
        "column": "memo" in PaymentRequests.columns,
        "stored": "memo" in PaymentRequestArguments.__annotations__,
        "help": inspect.getdoc(victor.payment_requests.create),
    }))
"""


ANSWERS = cases_beside(__file__)["answers_about_new_members"]
COMPARED = """
import datetime, json, sys
import httpx
from victor_ext import Victor, VictorError, VictorOAuth

def answer(request):
    if request.url.path.endswith("/auth/token"):
        token = {"access_token": "t", "token_type": "Bearer", "expires": 4_000_000_000_000}
        return httpx.Response(200, json=token)
    if request.method == "POST":
        bodies.append(json.loads(request.content))
    body = bodies[-1]
    details = {**body["payment_details"], **said.get("details", {})}
    whole = {**body, "payment_details": details, **said.get("request", {})}
    receipt = {"victor_payment_request_id": "r-1", "payment_request": whole}
    receipt |= {"client_reference_id": "INV-1", "status": "created", "direction": "outbound"}
    return httpx.Response(200, json={**receipt, **said.get("top", {})})

bodies = []
outcomes = []
with Victor(VictorOAuth("id", "secret"), transport=httpx.MockTransport(answer)) as victor:
    for arguments, said, _ in json.load(sys.stdin):
        if "expires_at" in arguments:
            arguments["expires_at"] = datetime.datetime.fromisoformat(arguments["expires_at"])
        try:
            victor.payment_requests.create(
                payee_account_number="043987673645", payer_counterparty_id="p", amount="44.23",
                biller_type="BUSINESS", due_date=datetime.date.today(),
                client_reference_id="INV-1", **arguments,
            )
            outcomes.append("made")
        except VictorError as error:
            outcomes.append(f"{type(error).__name__}: {error.message}")
print(json.dumps(outcomes))
"""


LOOSER = {
    "      - payee\n      - payer\n": "      - payee\n",
    "      - amount\n      - biller_type\n      - due_date\n    RfpInbound": (
        "      - amount\n    RfpInbound"
    ),
}
LEFT_OUT = """
import json
import httpx
from victor_ext import Victor, VictorOAuth

def answer(request):
    if request.url.path.endswith("/auth/token"):
        token = {"access_token": "t", "token_type": "Bearer", "expires": 4_000_000_000_000}
        return httpx.Response(200, json=token)
    receipt = {"victor_payment_request_id": "r-1", "payment_request": json.loads(request.content)}
    receipt |= {"client_reference_id": "INV-1", "status": "created", "direction": "outbound"}
    return httpx.Response(200, json=receipt)

account = {"payee_account_number": "043987673645"}
with Victor(VictorOAuth("id", "secret"), transport=httpx.MockTransport(answer)) as victor:
    requests = victor.payment_requests
    made = requests.create(**account, amount="1.23", client_reference_id="INV-1")
    with_creditor = requests.create(
        **account, amount="1.23", client_reference_id="INV-1", ultimate_creditor="City Power"
    )
    print(json.dumps([made.id, with_creditor.id]))
"""


WIDER = {
    "          default: false\n        notes:\n"
    "          description: Notes associated with the payment.\n"
    "          type: string\n          maxLength: 150\n": (
        "          default: false\n        notes:\n"
        "          description: Notes associated with the payment.\n"
        "          type: string\n          maxLength: 160\n"
    ),
}
HELP = """
import contextlib, inspect, io, json, sys
from victor_ext.cli import main

with contextlib.redirect_stdout(io.StringIO()) as printed:
    main(["rfp", "create", "--help"])
assert "victor_api" not in sys.modules
from victor_ext.providers.victor.payment_requests import PaymentRequests

functions = [PaymentRequests.create.function(awaited=each) for each in (False, True)]
texts = [printed.getvalue(), *map(inspect.getdoc, functions)]
print(json.dumps([" ".join(text.split()) for text in texts]))
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Victor's package after an update to a newer document, and nothing by hand."""
    return updated(tmp_path_factory.mktemp("newer"), NEWS)


def updated(folder: Path, news: dict[str, str]) -> Path:
    document = (ROOT / "openapi" / "victor.yaml").read_text(encoding="utf-8")
    settings = (ROOT / "openapi" / "victor.settings.yaml").read_text(encoding="utf-8")
    (folder / "victor.yaml").write_text(document, encoding="utf-8")
    (folder / "victor.settings.yaml").write_text(settings, encoding="utf-8")
    for old, new in news.items():
        assert document.count(old) == 1
        document = document.replace(old, new, 1)
    (folder / "newer.yaml").write_text(document, encoding="utf-8")
    arguments = [str(folder / "victor.yaml"), str(folder / "newer.yaml"), "--out", str(folder)]
    # 1: a number may be money, which is a decision.
    assert main(["update", *arguments]) in (0, 1)
    return folder


@pytest.fixture(scope="module")
def seen(newer: Path) -> dict[str, Any]:
    """What a program sees that uses the news."""
    return seen_by(PROGRAM, newer)


@pytest.fixture(scope="module")
def created(newer: Path) -> dict[str, Any]:
    """What a program sees that creates with the news."""
    return seen_by(CREATE, newer)


def seen_by(program: str, newer: Path, given: object = None) -> Any:
    path = os.pathsep.join([str(newer), str(ROOT), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(given),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_new_filter_is_an_argument_that_is_described_and_sent(seen: dict[str, Any]) -> None:
    assert "purpose: 'str | None' = None" in seen["signature"]
    assert "purpose: What it is paid for." in seen["help"]
    assert seen["sent"] == {
        "page": "0",
        "purpose": "RENT",
        "channel": "web",
        "status": "canceled",
    }


def test_a_new_filter_is_checked_by_its_limit_and_its_words(seen: dict[str, Any]) -> None:
    assert seen["refused"] == [
        "purpose must be text of 1 to 35 characters, and has 36.",
        "channel is 'phone' and must be one of: branch, web.",
    ]


def test_a_list_with_a_filter_that_nobody_decided_about_is_read_until_nothing_is_new(
    seen: dict[str, Any],
) -> None:
    assert seen["times read"] == [2, 1]


def test_a_new_field_is_read_by_its_type_and_stands_in_a_row(seen: dict[str, Any]) -> None:
    assert seen["read"] == ["RENT", "0.25", 3]
    assert seen["row"]["purpose"] == "RENT"
    assert seen["row"]["fees"] == [{"name": "rails", "rate": "0.25"}]


def test_a_new_field_with_the_name_of_one_by_hand_gets_an_underscore(seen: dict[str, Any]) -> None:
    assert (seen["row"]["network"], seen["row"]["network_"]) == ("RTP", "own")


def test_a_new_field_is_in_no_repr(seen: dict[str, Any]) -> None:
    assert "id='r-1'" in seen["repr"]
    assert "RENT" not in seen["repr"]


def test_a_new_word_of_the_status_can_be_waited_for(seen: dict[str, Any]) -> None:
    assert seen["waited for"] == "canceled"


def test_the_words_of_a_new_filter_are_a_type(newer: Path) -> None:
    words = (newer / "victor_api" / "typed" / "words.py").read_text(encoding="utf-8")
    assert (
        'ListPaymentRequestsChannelWord = Literal["branch", "web"] | StrEnum | _typed.Word'
    ) in words


def test_a_new_member_of_the_body_is_an_argument_of_create(created: dict[str, Any]) -> None:
    assert created["made"] == "r-1"
    assert created["sent"][0] == "RENT"
    assert "memo: For the statement. Up to 35 characters." in created["help"]


def test_it_is_checked_by_its_limit_and_has_to_be_one_that_can_be_compared(
    created: dict[str, Any],
) -> None:
    assert created["refused"] == "memo must be text of 1 to 35 characters, and has 36."
    assert created["blank"].startswith("memo must be text")
    assert len(created["sent"]) == 2, "what is refused is not sent"


def test_a_response_with_another_value_of_it_is_a_conflict(created: dict[str, Any]) -> None:
    assert "another payment" in created["of another"]
    assert "another memo" in created["of another"], "nobody said that its value may be shown"


def test_what_a_response_says_of_a_new_member_is_compared_by_its_type(newer: Path) -> None:
    outcomes = seen_by(COMPARED, newer, ANSWERS)
    wrong = [
        (case, outcome)
        for case, outcome in zip(ANSWERS, outcomes, strict=True)
        if not outcome.startswith(case[-1])
    ]
    assert wrong == []


def test_it_is_a_column_of_a_file_and_an_argument_of_an_outbox(created: dict[str, Any]) -> None:
    assert (created["column"], created["stored"]) == (True, True)


def test_a_limit_that_changed_is_in_the_docstring_and_in_the_help_of_the_command(
    tmp_path: Path,
) -> None:
    of_command, *docstrings = seen_by(HELP, updated(tmp_path, WIDER))
    assert "--notes TEXT For the payer. Up to 160 characters." in of_command
    for text in docstrings:
        assert "notes: Notes for the payer. Up to 160 characters. None: not sent." in text


def test_what_the_document_does_not_require_any_more_may_be_left_out(tmp_path: Path) -> None:
    seen = seen_by(LEFT_OUT, updated(tmp_path, LOOSER))
    assert seen == ["r-1", "r-1"]
