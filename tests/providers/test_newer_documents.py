"""A newer document brings the callers of a system its filters and fields, with no line by hand."""

from typing import Any, NamedTuple

import pytest

from tests.providers.newer import printed_by, updated

pytestmark = pytest.mark.slow


class Newer(NamedTuple):
    """What a newer document has, and what a program does with it.

    Attributes:
        news: The texts of the document that are replaced: a filter of a list, fields of its items,
            and a member with the name of something by hand.
        program: `listed` makes the list, `answer` a page of it; `names` are what the name by hand
            and the generated one have.
        names: What these are.
    """

    news: dict[str, str]
    program: str
    names: list[Any]


FEE = "    Fee: {type: object, properties: {name: {type: string}, rate: {type: number}}}\n"
FIELDS = """\
        {}: {{type: string, description: Who pays for it.}}
        {}: {{type: integer}}
        fees: {{type: array, items: {{$ref: '#/components/schemas/Fee'}}}}
"""
CAMEL = FIELDS.format("costCentre", "feeCount")
FILTER = "        - {name: costCentre, in: query, schema: {type: string, maxLength: 12}}\n"
SENSE = '        senseKey: {type: string, nullable: true, description: "The session'
NEWER = {
    "victor": Newer(
        {
            "        due_date_start_date:\n": (
                "        cost_centre: {type: string, maxLength: 12}\n        due_date_start_date:\n"
            ),
            "        payment_network:\n": (
                FIELDS.format("cost_centre", "fee_count")
                + "        network: {type: string}\n        payment_network:\n"
            ),
            "    PaymentRequestReceiptInfo:\n": FEE + "    PaymentRequestReceiptInfo:\n",
        },
        """
NEW = {"cost_centre": "CC-7", "fee_count": 2, "fees": [{"name": "rails", "rate": 0.25}]}
ITEM = {"victor_payment_request_id": "r-1", "network": "own", "payment_network": "RTP", **NEW}
listed = victor.payment_requests.list
names = lambda item: [item.network, item.network_]

def answer(request):
    number = int(request.url.params["page"])
    return {"page": number, "results": [ITEM][number:]}
""",
        ["RTP", "own"],
    ),
    "velo": Newer(
        {
            "        - name: payoutMemo\n": FILTER + "        - name: payoutMemo\n",
            "        payoutType: {type: string": CAMEL + "        payoutType: {type: string",
            "        apiVersion:": "        payorIds: {type: string}\n        apiVersion:",
            "    PayoutSchedule:\n": FEE + "    PayoutSchedule:\n",
        },
        """
from functools import partial
from victor_ext.providers.velo import Notification

NEW = {"costCentre": "CC-7", "feeCount": 2, "fees": [{"name": "rails", "rate": 0.25}]}
listed = partial(velo.payouts.list, "payor-1")
notification = Notification({"payorIds": "own"})
names = lambda _: [sorted(notification.payor_ids), notification.payor_ids_]

def answer(request):
    return {"content": [{"payoutId": "p-1", **NEW}], "page": {"totalPages": 1, "totalElements": 1}}
""",
        [[], "own"],
    ),
    # Names in any letter case; and no member says that money has moved.
    "flexfactor": Newer(
        {
            "        - {name: orderBy, in: query": FILTER + "        - {name: orderBy, in: query",
            "        referenceNumber: {type: string": CAMEL
            + "        referenceNumber: {type: string",
            "    OrderPage:\n": FEE + "    OrderPage:\n",
            SENSE: "        approved: {type: boolean}\n" + SENSE,
        },
        """
from victor_ext.providers.flexfactor import Decision, FlexFactorToken

NEW = {"CostCentre": "CC-7", "feecount": 2, "fees": [{"Name": "rails", "rate": 0.25}]}
MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
listed = FlexFactor(FlexFactorToken("t"), mid=MID, transport=transport).orders.list
decision = Decision({"status": "DECLINED", "approved": True})
names = lambda _: [decision.approved, decision.approved_]

def answer(request):
    return {"items": [{"id": "o-1", "status": 7, **NEW}], "hasNextPage": False}
""",
        [False, True],
    ),
}
END = """
(item,) = listed(cost_centre="CC-7")
times = sent.count(sent[0])
try:
    listed(cost_centre="x" * 13)
except InvalidRequest as error:
    refused = error.problems[0].message
print(json.dumps({
    "signature": str(inspect.signature(listed)),
    "query": sent[0],
    "refused": refused,
    "times read": times,
    "read": [item.cost_centre, item.fee_count, item.fees[0].name, str(item.fees[0].rate)],
    "row": item.to_dict(),
    "repr": repr(item),
    "names": names(item),
}))
"""


