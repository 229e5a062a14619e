"""A newer document of Victor brings its words and the members of a payment, with no line by hand.

Its filters and fields: see tests/providers/test_newer_documents.py.
"""

import pytest

from tests.cases import cases_beside
from tests.providers.newer import printed_by, updated

pytestmark = pytest.mark.slow
BODY = "      description: Details of a new request for payment (RfP).\n      properties:\n"
NOTES = """\
          default: false
        notes:
          description: Notes associated with the payment.
          type: string
          maxLength: 150
"""
STATUS = "          - needs-review\n        direction:\n"
NEWS = {
    "        due_date_start_date:\n": (
        "        channel: {type: string, enum: [web, branch]}\n        due_date_start_date:\n"
    ),
    NOTES: NOTES.replace(
        "        notes:\n",
        "        aside: {type: string, maxLength: 35, description: For the statement}\n"
        "        reminders: {type: integer, default: 3}\n"
        "        urgency: {type: string, enum: [LOW, HIGH], default: LOW}\n"
        "        partial: {type: boolean, default: true}\n"
        "        fee: {type: number, default: 0}\n"
        "        expires_at: {type: string, format: date-time}\n"
        "        tags: {type: array, items: {type: string}}\n"
        "        notes:\n",
    ).replace("150", "160"),
    BODY: BODY + "        topic: {type: string, maxLength: 35}\n"
    "        status: {type: string}\n        self: {type: string}\n",
    STATUS: STATUS.replace("        direction", "          - canceled\n        direction"),
    "      - payee\n      - payer\n": "      - payee\n",
    "      - amount\n      - biller_type\n      - due_date\n    RfpInbound": (
        "      - amount\n    RfpInbound"
    ),
}
"""New filters, members and words, another limit, and members that are required no more."""
CREATE = """
def create(**arguments):
    usual = {"payee_account_number": "043987673645", "amount": "44.23"}
    usual |= {"payer_counterparty_id": "p", "biller_type": "BUSINESS"}
    usual |= {"due_date": datetime.date.today(), "client_reference_id": "INV-1"}
    try:
        return victor.payment_requests.create(**{**usual, **arguments}) and "made"
    except VictorError as error:
        return f"{type(error).__name__}: {error.message}"

def answer(request):
    if request.method == "POST":
        bodies.append(json.loads(request.content))
    body = bodies[-1]
    details = {**body["payment_details"], **said.get("details", {})}
    whole = {**body, "payment_details": details, **said.get("request", {})}
    receipt = {"victor_payment_request_id": "r-1", "payment_request": whole}
    receipt |= {"client_reference_id": "INV-1", "status": "created", "direction": "outbound"}
    return {**receipt, **said.get("top", {})}

bodies, said = [], {}
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    return updated(tmp_path_factory.mktemp("newer"), "victor", NEWS)


def test_a_new_word_of_the_status_can_be_waited_for(newer):
    program = """
def answer(request):
    return {"victor_payment_request_id": "r-1", "direction": "outbound", "status": "canceled"}

waited = victor.payment_requests.wait("r-1", until="canceled", timeout=0)
print(json.dumps(waited.status))
"""
    assert printed_by(program, newer) == "canceled"


def test_the_words_of_a_new_filter_are_a_type(newer):
    words = (newer / "victor_api" / "typed" / "words.py").read_text(encoding="utf-8")
    assert (
        'ListPaymentRequestsChannelWord = Literal["branch", "web"] | StrEnum | _typed.Word'
    ) in words


def test_a_new_member_of_the_body_is_an_argument_of_create_of_a_file_and_of_an_outbox(newer):
    program = """
from victor_ext import PaymentRequestArguments
from victor_ext.bulk._payment_requests import PaymentRequests

made = [create(aside=aside) for aside in ("RENT", "x" * 36, " ")]
taken = ["aside" in PaymentRequests.columns, "aside" in PaymentRequestArguments.__annotations__]
described = inspect.getdoc(victor.payment_requests.create)
print(json.dumps([made, taken, [body["payment_details"]["aside"] for body in bodies], described]))
"""
    (made, long, blank), taken, sent, described = printed_by(CREATE + program, newer)
    assert (made, sent, taken) == ("made", ["RENT"], [True, True])
    assert "aside must be text of 1 to 35 characters, and has 36." in long
    assert "aside must be text" in blank
    assert "aside: For the statement. Up to 35 characters." in described


def test_the_value_of_a_new_member_in_a_response_is_compared_by_its_type(newer):
    cases = cases_beside(__file__)["answers_about_new_members"]
    program = """
outcomes = []
for arguments, said, _ in json.load(sys.stdin):
    if "expires_at" in arguments:
        arguments["expires_at"] = datetime.datetime.fromisoformat(arguments["expires_at"])
    outcomes.append(create(**arguments))
print(json.dumps(outcomes))
"""
    outcomes = printed_by(CREATE + program, newer, cases)
    ends = zip(cases, outcomes, strict=True)
    assert [(case, end) for case, end in ends if not end.startswith(case[-1])] == []


def test_a_limit_that_changed_is_in_the_docstring_and_in_the_help_of_the_command(newer):
    program = """
import contextlib, io
from victor_ext.cli import main

with contextlib.redirect_stdout(io.StringIO()) as shown:
    main(["rfp", "create", "--help"])
texts = [shown.getvalue(), inspect.getdoc(victor.payment_requests.create)]
print(json.dumps([" ".join(text.split()) for text in texts]))
"""
    of_command, docstring = printed_by(program, newer)
    assert "--notes TEXT Notes for the payer. Up to 160 characters." in of_command
    assert "notes: Notes for the payer. Up to 160 characters. None: not sent." in docstring


def test_an_argument_that_a_newer_document_does_not_require_may_be_left_out(newer):
    program = """
left_out = dict.fromkeys(json.load(sys.stdin))
print(json.dumps([create(**left_out), create(**left_out, ultimate_creditor="City Power")]))
"""
    left_out = ["payer_counterparty_id", "biller_type", "due_date"]
    assert printed_by(CREATE + program, newer, left_out) == ["made", "made"]
