"""`victor doctor`: tick or cross, and what to do."""

import re
import socket
from functools import partial

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cli.victor_command import Command
from tests.faults.raw_provider import RawProvider
from tests.providers.systems import ADAPTERS, of_every_system
from tests.security.recorder import RecordingProxy
from victor_ext import Victor, VictorOAuth
from victor_ext.outbox import Outbox

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


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (404, "path of EASTPAY_BASE_URL"),
        (502, "later"),
        (403, "in front of the provider"),
        (401, "made in this environment"),
    ],
)
def test_an_error_of_a_server_before_the_gateway_is_no_passed_check_of_the_token(
    bare_command, httpx_mock, status, advice
):
    httpx_mock.add_response(status_code=status, is_reusable=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        variables = {
            "EASTPAY_BASE_URL": f"http://127.0.0.1:{server.getsockname()[1]}/eastpay",
            "EASTPAY_TOKEN": "t" * 32,
            "EASTPAY_ENTITY_ID": "EB000001",
        }
        words = ("doctor", "--provider", "eastpay", "--json", "--deadline", "1")
        read = checks(bare_command(*words, **variables))["Signed read"]
    assert (read["ok"], advice in read["advice"]) == (False, True)


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


def test_a_proxy_is_looked_at_in_place_of_the_provider(command):
    words = ("doctor", "--json", "--base-url", "https://nobody.invalid", "--deadline", "0.5")
    through = {"HTTPS_PROXY": "http://user:pass-word@127.0.0.1:1", "NO_PROXY": ""}
    ran = command(*words, **through)
    assert (ran.status, verdicts(ran)) == (75, [True] * 5 + [False] + [None] * 3)
    found = "127.0.0.1:1, which HTTPS_PROXY names: calls go through it"
    assert checks(ran)["Proxy"]["found"] == found
    assert "port 1 of the proxy 127.0.0.1 cannot be reached" in checks(ran)["Connection"]["found"]
    assert "pass-word" not in ran.out
    through["NO_PROXY"] = "https://nobody.invalid:443"
    assert verdicts(command(*words, **through)) == [True] * 3 + [False] + [None] * 4


def test_a_proxy_that_opens_no_tunnel_is_75_at_the_signed_read(command, background):
    deaf = RecordingProxy(background, 1, answer=b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
    through = {"HTTPS_PROXY": f"http://127.0.0.1:{deaf.port}", "NO_PROXY": ""}
    words = ("doctor", "--json", "--base-url", "https://nobody.invalid", "--deadline", "0.5")
    ran = command(*words, **through)
    deaf.close()
    assert (ran.status, verdicts(ran)) == (75, [True] * 6 + [None, False, None])


@pytest.fixture
def secured(bare_command, victor_sandbox, background, authority, tmp_path):
    """The command at a provider with TLS, whose authority is in a file."""
    api_key, private_key = victor_sandbox.new_api_key()
    (tmp_path / "authority.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    credentials = {"VICTOR_API_KEY": api_key, "VICTOR_PRIVATE_KEY": private_key}
    provider = RawProvider(background, tls=authority.server())
    settings = {"VICTOR_BASE_URL": provider.url(), **credentials}
    yield Command({**bare_command.environment, **settings})
    provider.close()


def test_the_doctor_trusts_the_certificates_that_the_client_trusts(secured, tmp_path):
    trusting = secured("doctor", "--json", SSL_CERT_FILE=str(tmp_path / "authority.pem"))
    assert trusting.status == 0, trusting
    assert {name for name, each in checks(trusting).items() if not each["ok"]} == {"Clock"}
    tls = checks(trusting)["TLS"]
    assert re.fullmatch(r"TLSv1\.3, the certificate is good for \d+ days", tls["found"])
    assert "expires soon" in tls["advice"]
    doubting = secured("doctor", "--json")
    assert doubting.status == 1
    ok = {name: each["ok"] for name, each in checks(doubting).items()}
    assert {name for name, is_ok in ok.items() if is_ok is False} == {"TLS"}
    assert {name for name, is_ok in ok.items() if is_ok is None} == {"Signed read", "Clock"}
    assert "not trusted" in checks(doubting)["TLS"]["found"]
    bundle = "add its CA to this machine's store, or set SSL_CERT_FILE to its CA bundle"
    for advice in (checks(doubting)["TLS"]["advice"], secured("rfp", "list").err):
        assert bundle in advice


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


@pytest.mark.parametrize(("is_own", "status"), [(True, 0), (False, 1)])
def test_the_doctor_says_whether_an_outbox_is_that_of_these_credentials(
    command, settings, victor_sandbox, victor, tmp_path, is_own, status
):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'invoices.sqlite'}")
    outbox = Outbox(engine)
    outbox.create_table()
    place = ("doctor", "--outbox", str(engine.url))
    assert "has no entries of Victor yet" in command(*place).out
    names = ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
    own = VictorOAuth(*(settings[name] for name in names))
    with Victor(own, base_url=victor_sandbox.url) as same:
        outbox.send(same if is_own else victor)
    engine.dispose()
    ran = command(*place)
    assert ran.status == status
    assert ("the entries belong to Victor" if is_own else "and the client is of Victor") in ran.out


def test_the_doctor_marks_an_outbox_that_cannot_be_opened(command, tmp_path):
    ran = command("doctor", "--outbox", f"sqlite:///{tmp_path / 'nothing.sqlite'}")
    assert ran.status == 1
    assert "✗ Outbox" in ran.out
    assert "there is no file" in ran.out
