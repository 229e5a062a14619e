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
NEWS = {
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
from victor_ext.providers.velo import Velo, VeloAuth

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


def test_a_new_text_is_in_no_repr_until_somebody_decides(seen: dict[str, Any]) -> None:
    assert "id='p-1'" in seen["repr"]
    assert "CC-7" not in seen["repr"]
    assert "fee_count" not in seen["repr"]
