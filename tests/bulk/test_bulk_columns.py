"""An argument that a newer document adds to what is sent for a row is a column of its type, with no
line written by hand.
"""

import json
import os
import shutil
import sys
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

import pytest

from tests.cases import cases_beside
from tests.payments import cells
from tests.programs import python
from victor_ext import InvalidRequest
from victor_ext.bulk._column_types import (
    columns_of,
    json_data,
)
from victor_spec.command_line import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
MEMBERS = """\
        purpose: {type: string, maxLength: 35}
        express: {type: boolean}
        reminders: {type: integer, minimum: 0, maximum: 9}
        fee: {type: number, minimum: 0, maximum: 100}
        starts: {type: string, format: date}
        expires: {type: string, format: date-time}
        urgency: {type: string, enum: [LOW, HIGH]}
"""
"""Of the JSON object that is sent for a row."""
AFTER = {
    "victor": "    RfpBasePaymentDetails:\n      type: object\n      properties:\n",
    "velo": "      required: [remoteId, currency, amount, sourceAccountName]\n      properties:\n",
}
"""What the new members of each document stand behind."""
GIVEN = cases_beside(__file__, "columns")
COMMON = """
import csv, json, sys
from datetime import UTC, datetime
from pathlib import Path
from victor_ext import RetryPolicy
from victor_ext.bulk import BulkSender, RowFile

def wrote(rows, suffix):
    path = folder / f"rows{suffix}"
    with path.open("w", newline="") as file:
        if suffix == ".csv":
            writer = csv.DictWriter(file, [*rows[0]])
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\\n" for row in rows)
    return path

def sender(batch):
    return BulkSender(client, batch=batch, **options)

def send(batch, rows, suffix):
    status = sender(batch).send(wrote(rows, suffix))
    return [status.counts, status.noticed]

def check(rows, suffix=".csv", **form):
    checked = sender("checked").check(RowFile(wrote(rows, suffix), **form))
    return [checked.new, *(str(each.message) for each in [*checked.problems, *checked.notices])]

def seen():
    cells = {**row("CSV"), **given["cells"]}
    values = {**row("JSON"), **given["values"]}
    first = [send("csv", [cells], ".csv"), send("json", [values], ".jsonl")]
    yield "outcomes", first
    yield "sent", sent_bodies()
    same = {**values, **row("CSV"), "fee": "1.5", "expires": given["sent"]["expires"]}
    del same["express"]
    yield "same", check([same], ".jsonl")
    formed = {**cells, **row("CSV 4"), "amount": "45,23", "fee": "1,5", "starts": "04.03.2026"}
    yield "formed", check([formed], decimal="comma", date_format="DMY")
    stored = b"".join(path.read_bytes() for path in folder.glob("state*"))
    looked_for = ("SQLite format 3", "SECRET", "urgency")
    yield "in clear", [text for text in looked_for if text.encode() in stored]

given = json.loads(sys.argv[1])
folder = Path(sys.argv[2])
options = {"state": f"sqlite:///{folder}/state.sqlite", "storage_key": "a-secret-of-some-length"}
options |= {"patience": 0, "workers": 1}
"""
PROGRAMS = {
    "victor": f"""
from victor_ext import Victor, VictorOAuth
from victor_ext.sandbox import Sandbox

cells = {cells()}

def row(reference):
    return cells | dict(invoice_no=reference, client_reference_id=reference)
"""
    """

def sent_bodies():
    bodies = [json.loads(each["request"]) for each in sandbox.bodies() if
              each["request"] and "payment_details" in each["request"]]
    return [body["payment_details"] for body in bodies]

options["key_column"] = "invoice_no"
with Sandbox() as sandbox:
    credentials = VictorOAuth(*sandbox.add_oauth_client())
    with Victor(credentials, base_url=sandbox.url, retry=RetryPolicy(base=0.0)) as client:
        print(json.dumps(dict(seen())))
""",
    "velo": """
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

def row(reference):
    return {
        "payor_payment_id": reference, "remote_id": "payee-7", "amount": "1.50",
        "currency": "USD", "source_account_name": "USD account",
    }

def sent_bodies():
    bodies = [json.loads(each["request"]) for each in sandbox.bodies() if
              each["request"] and "payments" in each["request"]]
    return [payment for body in bodies for payment in body["payments"]]

with VeloSandbox(VeloSettings(seed=1, validation=0.0)) as sandbox:
    sandbox.add_source_account("USD account", "USD", 10**9)
    sandbox.add_payee("payee-7")
    options["payor_id"] = sandbox.payor_id
    credentials = VeloAuth(*sandbox.add_key())
    with Velo(credentials, base_url=sandbox.url, retry=RetryPolicy(base=0.0)) as client:
        print(json.dumps(dict(seen())))
""",
}


@pytest.fixture(scope="module", params=PROGRAMS)
def seen(request, tmp_path_factory):
    """What a program sees of bulk sending, with the package of a system after an update to a newer
    document.
    """
    system = request.param
    folder = tmp_path_factory.mktemp(system)
    update_to_newer(system, folder)
    path = os.pathsep.join([str(folder), str(ROOT), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    program = ("-c", COMMON + PROGRAMS[system])
    done = python(*program, json.dumps(GIVEN), folder, env=environment, timeout=None)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def update_to_newer(system, folder):
    """Generate a system's package anew, for a document with the new members."""
    for path in (ROOT / "openapi").glob(f"{system}.*"):
        shutil.copy(path, folder)
    older, newer = folder / f"{system}.yaml", folder / "newer.yaml"
    document, after = older.read_text(encoding="utf-8"), AFTER[system]
    assert document.count(after) == 1
    newer.write_text(document.replace(after, after + MEMBERS), encoding="utf-8")
    assert main(["update", str(older), str(newer), "--out", str(folder)]) == 0


def test_a_cell_and_a_json_value_are_sent_as_the_type_that_the_document_says(seen):
    """Equal values are the same payment however they are written, and lie nowhere in clear."""
    assert seen["outcomes"] == [[{"created": 1}, {}], [{"created": 1}, {}]]
    of_csv, of_json = seen["sent"]
    assert {name: of_json[name] for name in GIVEN["sent"]} == GIVEN["sent"]
    assert {name: of_csv.get(name) for name in GIVEN["sent"]} == {**GIVEN["sent"], "express": None}
    assert seen["same"] == [0]
    assert seen["formed"] == [1], "in the form that a file names"
    assert seen["in clear"] == ["SQLite format 3"]


def test_an_amount_that_cannot_be_sent_is_refused():
    with pytest.raises(InvalidRequest, match="tip"):
        json_data(columns_of(Tips)["tip"], "tip", "5 euros")


class Tips(TypedDict):
    """A second amount."""

    tip: Decimal | str | int
