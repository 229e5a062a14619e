"""A newer document brings Velo's callers its fields and filters, with no line written by hand."""

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
MEMBERS = """\
        costCentre: {type: string, maxLength: 12}
        priority: {type: string, enum: [LOW, HIGH]}
        fee: {type: integer}
        rate: {type: number}
        notBefore: {type: string, format: date-time}
        dueOn: {type: string, format: date}
        isUrgent: {type: boolean}
"""
"""Members of a payment, of each kind that a payment of a payout may have."""
NEWS = {
    # members of a payment that is sent, and of the payment that Velo shows
    "        paymentMetadata:\n": MEMBERS + "        paymentMetadata:\n",
    "        withdrawable: {type: boolean": MEMBERS + "        withdrawable: {type: boolean",
    # a member that is sent and never shown
    "        remoteSystemId:\n": (
        "        unseen: {type: string, maxLength: 12}\n        remoteSystemId:\n"
    ),
    # a member of the payout itself
    "        payoutFromPayorId:\n          type: string\n": (
        "        batch: {type: string, maxLength: 12}\n"
        "        payoutFromPayorId:\n          type: string\n"
    ),
    "        paymentsSubmitted: {": ("        batch: {type: string}\n        paymentsSubmitted: {"),
    # a filter of a list, with its limit
    "        - name: payoutMemo\n          in: query\n": (
        "        - {name: costCentre, in: query, schema: {type: string, maxLength: 12}}\n"
        "        - name: payoutMemo\n          in: query\n"
    ),
    # fields of an item: a text, a number, and a part of its own
    "        payoutType: {type: string": (
        "        costCentre: {type: string, description: Who pays for it.}\n"
        "        feeCount: {type: integer}\n"
        "        fees: {type: array, items: {$ref: '#/components/schemas/Fee'}}\n"
        "        payoutType: {type: string"
    ),
    # a member with the name of a method that is written by hand
    "      description: A person or a company that can be paid.\n      properties:\n": (
        "      description: A person or a company that can be paid.\n      properties:\n"
        "        remoteId: {type: string}\n"
    ),
    "    PayoutSchedule:\n": (
        "    Fee:\n      type: object\n"
        "      properties: {name: {type: string}, rate: {type: number}}\n"
        "    PayoutSchedule:\n"
    ),
}
PROGRAM = """
import inspect, json
import httpx
from victor_ext import InvalidRequest
from victor_ext.providers.velo import Payee, Velo, VeloAuth

PAGE = {"content": [{"payoutId": "p-1", "costCentre": "CC-7", "feeCount": 2,
                     "fees": [{"name": "rails", "rate": 0.25}]}],
        "page": {"totalPages": 1, "totalElements": 1}}
sent = []

def answer(request):
    if request.url.path.endswith("/authenticate"):
        return httpx.Response(200, json={"access_token": "t", "expires_in": 60})
    sent.append(str(request.url.query.decode()))
    return httpx.Response(200, json=PAGE)

with Velo(VeloAuth("key", "secret"), transport=httpx.MockTransport(answer)) as velo:
    (payout,) = velo.payouts.list("payor-1", cost_centre="CC-7")
    try:
        velo.payouts.list("payor-1", cost_centre="x" * 13)
    except InvalidRequest as error:
        refused = error.problems[0].message
print(json.dumps({
    "sent": sent,
    "read": [payout.cost_centre, payout.fee_count, str(payout.fees[0].rate)],
    "row": payout.to_dict()["cost_centre"],
    "payee": Payee({"remoteId": "own", "payorRefs": [{"remoteId": "of a payor"}]}).to_dict(),
    "repr": repr(payout),
    "refused": refused,
    "signature": str(inspect.signature(velo.payouts.list)),
}))
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Velo's package after an update to a newer document, and nothing by hand."""
    folder = tmp_path_factory.mktemp("newer")
    document = (ROOT / "openapi" / "velo.yaml").read_text(encoding="utf-8")
    settings = (ROOT / "openapi" / "velo.settings.yaml").read_text(encoding="utf-8")
    (folder / "velo.yaml").write_text(document, encoding="utf-8")
    (folder / "velo.settings.yaml").write_text(settings, encoding="utf-8")
    for old, new in NEWS.items():
        assert document.count(old) >= 1
        document = document.replace(old, new, 1)
    (folder / "newer.yaml").write_text(document, encoding="utf-8")
    arguments = [str(folder / "velo.yaml"), str(folder / "newer.yaml"), "--out", str(folder)]
    assert main(["update", *arguments]) == 0
    return folder


