"""`victor doctor`: a signed read and the clock, and what to do."""

import socket

import pytest

from tests.providers.systems import ADAPTERS, of_every_system

pytestmark = pytest.mark.slow
SECRETS = of_every_system(
    __name__,
    {
        "victor": "VICTOR_CLIENT_SECRET",
        "velo": "VELO_API_SECRET",
        "flexfactor": "FLEXFACTOR_APP_SECRET",
        "eastpay": "EASTPAY_TOKEN",
    },
)


def test_the_doctor_names_environment_credentials_read_and_clock(command):
    ran = command("doctor")
    assert (ran.status, ran.err) == (0, "")
    named = [line.split("  ")[0] for line in ran.out.splitlines()]
    assert named == ["Environment", "Credentials", "Signed read", "Clock"]
    assert command("doctor", "--json").json["ok"] is True


@pytest.mark.parametrize("provider", sorted(SECRETS))
def test_the_doctor_reads_from_each_system(bare_command, provider):
    """A wrong secret of it is an error."""
    with ADAPTERS[provider].sandbox() as sandbox:
        settings = sandbox._service.provider.client_settings(sandbox.url)  # as --env-file has them
        lines = [line for line in settings.splitlines() if line[0] != "#"]
        variables = dict(line.split("=", 1) for line in lines)
        ran = bare_command("doctor", "--provider", provider, "--json", **variables)
        assert (ran.status, ran.json["ok"]) == (0, True)
        if provider != "eastpay":  # it has nothing that only reads
            wrong = {**variables, SECRETS[provider]: "not-a-secret"}
            assert bare_command("doctor", "--provider", provider, **wrong).status == 1


def test_a_setting_that_is_missing_is_2_and_a_host_that_is_not_there_75(bare_command, command):
    ran = bare_command("doctor")
    assert ran.status == 2
    assert "VICTOR_CLIENT_ID" in ran.err
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ran = command("doctor", "--base-url", f"http://127.0.0.1:{port}", "--deadline", "1")
    assert (ran.status, ran.out) == (75, "")


@pytest.mark.parametrize(("skew", "said"), [(-90, "s ahead of"), (90, "s behind")])
def test_the_doctor_marks_a_wrong_clock_as_failed(command, victor_sandbox, skew, said):
    victor_sandbox.set_clock_skew(skew)
    ran = command("doctor")
    assert ran.status == 1
    assert said in ran.out
