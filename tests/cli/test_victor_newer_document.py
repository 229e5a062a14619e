"""A newer document brings the command its options, with no line by hand."""

import shlex

import pytest

from tests.payments import create_words
from tests.providers.newer import printed_by, updated

pytestmark = pytest.mark.slow

MEMBERS = """\
        side_note: {type: string, maxLength: 35, description: 'A `side note` on the statement.'}
        sheet_count: {type: integer, maximum: 9}
        is_hurried: {type: boolean, description: Whether it is hurried.}
        aim: {type: string, enum: [RENT, WAGES], description: What it is for.}
        deadline: {type: string}
"""
FILTERS = """\
        rail: {type: string, enum: [FedNow, RTP], description: The network that it takes.}
        sheet_count: {type: integer}
        limit: {type: integer}
"""
NEWS = {
    "        notes:\n": MEMBERS + "        notes:\n",
    "        tracking_id:\n": FILTERS + "        tracking_id:\n",
    "        original_amount:\n": MEMBERS + "        original_amount:\n",
}
PROGRAM = """
import io, os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from victor_ext.cli import main
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.server import _document

given = json.load(sys.stdin)
_document.document_path = Path(given["folder"]).joinpath
ran = []
with Sandbox(SandboxSettings(demo_data=True)) as sandbox:
    client_id, secret = sandbox.add_oauth_client()
    os.environ |= {
        "VICTOR_BASE_URL": sandbox.url, "VICTOR_CLIENT_ID": client_id,
        "VICTOR_CLIENT_SECRET": secret, "COLUMNS": "300",
    }
    for line in given["lines"]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(line)
            except SystemExit as end:
                status = end.code
        ran.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(ran))
"""
CREATE = shlex.join([*create_words(payer_counterparty_id="acceptsRfp"), "--json"])
LINES = {
    "help of create": "rfp create --help",
    "help of list": "rfp list --help",
    "create": f"{CREATE} --side-note May --sheet-count 2 --is-hurried --aim RENT",
    "another": CREATE,
    "too long": f"{CREATE} --side-note {'x' * 36}",
    "another word": f"{CREATE} --aim RANT",
    "no number": f"{CREATE} --sheet-count two",
    "list": "rfp list --sheet-count 2 --json",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """By the name of a line: its exit status, its output and what it said was wrong."""
    folder = updated(tmp_path_factory.mktemp("newer"), "victor", NEWS)
    lines = [shlex.split(line) for line in LINES.values()]
    ran = printed_by(PROGRAM, folder, {"folder": str(folder), "lines": lines})
    return dict(zip(LINES, ran, strict=True))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("create", "--side-note TEXT A side note on the statement. Up to 35 characters."),
        ("create", "--sheet-count N"),
        ("create", "--is-hurried / --no-is-hurried Whether it is hurried."),
        ("create", "--aim TEXT What it is for. One of RENT, WAGES."),
        ("list", "--rail TEXT The network that it takes. One of FedNow, RTP."),
        ("list", "--sheet-count N"),
    ],
)
def test_a_new_argument_is_an_option_with_the_sentence_of_the_document(ran, name, option):
    _, out, _ = ran[f"help of {name}"]
    assert option in " ".join(out.split())
