"""`--profile`: named settings in a file that only its owner can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import cases_beside
from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.velo import VeloSandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]


@pytest.fixture
def file(tmp_path: Path, settings: dict[str, str]) -> Path:
    """Two profiles: the sandbox's credentials, and one without any."""
    path = tmp_path / "victor" / "profiles.toml"
    path.parent.mkdir()
    lines = [f'{name.removeprefix("VICTOR_").lower()} = "{value}"' for name, value in settings.items()]
    path.write_text("\n".join(["[sandbox]", *lines, "[empty]", 'environment = "production"', ""]))
    path.chmod(0o600)
    return path


@pytest.fixture
def profiled(bare_command: Command, file: Path) -> Command:
    """The command without settings of its own."""
    return Command({**bare_command.environment, "XDG_CONFIG_HOME": str(file.parents[1])})


@pytest.mark.victor_sandbox(demo_data=True)
@pytest.mark.parametrize("option", [("--profile", "sandbox"), ()])
def test_a_profile_is_all_that_is_needed(profiled: Command, option: tuple[str, ...]) -> None:
    variables = {} if option else {"VICTOR_PROFILE": "sandbox"}
    ran = profiled("rfp", "list", "--json", *option, **variables)
    assert (ran.status, ran.err, len(ran.json_lines)) == (0, "", 2)


def test_a_profile_stands_alone(profiled: Command, settings: dict[str, str]) -> None:
    other = {"VICTOR_API_KEY": "k", "VICTOR_BASE_URL": "http://127.0.0.1:1", "VICTOR_ENVIRONMENT": "production"}
    assert profiled("rfp", "list", "--profile", "sandbox", **other).status == 0
    ran = profiled("rfp", "list", "--profile", "empty", **settings)
    assert (ran.status, ran.out) == (2, "")
    assert "are not set" in ran.err


def test_an_empty_name_is_no_profile(profiled: Command, settings: dict[str, str]) -> None:
    ran = profiled("rfp", "list", "--profile", "", **settings)
    assert (ran.status, ran.out) == (2, "")
    assert "There is no profile '' in" in ran.err


def test_the_command_that_settles_a_create_names_the_profile(profiled: Command, victor_sandbox: Sandbox) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    ran = profiled(*words(), "--profile", "sandbox", "--deadline", "0.5", "--json")
    assert ran.status == 3
    assert " --profile sandbox " in ran.error["next_command"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_may_read_or_change_is_refused(profiled: Command, file: Path, mode: int) -> None:
    file.chmod(mode)
    ran = profiled("rfp", "list", "--profile", "sandbox")
    assert (ran.status, ran.out) == (2, "")
    assert f"(mode {mode:o}): chmod 600 {file}" in ran.err


@pytest.mark.parametrize(("text", "said"), cases_beside(__file__)["profiles"])
def test_a_file_that_cannot_be_used_is_said_without_its_values(
    profiled: Command, file: Path, text: str | None, said: str
) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text.encode(errors="surrogateescape"))
    ran = profiled("rfp", "list", "--profile", "sandbox")
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert "s3cret" not in ran.err
    assert "12345" not in ran.err


def test_the_doctor_crosses_a_profile_that_cannot_be_used(profiled: Command, file: Path) -> None:
    ran = profiled("doctor", "--profile", "nobody", "--json")
    assert (ran.status, ran.err, ran.json["ok"], ran.json["exit_status"]) == (2, "", False, 2)
    [crossed] = ran.json["checks"]
    assert (crossed["check"], crossed["ok"]) == ("Settings", False)
    assert crossed["found"] == f"There is no profile 'nobody' in {file}, which has: sandbox, empty."
    assert "name another profile" in crossed["advice"]
    file.chmod(0o644)
    ran = profiled("doctor", VICTOR_PROFILE="sandbox")
    assert (ran.status, ran.err) == (2, "")
    assert ran.out.startswith("✗ Settings") and f"chmod 600 {file}" in ran.out


@pytest.mark.parametrize("chosen", ["option", "variable"])
def test_a_profile_is_of_the_system_that_the_command_names(profiled: Command, file: Path, chosen: str) -> None:
    option, variables = (("--profile", "payouts"), {}) if chosen == "option" else ((), {"VELO_PROFILE": "payouts"})
    with VeloSandbox() as velo:
        key, secret = velo.add_key()
        settings = f'base_url = "{velo.url}"\napi_key = "{key}"\napi_secret = "{secret}"\n'
        file.write_text(f"{file.read_text()}[payouts]\n{settings}")
        other = {"VELO_API_KEY": "k", "VELO_BASE_URL": "http://127.0.0.1:1", "VICTOR_PROFILE": "nobody"}
        ran = profiled("doctor", "--provider", "velo", "--json", *option, **other, **variables)
        assert ran.status == 0, ran
        assert ran.json["checks"][0]["found"] == "the profile payouts"
        book = file.with_name("book.csv")
        book.write_text("reference,id,amount,currency,at\n")
        window = ("--start", "yesterday", "--end", "today", "--payor-id", velo.payor_id)
        compared = profiled("reconcile", str(book), "--provider", "velo", *window, *option, **other, **variables)
        assert (compared.status, "Nothing was compared" in compared.out) == (0, True), compared
    refused = profiled("doctor", "--profile", "payouts")
    assert "has api_secret, which is not a setting of Victor" in refused.out
