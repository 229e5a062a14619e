"""`python -m victor_ext.sandbox`, as a person and as another program start it."""

import signal
from functools import partial
from typing import NamedTuple

import httpx
import pytest

from tests.payments import payment
from tests.sandbox.sandbox_callers import CREATE, LIST, SandboxProcess
from victor_ext import PaymentRequest, Victor
from victor_ext.sandbox._command_line import run

pytestmark = pytest.mark.pull_request
main = partial(run, prog="sandbox")


OPTIONS = ("--demo-data", "--environment", "production", "--env-file")


@pytest.mark.parametrize("umask", [0o000], indirect=True)
def test_a_sandbox_process_tells_its_url_and_writes_a_file_of_variables_for_its_owner_alone(
    umask, tmp_path
):
    env = tmp_path / "sandbox.env"
    env.write_text("from an earlier run, open to others")
    with SandboxProcess(*OPTIONS, str(env)) as process:
        assert process.facts == {"url": process.url, "pid": process.process.pid}
        assert oct(env.stat().st_mode & 0o777) == "0o600"
        info = httpx.get(process.url + "/_sandbox/").json()
        assert (info["sandbox"], info["settings"]["auto"]) == ("victor", 1), (
            "requests move by themselves"
        )
        process.end(signal.SIGTERM)
    assert process.process.returncode == 0


class Served(NamedTuple):
    """A sandbox process that has served a client, and has ended."""

    url: str
    variables: dict[str, str]
    """Those of its file."""
    made: PaymentRequest
    inbound: list[PaymentRequest]
    log: str


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A client that knows the variables alone makes a request, and lists the inbound ones."""
    env = tmp_path_factory.mktemp("served") / "sandbox.env"
    with SandboxProcess(*OPTIONS, str(env)) as process:
        lines = env.read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines if "=" in line)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            with Victor.from_env() as client:
                made = client.payment_requests.create(**payment(payer_counterparty_id="aHeq349838"))
                inbound = [*client.payment_requests.list(direction="inbound")]
        return Served(process.url, variables, made, inbound, process.end(signal.SIGTERM))


def test_the_log_of_a_sandbox_process_has_each_call_and_no_secret(served):
    calls = [line.split()[1:4] for line in served.log.splitlines() if "/v2/" in line]
    assert calls == [
        ["POST", "/v2/auth/token", "200"],
        ["POST", CREATE, "200"],
        *[["GET", LIST, "200"]] * 2,
    ]
    variables = served.variables
    secrets = (variables["VICTOR_CLIENT_SECRET"], variables["# VICTOR_PRIVATE_KEY"], "043987673645")
    assert [secret for secret in (*secrets, "Traceback") if secret in served.log] == []


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["--environment", "live"], "--environment"),
        (["--max-page-size", "0"], "max_page_size"),
        (["--port", "x"], "--port"),
        (["--provider", "nobody"], "--provider"),
        (["--provider", "velo", "--demo-data"], "--demo-data"),
        (["extra"], "extra"),
    ],
)
def test_a_misused_command_ends_with_status_2_and_names_the_mistake(arguments, mistake, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert mistake in capsys.readouterr().err
