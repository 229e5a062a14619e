"""`victor doctor`: tick or cross, and what to do."""

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cli.victor_command import Command, Ran
from tests.faults.certificates import Authority
from tests.faults.raw_provider import RawProvider
from tests.faults.raw_sockets import background
from tests.providers.systems import ADAPTERS, of_every_system
from tests.security.recorder import RecordingProxy
from victor_ext.sandbox import Sandbox

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
    "Settings",
    "Credentials",
    "Environment",
    "DNS",
    "Connection",
    "TLS",
    "Signed read",
    "Clock",
]


def checks(ran: Ran) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in ran.json["checks"]}


def verdicts(ran: Ran) -> list[bool | None]:
    return [each["ok"] for each in ran.json["checks"]]


@pytest.mark.parametrize("columns", [60, 140])
def test_where_all_is_well_each_check_has_a_line(command: Command, columns: int) -> None:
    ran = command.at_terminal("doctor", columns=columns)
    assert (ran.status, ran.err) == (0, "")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", ran.out).splitlines()
    assert max(map(len, lines)) <= columns
    named = [line for line in lines if not line.startswith(" ")]
    assert [line[2:15].strip() for line in named] == CHECKS
    assert [line[0] for line in named] == ["✓"] * 5 + ["-"] + ["✓"] * 2
    assert "\x1b[32m✓" in ran.out


def test_the_page_shows_these_checks(
    command: Command, settings: dict[str, str], victor_sandbox: Sandbox
) -> None:
    ran = command("doctor", "--json")
    assert (ran.status, ran.err, ran.json["ok"], ran.json["exit_status"], list(checks(ran))) == (
        0,
        "",
        True,
        0,
        CHECKS,
    )
    assert all(
        0 <= checks(ran)[name]["seconds"] < 30 for name in ("DNS", "Connection", "Signed read")
    )
    assert settings["VICTOR_CLIENT_SECRET"] not in ran.out
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    shown = page.partition("$ victor doctor\n")[2].partition("```")[0].splitlines()
    assert [line[2:15].strip() for line in shown if line[0] != " "] == CHECKS
    victor_sandbox.set_clock_skew(95)
    printed = command("doctor").out.splitlines()
    assert shown[-2:] == [re.sub(r"\b9[456] s", "95 s", line) for line in printed[-2:]]


@pytest.mark.parametrize("provider", ["velo", "flexfactor", "eastpay"])
def test_the_other_systems_are_looked_at_in_the_same_way(
    bare_command: Command, provider: str
) -> None:
    with ADAPTERS[provider].sandbox() as sandbox:
        settings = sandbox._service.provider.client_settings(sandbox.url)  # as --env-file has them
        variables = dict(line.split("=", 1) for line in settings.splitlines())
        url = variables[f"{provider.upper()}_BASE_URL"]
        ran = bare_command("doctor", "--provider", provider, "--json", **variables)
        assert (ran.status, verdicts(ran)) == (0, [True] * 5 + [None, True, True]), ran
        assert checks(ran)["Environment"]["found"].endswith(url)
        missing = bare_command("doctor", "--provider", provider, "--json")
        assert (missing.status, verdicts(missing)) == (2, [True, False])
        assert f"{provider.upper()}_" in checks(missing)["Credentials"]["found"]
    away = bare_command("doctor", "--provider", provider, "--json", **variables)
    assert (away.status, f"--provider {provider}'" in checks(away)["Connection"]["advice"]) == (
        75,
        True,
    )


@pytest.mark.parametrize("provider", sorted(SECRETS))
def test_a_wrong_secret_of_any_system_is_crossed_with_what_to_check(
    bare_command: Command, provider: str
) -> None:
    with ADAPTERS[provider].sandbox() as sandbox:
        settings = sandbox._service.provider.client_settings(sandbox.url)
        variables = dict(line.split("=", 1) for line in settings.splitlines() if line[0] != "#")
        variables[SECRETS[provider]] = "wrong" * 8
        ran = bare_command("doctor", "--provider", provider, "--json", **variables)
    read = checks(ran)["Signed read"]
    assert (ran.status, read["ok"]) == (1, False), ran
    assert "made in this environment" in read["advice"]
    assert "check" in read["found"].casefold(), "the message says nothing of what to check"


