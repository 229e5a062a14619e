"""`victor doctor`: tick or cross, and what to do."""

import re
import socket
from functools import partial

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
CHECKS = [
    *("Settings", "Credentials", "Environment", "DNS", "Connection", "TLS", "Signed read", "Clock")
]


def checks(ran):
    return {each["check"]: each for each in ran.json["checks"]}


def verdicts(ran):
    return [each["ok"] for each in ran.json["checks"]]


@pytest.mark.parametrize("columns", [60, 140])
def test_a_doctor_without_failed_checks_shows_each_check_in_a_line(command, columns):
    ran = command.at_terminal("doctor", columns=columns)
    assert (ran.status, ran.err) == (0, "")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", ran.out).splitlines()
    assert max(map(len, lines)) <= columns
    named = [line for line in lines if not line.startswith(" ")]
    assert [line[2:15].strip() for line in named] == CHECKS
    assert [line[0] for line in named] == ["✓"] * 5 + ["-"] + ["✓"] * 2


@pytest.mark.parametrize("provider", sorted(SECRETS))
def test_the_doctor_makes_the_same_checks_for_each_system(bare_command, provider):
    """A wrong secret of it is crossed with what to check."""
    doctor = ("doctor", "--provider", provider, "--json")
    with ADAPTERS[provider].sandbox() as sandbox:
        settings = sandbox._service.provider.client_settings(sandbox.url)  # as --env-file has them
        lines = [line for line in settings.splitlines() if line[0] != "#"]
        variables = dict(line.split("=", 1) for line in lines)
        ran = bare_command(*doctor, **variables)
        assert (ran.status, verdicts(ran)) == (0, [True] * 5 + [None, True, True]), ran
        missing = bare_command(*doctor)
        assert (missing.status, verdicts(missing)) == (2, [True, False])
        assert f"{provider.upper()}_" in checks(missing)["Credentials"]["found"]
        ran = bare_command(*doctor, **{**variables, SECRETS[provider]: "wrong" * 8})
        read = checks(ran)["Signed read"]
        assert (ran.status, read["ok"]) == (1, False), ran
        assert "made in this environment" in read["advice"]
        assert "check" in read["found"].casefold(), "the message says nothing of what to check"
    away = bare_command(*doctor, **variables)
    assert away.status == 75
    assert f"--provider {provider}'" in checks(away)["Connection"]["advice"]


def test_a_setting_that_is_missing_or_wrong_ends_the_doctor(bare_command):
    missing = bare_command("doctor", "--json")
    assert (missing.status, verdicts(missing)) == (2, [True, False])
    assert "VICTOR_CLIENT_ID" in checks(missing)["Credentials"]["found"]
    for words in ("--profile", "'victor sandbox --env-file FILE'"):
        assert words in checks(missing)["Credentials"]["advice"]
        assert words in bare_command("rfp", "list").err
    wrong = {"EASTPAY_TOKEN": "wrong", "EASTPAY_ENTITY_ID": "E", "EASTPAY_BASE_URL": "http://[::1]"}
    ran = bare_command("doctor", "--provider", "eastpay", "--json", **wrong)
    assert (ran.status, verdicts(ran)) == (2, [True, False])
    assert "EASTPAY_TOKEN" in checks(ran)["Credentials"]["found"]


def test_a_host_that_is_not_there_is_75(command):
    ran = command("doctor", "--json", "--base-url", "https://nobody.invalid")
    assert (ran.status, verdicts(ran)) == (75, [True, True, True, False, None, None, None, None])
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ran = command("doctor", "--json", "--base-url", url)
    assert (ran.status, verdicts(ran)) == (75, [True, True, True, True, False, None, None, None])
    assert checks(ran)["Signed read"]["found"] == "skipped: Connection must be fixed first"


@pytest.mark.parametrize(
    ("skew", "said"), [(-90.0, "90 s ahead of the provider's"), (90.0, "90 s behind")]
)
def test_the_doctor_marks_a_wrong_clock_as_failed(command, victor_sandbox, skew, said):
    """A read that fails is crossed, too, and shows the clock nevertheless."""
    victor_sandbox.set_clock_skew(skew)
    victor_sandbox.inject("status", operation="list", status=503, times=None)
    ran = command("doctor", "--json", "--deadline", "0.5")
    read, clock = (checks(ran)[name] for name in ("Signed read", "Clock"))
    assert (ran.status, read["ok"], clock["ok"]) == (1, False, False)
    assert said in re.sub("89 s|91 s", "90 s", clock["found"])
    assert "NTP" in clock["advice"]


@pytest.mark.parametrize("variable", ["VICTOR_PRIVATE_KEY_FILE", "VICTOR_PRIVATE_KEY"])
def test_the_doctor_warns_of_a_key_file_that_other_users_may_read(
    bare_command, victor_sandbox, tmp_path, variable
):
    """It is no failure: a container may get its secrets so."""
    api_key, private_key = victor_sandbox.new_api_key()
    file = tmp_path / "key.pem"
    file.write_text(private_key, "utf-8")
    file.chmod(0o644)
    variables = {"VICTOR_API_KEY": api_key, variable: str(file)}
    doctor = partial(
        bare_command, "doctor", "--json", VICTOR_BASE_URL=victor_sandbox.url, **variables
    )
    readable = doctor()
    assert readable.status == 0, readable
    finding = checks(readable)["Key file"]
    assert finding["ok"] is None
    assert finding["found"] == (
        f"{variable}: {file} holds secrets, and others may read or change it (mode 644): "
        f"chmod 600 {file}"
    )
    file.chmod(0o600)
    assert "Key file" not in checks(doctor())
