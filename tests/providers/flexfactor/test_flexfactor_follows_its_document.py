"""A newer document brings FlexFactor's callers its fields and filters, with no line written by
hand.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from victor_spec.command_line import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
NEWS = {
    # a filter of a list, with its limit
    "        - {name: orderBy, in: query": (
        "        - {name: siteName, in: query, schema: {type: string, maxLength: 12}}\n"
        "        - {name: orderBy, in: query"
    ),
    # fields of an order: a text, a number, and a part of its own
    "        referenceNumber: {type: string": (
        "        siteName: {type: string, description: Where it was bought.}\n"
        "        itemCount: {type: integer}\n"
        "        fees: {type: array, items: {$ref: '#/components/schemas/Fee'}}\n"
        "        referenceNumber: {type: string"
    ),
    "    OrderPage:\n": (
        "    Fee:\n      type: object\n"
        "      properties: {name: {type: string}, rate: {type: number}}\n"
        "    OrderPage:\n"
    ),
    # members of responses, some with the name of a rule that is written by hand
    "    Answer:\n      type: object\n      properties:\n": (
        "    Answer:\n      type: object\n      properties:\n        succeeded: {type: boolean}\n"
    ),
    '        senseKey: {type: string, description: "The session': (
        "        approved: {type: boolean}\n"
        "        riskScore: {type: integer}\n"
        '        senseKey: {type: string, description: "The session'
    ),
}
PROGRAM = """
import inspect, json
import httpx
from victor_ext import InvalidRequest
from victor_ext.providers.flexfactor import Capture, Decision, FlexFactor, FlexFactorToken

ORDER = {"id": "o-1", "status": 7, "SiteName": "Corner", "itemcount": 2,
         "fees": [{"Name": "card", "rate": 0.25}]}
PAGE = {"items": [ORDER], "isLastPage": True}
sent = []

def answer(request):
    sent.append(str(request.url.query.decode()))
    return httpx.Response(200, json=PAGE)

mid = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
transport = httpx.MockTransport(answer)
with FlexFactor(FlexFactorToken("t"), mid=mid, transport=transport) as flexfactor:
    (order,) = flexfactor.orders.list(site_name="Corner")
    try:
        flexfactor.orders.list(site_name="x" * 13)
    except InvalidRequest as error:
        refused = error.problems[0].message
decision = Decision({"status": "DECLINED", "approved": True, "riskScore": 9}, idempotency_key="k")
capture = Capture({"status": "PENDING", "succeeded": True})
print(json.dumps({
    "sent": sent,
    "read": [order.site_name, order.item_count, order.fees[0].name, str(order.fees[0].rate)],
    "row": order.to_dict()["site_name"],
    "repr": repr(order),
    "succeeded": capture.succeeded,
    "decision": [decision.risk_score, decision.approved, repr(decision), decision.approved_],
    "refused": refused,
    "signature": str(inspect.signature(flexfactor.orders.list)),
}))
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with FlexFactor's package after an update to a newer document, and nothing by
    hand.
    """
    folder = tmp_path_factory.mktemp("newer")
    document = (ROOT / "openapi" / "flexfactor.yaml").read_text(encoding="utf-8")
    settings = (ROOT / "openapi" / "flexfactor.settings.yaml").read_text(encoding="utf-8")
    (folder / "flexfactor.yaml").write_text(document, encoding="utf-8")
    (folder / "flexfactor.settings.yaml").write_text(settings, encoding="utf-8")
    for old, new in NEWS.items():
        assert document.count(old) == 1
        document = document.replace(old, new)
    (folder / "newer.yaml").write_text(document, encoding="utf-8")
    arguments = [str(folder / "flexfactor.yaml"), str(folder / "newer.yaml"), "--out", str(folder)]
    assert main(["update", *arguments]) == 0
    return folder


@pytest.fixture(scope="module")
def seen(newer: Path) -> dict[str, Any]:
    """What a program sees that uses the news."""
    path = os.pathsep.join([str(newer), str(ROOT), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_new_filter_is_an_argument_with_its_limit(seen: dict[str, Any]) -> None:
    assert "site_name: 'str | None' = None" in seen["signature"]
    assert "siteName=Corner" in seen["sent"][0]
    assert seen["refused"] == "site_name must be text of 1 to 12 characters, and has 13."


def test_a_list_with_a_filter_that_nobody_decided_about_is_read_until_nothing_is_new(
    seen: dict[str, Any],
) -> None:
    assert len(seen["sent"]) > 1


def test_a_new_field_is_read_by_its_type_in_any_letter_case_and_stands_in_a_row(
    seen: dict[str, Any],
) -> None:
    assert seen["read"] == ["Corner", 2, "card", "0.25"]
    assert seen["row"] == "Corner"


def test_a_new_text_is_in_no_repr_until_somebody_decides(seen: dict[str, Any]) -> None:
    assert "Corner" not in seen["repr"]
    assert "item_count" not in seen["repr"]


def test_a_new_member_takes_the_place_of_no_rule_about_money(seen: dict[str, Any]) -> None:
    assert seen["succeeded"] is False
    assert seen["decision"][:2] == [9, False]
    assert seen["decision"][2] == "Decision(order_id=None, status='DECLINED', approved=False)"
    assert seen["decision"][3] is True
