"""The payment systems by name: the adapter of each, and the clients of those that are installed,
with arguments.

A system that is new brings its adapter, and an entry in each table that is `of_every_system`. What
is missing is an error that names it. An adapter has:

SANDBOX: The class of its sandbox.
Harness: A client of that sandbox, a subclass of `running.Harness`.
READ, WRITE, MORE: An `Exchange` that reads, one that makes something, and those of its other
    operations.
REFUSAL: The body of a response that refuses a write, with the text `no`.

And that of an installed system:

ARGUMENTS, SETTINGS: The arguments of a client that calls nobody; those that variables hold.
WITHOUT: The ids of the operations without an `Exchange`, each with the reason.
"""

import importlib
import json
from pathlib import Path

import httpx
import pytest

from tests.providers.connected.till import Caller
from tests.providers.running import MODES, ONCE, run
from victor_ext._systems import entry_points_of


def of_every_system(where, table, *, without=()):
    """The table, if it has an entry of each system that is installed. A key begins with the name of
    its system.

    Args:
        where: The module that the table is in.
        without: The systems that have nothing to show there.

    Raises:
        LookupError: An entry is missing; the message names the system and the file.
    """
    present = {key.replace(",", " ").split()[0] for key in table}
    missing = [name for name in entry_points_of() if name not in present | {*without}]
    if missing:
        file = f"{where.replace('.', '/')}.py"
        raise LookupError(
            f"{file}: there is no entry of {', '.join(missing)}. Write one like those of the other "
            "systems, or name the system in `without`."
        )
    return table


_FOLDERS = sorted(file.parent.name for file in Path(__file__).parent.glob("*/adapter.py"))
ADAPTERS = {
    **{
        name: importlib.import_module(f"tests.providers.{name}.adapter")
        for name in sorted({*_FOLDERS, *entry_points_of()})
    },
    "tiny": importlib.import_module("tests.fifth_system.adapter"),
}
CLIENTS = {
    name: (entry.load().load("client"), entry.load().load("async_client"))
    for name, entry in entry_points_of().items()
}
ARGUMENTS = {name: ADAPTERS[name].ARGUMENTS for name in CLIENTS}


def each_exchange(*, writes=False):
    """Run a test with each exchange of each system, or with those that write. `make quick` runs the
    first ones of each system.
    """
    rows = [
        pytest.param(system, exchange, id=f"{system}-{exchange.word}", marks=marks)
        for system, adapter in ADAPTERS.items()
        for marks, exchanges in (
            ((), (adapter.READ, adapter.WRITE)),
            ([pytest.mark.slow], adapter.MORE),
        )
        for exchange in exchanges
        if exchange.writes or not writes
    ]
    return pytest.mark.parametrize(("system", "exchange"), rows)


def called(system, mode, call, provider, **options):
    """What a call of a client of an installed system comes to over a script, or another handler in
    place of a network, in one attempt; `connected` is a client of Victor's package.
    """
    options = {"transport": httpx.MockTransport(provider), "retry": ONCE, **options}
    if system == "connected":
        return Caller(mode, package="victor_api", **options).run(call)
    return run(CLIENTS[system][MODES.index(mode)], call, **{**ARGUMENTS[system], **options})


def refusal(system, status=400, words="no"):
    """A response that refuses a call in these words, in the format of a system."""
    body = json.dumps(ADAPTERS[system].REFUSAL).replace('"no"', json.dumps(words))
    return httpx.Response(status, json=json.loads(body))