def run(newer: Path, program: str) -> dict[str, Any]:
    """What a program prints that uses the newer package."""
    path = os.pathsep.join([str(newer), str(ROOT), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def seen(newer: Path) -> dict[str, Any]:
    """What a program sees that uses the news."""
    return run(newer, PROGRAM)


def test_a_new_filter_is_an_argument_with_its_limit(seen: dict[str, Any]) -> None:
    assert "cost_centre: 'str | None' = None" in seen["signature"]
    assert "costCentre=CC-7" in seen["sent"][0]
    assert seen["refused"] == "cost_centre must be text of 1 to 12 characters, and has 13."


def test_a_list_with_a_filter_that_nobody_decided_about_is_read_until_nothing_is_new(
    seen: dict[str, Any],
) -> None:
    assert len(seen["sent"]) > 1


def test_a_new_field_is_read_by_its_type_and_stands_in_a_row(seen: dict[str, Any]) -> None:
    assert seen["read"] == ["CC-7", 2, "0.25"]
    assert seen["row"] == "CC-7"


def test_a_new_field_with_the_name_of_a_method_gets_an_underscore(seen: dict[str, Any]) -> None:
    assert seen["payee"]["remote_id_"] == "own"
    assert "remote_id" not in seen["payee"]


def test_a_new_text_is_in_no_repr_until_somebody_decides(seen: dict[str, Any]) -> None:
    assert "id='p-1'" in seen["repr"]
    assert "CC-7" not in seen["repr"]
    assert "fee_count" not in seen["repr"]


PROOF = """
import json
from datetime import UTC, date, datetime, timedelta
import httpx
from victor_ext import Done
from victor_ext.providers import Money
from victor_ext.providers.velo import PaymentInstruction, Velo, VeloAuth

NOW = datetime.now(UTC)
SENT = {
    "cost_centre": "ABCD", "priority": "LOW", "fee": 30, "rate": 0.25, "is_urgent": False,
    "not_before": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "due_on": date(2026, 3, 4),
    "unseen": "here",
}
SHOWN = {
    "remoteId": "payee-7", "sourceAccountName": "USD", "payorPaymentId": "INV-1",
    "amount": 4423, "currency": "USD",
}
payout, shown = {}, {}

def answer(request):
    path = request.url.path
    if path.endswith("/authenticate"):
        return httpx.Response(200, json={"access_token": "t", "expires_in": 60})
    if path.endswith("/payouts/p-1"):
        return httpx.Response(200, json={"payoutId": "p-1", "status": "ACCEPTED", **payout})
    listed = {
        "paymentId": "7", "payorPaymentId": "INV-1", "payout": {"payoutId": "p-1"},
        "submittedDateTime": (NOW + timedelta(seconds=1)).isoformat(),
    }
    if "/payouts/p-1/" in path:
        listed = {**listed, **SHOWN, **shown}
    page = {"totalPages": 1, "totalElements": 1}
    return httpx.Response(200, json={"content": [listed], "page": page})

said = {}
with Velo(VeloAuth("key", "secret"), transport=httpx.MockTransport(answer)) as velo:
    payment = PaymentInstruction(
        remote_id="payee-7", amount=Money.of("44.23", "USD"), source_account_name="USD",
        payor_payment_id="INV-1", **SENT,
    )
    call = velo.prepare("payouts.submit", [payment], batch="May")
    for name, payout, shown in CASES:
        found = velo.look_up(call, since=NOW, payor_id="payor-1")
        if isinstance(found, Done):
            own = {each: like.name for each, like in found.compared.items()}
            found = "done " + " ".join(sorted(each.split()[0] for each in own))
            assert {*own.values()} == {"SAME"}
        said[name] = found
print(json.dumps(said))
"""
USUAL = "done amount remoteId sourceAccountName"
ALIKE: dict[str, list[Any]] = {
    "costCentre": ["ABCD", " ABCD "],
    "priority": ["LOW", "low"],
    "fee": [30, 30.0, "30"],
    "rate": [0.25, "0.250"],
    "notBefore": ["2026-03-04T05:06:07Z", "2026-03-04T07:06:07.000+02:00"],
    "dueOn": ["2026-03-04", "2026-03-04T00:00:00Z"],
    "isUrgent": [False, "false"],
}
"""What Velo may show of each value that was sent."""
OTHERS: dict[str, list[Any]] = {
    "costCentre": ["WXYZ"],
    "priority": ["HIGH"],
    "fee": [31, "31"],
    "rate": [0.26],
    "notBefore": ["2026-03-04T05:06:09Z"],
    "dueOn": ["2026-03-05"],
    "isUrgent": [True],
}


@pytest.fixture(scope="module")
def proved(newer: Path) -> dict[str, str]:
    """What the proof says of a payout, by what Velo shows of it."""
    cases: list[Any] = [("nothing", {}, {}), ("unseen", {}, {"unseen": "there"})]
    for name, alike in ALIKE.items():
        values = [*alike, *OTHERS[name], None, {}]
        cases += [(f"{name} {value}", {}, {name: value}) for value in values]
    cases += [(f"batch {value}", {"batch": value}, {}) for value in ("May", "June")]
    return run(newer, PROOF.replace("CASES", repr(cases)))


@pytest.mark.parametrize("name", ALIKE)
def test_a_new_member_of_a_payment_is_compared_by_its_type(
    proved: dict[str, str], name: str
) -> None:
    compared = " ".join(sorted(f"{USUAL} {name}".split()[1:]))
    for value in ALIKE[name]:
        assert proved[f"{name} {value}"] == f"done {compared}"
    for value in OTHERS[name]:
        why = f"has another value than was sent: {name} of INV-1: it may be another's."
        assert why in proved[f"{name} {value}"]
    assert proved[f"{name} None"] == USUAL
    assert f"has a value that cannot be read: {name} of INV-1" in proved[f"{name} {{}}"]


def test_what_velo_does_not_show_is_not_compared(proved: dict[str, str]) -> None:
    assert proved["nothing"] == USUAL
    assert proved["unseen"] == USUAL


def test_a_new_member_of_a_payout_is_compared_too(proved: dict[str, str]) -> None:
    assert proved["batch May"] == "done amount batch remoteId sourceAccountName"
    assert "has another value than was sent: batch: it may be another's" in proved["batch June"]
