"""The command as a whole: settings, start, `victor token`, `victor sandbox`."""

import json
import re
import signal

import httpx
import pytest

from tests.cases import cases_beside
from tests.programs import python
from victor_ext import __version__, idempotency_key_for
from victor_ext.sandbox import RemoteSandbox

pytestmark = pytest.mark.slow
LIGHT = """
import sys
from victor_ext.cli import main
status = main({words!r})
heavy = (
    "httpx", "cryptography", "jwt", "victor_api", "starlette", "uvicorn", "rich",
    "sqlalchemy", "psycopg", "django",
)
limits = {{"victor_api", "victor_api.typed", "victor_api.typed.rows"}}  # data alone
slow = ["logging", "ssl", "victor_ext.sandbox"]
if "pydantic" not in sys.modules and not {lists_commands}:
    slow.append("importlib.metadata")
found = sorted(
    name for name in sys.modules
    if (name.partition(".")[0] in heavy or name.startswith(tuple(slow))) and name not in limits
)
assert (status, found) == (0, []), (status, found)
"""
WITHOUT_EXTRA = """
import sys
sys.modules[{name!r}] = None
from victor_ext.cli import main
sys.exit(main({words!r}))
"""


def test_victor_key_prints_the_idempotency_key_of_a_kind_and_a_value(bare_command):
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out, ran.err) == (0, f"{idempotency_key_for('invoice', 1042)}\n", "")
    assert bare_command("key", "a", "bc").out != bare_command("key", "ab", "c").out
    in_json = bare_command("key", "invoice", "1042", "--json").json
    assert in_json == {"idempotency_key": ran.out.strip()}


def test_help_names_the_settings_and_the_exit_statuses(bare_command):
    ran = bare_command("--help")
    names = "ENVIRONMENT BASE_URL CLIENT_ID CLIENT_SECRET API_KEY PRIVATE_KEY PRIVATE_KEY_FILE"
    for variable in (*names.split(), "PRIVATE_KEY_PASSWORD"):
        assert re.search(rf"\bVICTOR_{variable}\b", ran.out)
    statuses = re.findall(r"\b[0-9]+\b", ran.out.partition("Exit status:")[2])
    assert statuses == ["0", "1", "2", "3", "75", "130", "143", "129", "141"]
    for words in ((), ("rfp",), ("bulk",), ("outbox",)):
        assert bare_command(*words).out == bare_command(*words, "--help").out
    assert bare_command("--version").out == f"victor {__version__}\n"


def test_a_shell_completes_commands_and_options(bare_command):
    typed = {
        "_VICTOR_COMPLETE": "complete_bash",
        "COMP_WORDS": "victor key --js",
        "COMP_CWORD": "2",
    }
    assert bare_command(**typed).out == "--json\n"


def test_token_prints_an_authorization_header_that_the_provider_accepts(command, victor_sandbox):
    ran = command("token")
    assert (ran.status, ran.err) == (0, "")
    url = f"{victor_sandbox.url}/v2/payment-requests"
    assert httpx.get(url, headers={"Authorization": ran.out.strip()}).status_code == 200
    assert command("token", "--json").json["authorization"].startswith("Bearer ")
    assert "This is a secret" in command.at_terminal("token").err


@pytest.mark.parametrize(
    "words", [["--help"], ["rfp", "create", "--help"], ["bulk", "--help"], ["--version"]]
)
def test_help_and_version_load_no_heavy_modules(words):
    """The list of the commands alone reads which are installed."""
    lists_commands = words == ["--help"]
    ran = python("-c", LIGHT.format(words=words, lists_commands=lists_commands))
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(("name", "words", "extra"), cases_beside(__file__)["extras"])
def test_a_missing_extra_is_reported_in_one_line_with_the_command_that_installs_the_extra(
    name, words, extra
):
    ran = python("-c", WITHOUT_EXTRA.format(name=name, words=words))
    assert ran.returncode == 2
    assert f"pip install './victor_ext-{__version__}-py3-none-any.whl[{extra}]'" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_sandbox_runs_until_it_is_stopped(bare_command, number):
    words = ("sandbox", "--port", "0", "--json", "--environment", "production")
    with bare_command.started(*words) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        assert RemoteSandbox(url).info()["settings"]["environment"] == "production"
        assert bare_command.stopped(process, number).status == 0


def test_the_message_about_a_wrong_variable_names_the_variable_of_the_chosen_system(bare_command):
    credentials = {"VELO_API_KEY": "k", "VELO_API_SECRET": "s"}
    ran = bare_command("doctor", "--provider", "velo", **credentials, VELO_ENVIRONMENT="staging")
    assert (ran.status, ran.out) == (2, "")
    assert "VELO_ENVIRONMENT" in ran.err
    assert "VICTOR_ENVIRONMENT" not in ran.err
