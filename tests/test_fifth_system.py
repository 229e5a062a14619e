"""A fifth system, in a folder of its own, is called, reconciled, looked at and played, and refused
by bulk sending.

No file outside of its folder knows it: its entry points say where everything is
(`tests/fifth_system`).
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import victor_ext.reconciliation as books
from tests.programs import python
from tests.providers.connected.till import generated
from tests.sandbox.sandbox_callers import SandboxProcess
from victor_ext import ConfigurationError, Victor
from victor_ext._systems import entry_points_of
from victor_ext.bulk import BulkSender

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parent / "fifth_system"
NOW = datetime.now(UTC)
WINDOW = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=1)}


@pytest.fixture
def system(monkeypatch):
    """The system, as the registry finds it."""
    generated(FOLDER / "tiny.yaml")
    monkeypatch.syspath_prepend(FOLDER)
    before = {*sys.modules}
    yield entry_points_of()["tiny"].load()
    for name in {*sys.modules} - before:
        if name.partition(".")[0] in ("tiny_pay", "tiny_api"):
            del sys.modules[name]


@pytest.fixture
def variables(tmp_path, monkeypatch):
    """What its sandbox, a process of its own, writes for a client."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER), *sys.path]))
    options = ("--provider", "tiny", "--env-file", str(tmp_path / "env"))
    with SandboxProcess(*options):
        yield dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())


def victor(*words):
    """Run the command; return its status and its JSON."""
    ran = python("-m", "victor_ext.cli", *words, "--json")
    return ran.returncode, json.loads(ran.stdout or ran.stderr)


@pytest.fixture
def made(system, variables, monkeypatch):
    """The charges at its provider, for a program with these variables: of INV-1 and INV-3."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with system.load("client").from_env() as tiny:
        return [
            tiny.charges.create(f"INV-{n}", 1200, idempotency_key="k" * 20 + str(n)) for n in (1, 3)
        ]


@pytest.fixture
def ours(tmp_path):
    """What the program has in its books: of INV-1 the same, and INV-2."""
    file = tmp_path / "ours.csv"
    file.write_text("reference,amount\nINV-1,12.00\nINV-2,1.00\n")
    return file


def test_a_fifth_system_is_called_and_reconciled_in_both_modes(system, made, ours):
    """The classes know their system, and nothing is looked for."""
    with system.load("client").from_env() as tiny:
        assert tiny.charges.get(made[0]).reference == "INV-1"
        assert [each.id for each in tiny.charges.list(reference="INV-3")] == made[1:]
        with books.reconcile(tiny, ours, **WINDOW) as report:
            kinds = [row.kind.value for row in report]

    async def awaited():
        async with system.load("async_client").from_env() as tiny:
            assert [charge.id async for charge in tiny.charges.list()] == made
            with await books.reconcile_async(tiny, ours, **WINDOW) as report:
                return [row.kind.value for row in report]

    assert kinds == asyncio.run(awaited()) == ["missing", "only_theirs", "matched"]


@pytest.mark.usefixtures("made")
def test_a_fifth_system_is_refused_where_a_rule_is_for_named_systems_alone(system, ours):
    with system.load("client").from_env() as tiny:
        with pytest.raises(
            ConfigurationError, match=r"TinyPay has no bulk sending: .* It is for Victor or Velo"
        ):
            BulkSender(tiny)
        with pytest.raises(ConfigurationError, match="payor_id is for Velo: name the payor"):
            books.reconcile(tiny, ours, **WINDOW, payor_id="P")


@pytest.mark.usefixtures("made")
def test_the_command_finds_a_fifth_system_by_its_name(ours):
    status, found = victor("doctor", "--provider", "tiny")
    assert (status, found["signed_read"].partition(" (")[0]) == (0, "charges can be listed")
    times = [
        word
        for name, moment in WINDOW.items()
        for word in (f"--{name}", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    ]
    status, found = victor("reconcile", str(ours), "--provider", "tiny", *times)
    assert (status, found["theirs"]) == (1, 2)
    status, found = victor("doctor", "--provider", "tiny", "--environment", "staging")
    assert (status, "not for TinyPay" in found["error"]["message"]) == (2, True)
    status, found = victor("doctor", "--provider", "nobody")
    assert "write one of victor, eastpay, flexfactor, tiny, velo." in found["error"]["message"]


def test_a_program_that_only_makes_calls_does_not_read_the_registry_of_systems():
    program = (
        "import sys, victor_ext, victor_ext.providers.velo\n"
        "victor_ext.Victor; assert victor_ext.providers.velo.Velo.system.title == 'Velo'\n"
        "assert 'importlib.metadata' not in sys.modules"
    )
    assert python("-c", program).returncode == 0


def test_both_clients_of_a_system_know_the_entry_of_the_registry_that_names_it():
    for name, entry in entry_points_of().items():
        found = entry.load()
        assert found.name == name
        assert [found.load(field).system for field in ("client", "async_client")] == [found, found]
    assert Victor.system.bulk