@pytest.fixture(scope="module", params=NEWER)
def system(request):
    return str(request.param)


@pytest.fixture(scope="module")
def seen(system, tmp_path_factory):
    """What a program sees that uses the news."""
    newer = NEWER[system]
    folder = updated(tmp_path_factory.mktemp("newer"), system, newer.news)
    return printed_by(newer.program + END, folder)


def test_a_new_filter_is_an_argument_with_its_limit(seen):
    assert "cost_centre: 'str | None' = None" in seen["signature"]
    assert "=CC-7" in seen["query"]
    assert seen["refused"] == "cost_centre must be text of 1 to 12 characters, and has 13."


def test_a_new_field_is_read_by_its_type_and_stands_in_a_row(seen):
    assert seen["read"] == ["CC-7", 2, "rails", "0.25"]
    assert (seen["row"]["cost_centre"], seen["row"]["fees"][0]["rate"]) == ("CC-7", "0.25")


MEMBER = "        {}: {{type: string, maxLength: 12, description: Who pays for it}}\n"


class Called(NamedTuple):
    """A method that the recipe writes, with a newer document that has one more member of its body.

    Attributes:
        news: As in `Newer`.
        program: `call` calls the method, and `answer` is a good response.
    """

    news: dict[str, str]
    program: str


CALLED = {
    "flexfactor": Called(
        {
            "        customerIp: {": MEMBER.format("costCentre") + "        customerIp: {",
        },
        """
from victor_ext.providers import AsyncFlexFactor
from victor_ext.providers.flexfactor import FlexFactorToken
from tests.providers.flexfactor.adapter import declined

kinds = [FlexFactor, AsyncFlexFactor]
name = "evaluate"
MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
flexfactor = FlexFactor(FlexFactorToken("t"), mid=MID, transport=transport)
call = lambda **new: flexfactor.evaluate(**declined(), **new)

def answer(request):
    return {"success": True, "status": "DECLINED", "orderId": "o-1"}
""",
    ),
    "eastpay": Called(
        {
            "        paymentBrand: {": MEMBER.format("costCentre") + "        paymentBrand: {",
        },
        """
from victor_ext.providers import AsyncEastPay, EastPay

kinds = [EastPay.payments, AsyncEastPay.payments]
name = "debit"
eastpay = EastPay(
    "t" * 32, base_url="https://pay.bank.example/gateway", entity_id="EB000001", transport=transport
)
price = Money.of("92.00", "EGP")
call = lambda **new: eastpay.payments.debit(price, merchant_transaction_id="INV-1", **new)

def answer(request):
    return {"id": "p-1", "result": {"code": "000.000.000"}}
""",
    ),
}
CALLS = """
bodies = []

def keep(request):
    bodies.append(request.url.query.decode() + request.content.decode())

respond_as_before = respond

def respond(request):
    keep(request)
    return respond_as_before(request)

transport.handler = respond
try:
    call(cost_centre="CC-7")
except VictorError as error:
    pass  # the response is no matter here
try:
    call(cost_centre="x" * 13)
except InvalidRequest as error:
    refused = error.problems[0].message
methods = [getattr(kind, name) for kind in kinds]
print(json.dumps({
    "signatures": [str(inspect.signature(each).parameters["cost_centre"]) for each in methods],
    "docstrings": [inspect.getdoc(each) for each in methods],
    "sent": [body for body in bodies if "CC-7" in body],
    "refused": refused,
}))
"""


@pytest.mark.parametrize("called", CALLED)
def test_a_new_member_of_a_body_is_an_argument_of_the_method_in_both_modes(called, tmp_path):
    """Velo's are compared below."""
    news, program = CALLED[called]
    seen = printed_by(program + CALLS, updated(tmp_path, called, news))
    assert seen["signatures"] == ["cost_centre: 'str | None' = None"] * 2
    for docstring in seen["docstrings"]:
        assert "    cost_centre: Who pays for it. Up to 12 characters." in docstring
    assert len(seen["sent"]) == 1
    assert "cost_centre must be text of 1 to 12 characters" in seen["refused"]