@pytest.mark.parametrize(("status", "advice"), [(404, "path of EASTPAY_BASE_URL"), (502, "later")])
def test_a_404_of_a_server_before_the_gateway_proves_no_token(
    bare_command: Command, status: int, advice: str
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        variables = {
            "EASTPAY_BASE_URL": f"http://127.0.0.1:{server.server_port}/eastpay",
            "EASTPAY_TOKEN": "t" * 32,
            "EASTPAY_ENTITY_ID": "EB000001",
        }
        words = ("doctor", "--provider", "eastpay", "--json", "--deadline", "3")
        ran = bare_command(*words, **variables)
        server.shutdown()
    assert checks(ran)["Signed read"]["ok"] is False, ran
    assert advice in checks(ran)["Signed read"]["advice"]


def test_a_setting_that_is_missing_ends_it(bare_command: Command) -> None:
    ran = bare_command("doctor", "--json")
    assert (ran.status, verdicts(ran)) == (2, [True, False])
    assert "VICTOR_CLIENT_ID" in checks(ran)["Credentials"]["found"]
    for words in ("--profile", "'victor sandbox --env-file FILE'"):
        assert words in checks(ran)["Credentials"]["advice"]
        assert words in bare_command("rfp", "list").err
    assert "✓" not in bare_command("doctor", "--provider", "vello").out
    ran = bare_command("doctor", "--provider", "paypal")
    assert (ran.status, "--provider is 'paypal': write one of" in ran.err) == (2, True), ran


@pytest.mark.parametrize(
    ("provider", "variables"),
    [
        ("flexfactor", {"FLEXFACTOR_MID": "nope", "FLEXFACTOR_APP_KEY": "k" * 20}),
        ("eastpay", {"EASTPAY_TOKEN": "wrong", "EASTPAY_ENTITY_ID": "EB000001"}),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable(
    bare_command: Command, provider: str, variables: dict[str, str]
) -> None:
    others = {"FLEXFACTOR_APP_SECRET": "s" * 20, "FLEXFACTOR_ENVIRONMENT": "sandbox"}
    given = {**variables, **(others if provider == "flexfactor" else {})}
    url = {f"{provider.upper()}_BASE_URL": "http://127.0.0.1:9"}
    ran = bare_command("doctor", "--provider", provider, "--json", **given, **url)
    found = checks(ran)["Credentials"]["found"]
    assert next(iter(variables)) in found, found


def test_credentials_of_somebody_else_are_crossed(command: Command) -> None:
    ran = command("doctor", "--json", VICTOR_CLIENT_SECRET="wrong")
    assert (ran.status, verdicts(ran)) == (1, [True, True, True, True, True, None, False, True])
    assert "made in this environment" in checks(ran)["Signed read"]["advice"]


def test_a_host_that_is_not_there_is_75(command: Command) -> None:
    ran = command("doctor", "--json", "--base-url", "https://nobody.invalid")
    assert (ran.status, verdicts(ran)) == (75, [True, True, True, False, None, None, None, None])
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ran = command(
            "doctor", "--json", "--base-url", f"http://127.0.0.1:{unused.getsockname()[1]}"
        )
    assert (ran.status, verdicts(ran)) == (75, [True, True, True, True, False, None, None, None])
    assert checks(ran)["Signed read"]["found"] == "skipped: Connection must be fixed first"


def test_a_provider_that_is_out_of_order_is_crossed(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("status", operation="list", status=503, times=None)
    ran = command("doctor", "--json", "--deadline", "0.5")
    assert (ran.status, checks(ran)["Signed read"]["ok"], checks(ran)["Clock"]["ok"]) == (
        1,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("skew", "said"), [(-90.0, "90 s ahead of the provider's"), (90.0, "90 s behind")]
)
def test_a_clock_that_is_off_is_crossed(
    command: Command, victor_sandbox: Sandbox, skew: float, said: str
) -> None:
    victor_sandbox.set_clock_skew(skew)
    ran = command("doctor", "--json")
    assert (ran.status, checks(ran)["Signed read"]["ok"], checks(ran)["Clock"]["ok"]) == (
        1,
        True,
        False,
    )
    found = checks(ran)["Clock"]["found"].replace("89 s", "90 s").replace("91 s", "90 s")
    assert said in found
    assert "NTP" in checks(ran)["Clock"]["advice"]


def test_a_proxy_is_looked_at_in_place_of_the_provider(command: Command) -> None:
    through = {"HTTPS_PROXY": "http://user:pass-word@127.0.0.1:1", "NO_PROXY": ""}
    ran = command(
        "doctor", "--json", "--base-url", "https://nobody.invalid", "--deadline", "0.5", **through
    )
    assert (ran.status, verdicts(ran)) == (75, [True] * 5 + [False] + [None] * 3)
    assert (
        checks(ran)["Proxy"]["found"] == "127.0.0.1:1, which HTTPS_PROXY names: calls go through it"
    )
    assert "port 1 of the proxy 127.0.0.1 cannot be reached" in checks(ran)["Connection"]["found"]
    assert "HTTPS_PROXY" in checks(ran)["Connection"]["advice"]
    assert "pass-word" not in ran.out
    through["NO_PROXY"] = "https://nobody.invalid:443"
    ran = command("doctor", "--json", "--base-url", "https://nobody.invalid", **through)
    assert (ran.status, verdicts(ran)) == (75, [True] * 3 + [False] + [None] * 4)
    with background() as loop:
        deaf = RecordingProxy(loop, 1, answer=b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
        through = {"HTTPS_PROXY": f"http://127.0.0.1:{deaf.port}", "NO_PROXY": ""}
        ran = command(
            "doctor",
            "--json",
            "--base-url",
            "https://nobody.invalid",
            "--deadline",
            "0.5",
            **through,
        )
        deaf.close()
    assert (ran.status, verdicts(ran)) == (75, [True] * 6 + [None, False, None])
    assert "crossed above" not in checks(ran)["Signed read"]["advice"]


@pytest.fixture
def secured(bare_command: Command, victor_sandbox: Sandbox, tmp_path: Path) -> Iterator[Command]:
    """The command at a provider with TLS, whose authority is in a file."""
    api_key, private_key = victor_sandbox.new_api_key()
    authority = Authority(tmp_path)
    (tmp_path / "authority.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    with background() as loop:
        provider = RawProvider(loop, tls=authority.server())
        settings = {
            "VICTOR_BASE_URL": provider.url(),
            "VICTOR_API_KEY": api_key,
            "VICTOR_PRIVATE_KEY": private_key,
        }
        yield Command({**bare_command.environment, **settings})
        provider.close()


def test_tls_is_looked_at_with_what_the_client_trusts(secured: Command, tmp_path: Path) -> None:
    ran = secured("doctor", "--json", SSL_CERT_FILE=str(tmp_path / "authority.pem"))
    assert (ran.status, verdicts(ran)) == (0, [True] * 7 + [None]), ran
    assert re.fullmatch(
        r"TLSv1\.3, the certificate is good for \d+ days", checks(ran)["TLS"]["found"]
    )
    assert "expires soon" in checks(ran)["TLS"]["advice"]
    ran = secured("doctor", "--json")
    assert (ran.status, verdicts(ran)) == (1, [True] * 5 + [False, None, None])
    assert "not trusted" in checks(ran)["TLS"]["found"]
    read = secured("rfp", "list")
    assert read.status == 75
    for advice in (checks(ran)["TLS"]["advice"], read.err):
        assert (
            "add its CA to this machine's store, or set SSL_CERT_FILE to its CA bundle (in Python "
            "also verify=)" in advice
        )


@pytest.mark.parametrize("variable", ["VICTOR_PRIVATE_KEY_FILE", "VICTOR_PRIVATE_KEY"])
def test_a_key_file_that_others_may_read_is_named(
    bare_command: Command, victor_sandbox: Sandbox, tmp_path: Path, variable: str
) -> None:
    """It is no failure: a container may get its secrets so."""
    api_key, private_key = victor_sandbox.new_api_key()
    file = tmp_path / "key.pem"
    file.write_text(private_key, "utf-8")
    file.chmod(0o644)
    variables = {
        "VICTOR_BASE_URL": victor_sandbox.url,
        "VICTOR_API_KEY": api_key,
        variable: str(file),
    }
    readable = bare_command("doctor", "--json", **variables)
    assert readable.status == 0, readable
    finding = checks(readable)["Key file"]
    assert finding["ok"] is None
    assert finding["found"] == (
        f"{variable}: {file} holds secrets, and others may read or change it (mode 644): "
        f"chmod 600 {file}"
    )
    file.chmod(0o600)
    assert "Key file" not in checks(bare_command("doctor", "--json", **variables))
