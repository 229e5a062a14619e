"""`client.read`: one object of any system, by the name of what reads it; the table of operations
decides what that may be, and nothing else is ever sent.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from tests.providers.connected.till import client_class
from tests.providers.running import MODES, Script, run
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS
from tests.providers.test_introspection import methods_of
from victor_ext import ConfigurationError, InvalidRequest, NotFound, VictorError, connect
from victor_ext.providers import Money
from victor_ext.providers.velo import Velo
from victor_ext.runtime.client.object_reads import read_only_method
from victor_ext.runtime.loop.idempotency_keys import NoKey
from victor_ext.runtime.loop.operations import Effect, Operation, Shown
from victor_ext.runtime.loop.table import Operations

ID = "abcdef12"
PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
TINY = {"token": "t" * 40, "base_url": "https://tiny.example"}
KINDS: dict[str, tuple[Any, Any]] = {**CLIENTS, "tiny": ADAPTERS["tiny"].Harness.kinds}
each_system = pytest.mark.parametrize("system", KINDS)
each_mode = pytest.mark.parametrize("mode", MODES)


def arguments(system: str) -> dict[str, Any]:
    return ARGUMENTS.get(system, TINY)


def over(system: str, script: Script) -> Any:
    """A client with blocking calls, over a script."""
    return KINDS[system][0](**arguments(system), transport=script.transport)


def table(client: Any) -> Operations:
    operations: Operations = client._config.loop.behaviour.operations
    return operations


def nothing_there() -> Script:
    return Script(httpx.Response(404, json={}))


def readable(system: str) -> list[str]:
    return list(over(system, nothing_there()).object_reads)


def reading(name: str) -> Callable[[Any], Any]:
    return lambda client: client.read(name, ID)


EVERY_READ = [(system, name) for system in KINDS for name in readable(system)]


@each_mode
@pytest.mark.parametrize(("system", "name"), EVERY_READ)
def test_a_read_sends_the_one_request_of_its_own_row(mode: str, system: str, name: str) -> None:
    script, kind = nothing_there(), KINDS[system][mode == "awaited"]
    with pytest.raises(NotFound):
        run(kind, reading(name), **arguments(system), transport=script.transport)
    (request,) = script.requests
    row = table(over(system, script)).of(request)
    assert (row.client_method, row.effect) == (name, Effect.READS)


@each_system
def test_every_system_reads_some_object(system: str) -> None:
    assert readable(system)


def takes_an_id_alone(method: Any) -> bool:
    parameters = inspect.signature(method).parameters.values()
    needed = [each for each in parameters if each.default is inspect.Parameter.empty]
    return [(each.annotation, each.kind) for each in needed] == [
        ("str", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]


def may_be_about_one_object(name: str, method: Any) -> bool:
    """Whether a method sends something about one object at once, and only once."""
    returned = str(inspect.signature(method).return_annotation)
    is_other = name.endswith((".find", ".export", ".wait", ".wait_for_batch", ".widget_url"))
    return (
        takes_an_id_alone(method)
        and not returned.startswith(("Pages", "Iterator"))
        and not is_other
    )


@each_system
def test_what_reads_one_object_by_its_id_has_its_name_in_the_table(system: str) -> None:
    script = nothing_there()
    client, unnamed = over(system, script), list[str]()
    for name, method in methods_of(client).items():
        if name in client.object_reads or not may_be_about_one_object(name, method):
            continue
        script.requests.clear()
        with suppress(VictorError):
            method(ID)
        if any(table(client).of(request).reads for request in script.requests[:1]):
            unnamed.append(name)
    assert unnamed == []


@each_mode
@each_system
def test_every_other_operation_is_refused_by_name_before_anything_is_sent(
    mode: str, system: str
) -> None:
    script, kind = nothing_there(), KINDS[system][mode == "awaited"]
    known = readable(system)
    names = over(system, script).operation_names if system != "tiny" else ["charges.create"]
    others = [name for name in names if name not in known]
    assert others
    for name in others:
        with pytest.raises(ConfigurationError) as raised:
            run(kind, reading(name), **arguments(system), transport=script.transport)
        assert f"{name!r} does not read one object by its id" in str(raised.value)
        assert "Did you mean" not in str(raised.value)
        assert all(each in str(raised.value) for each in known)
    assert script.requests == []


WRITES_BY_ID = [
    (system, name)
    for system in CLIENTS
    for name, method in methods_of(over(system, nothing_there())).items()
    if may_be_about_one_object(name, method) and name not in readable(system)
]


@pytest.mark.parametrize(("system", "name"), WRITES_BY_ID)
def test_the_effect_of_a_row_decides_and_not_the_name_that_it_has(
    monkeypatch: pytest.MonkeyPatch, system: str, name: str
) -> None:
    """A mistake in the table: a row that reads has the name of a method that writes."""
    script = nothing_there()
    client = over(system, script)
    monkeypatch.setattr(Operations, "object_reads", lambda _table: [name])
    with pytest.raises(ConfigurationError, match="is no read: it was not sent"):
        client.read(name, ID)
    assert script.requests == []


def test_some_writes_take_an_id_alone() -> None:
    assert {("velo", "payouts.instruct"), ("flexfactor", "orders.cancel")} <= {*WRITES_BY_ID}


def test_a_write_that_begins_with_a_read_gets_no_further_than_that() -> None:
    account = {"id": ID, "currency": "USD", "balance": 1}
    script = Script(httpx.Response(200, json=account))
    fund = read_only_method(over("velo", script), "source_accounts.fund")
    with pytest.raises(ConfigurationError, match="fundingRequest, which is no read"):
        fund(ID, funding_account_id="bank-1", amount=Money.of("1.00", "USD"))
    assert [request.method for request in script.requests] == ["GET"]


def test_a_read_is_one_by_its_effect_whatever_its_method_is() -> None:
    row = Operation(effect=Effect.READS, client_method="payments.ask")
    rows = {"POST /payments/{}/inquiry": row}
    url = httpx.URL("https://bank.example")
    assert Operations((), url, NoKey(), elsewhere=rows).object_reads() == ["payments.ask"]
    for other in (
        replace(row, effect=Effect.SETS),
        replace(row, shown=Shown.NOTHING),  # whatever it reads is a secret
        replace(row, client_method=""),
    ):
        others = {"GET /payments/{}": other}
        table = Operations((), url, NoKey(), elsewhere={**rows, **others})
        assert table.object_reads() == ["payments.ask"]
        assert Operations((), url, NoKey(), elsewhere=others).object_reads() == []


@pytest.mark.parametrize("ids", [(), (ID, ID)])
def test_another_number_of_ids_is_refused_with_their_names(ids: tuple[str, ...]) -> None:
    script = nothing_there()
    with pytest.raises(ConfigurationError, match=r"payouts\.get takes payout_id, and") as raised:
        over("velo", script).read("payouts.get", *ids)
    assert f"{len(ids)} ids were passed: nothing was sent" in str(raised.value)
    assert script.requests == []


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant() -> None:
    script = nothing_there()
    with pytest.raises(ConfigurationError, match=r"Did you mean 'payouts\.history'\?"):
        over("velo", script).read("payouts.histroy", ID)
    assert script.requests == []


def test_an_id_that_cannot_be_one_is_refused_as_by_the_method() -> None:
    script = nothing_there()
    with pytest.raises(InvalidRequest, match="payout_id"):
        over("velo", script).read("payouts.get", "..")
    assert script.requests == []


def test_it_returns_what_the_method_returns_with_its_response() -> None:
    payout = {"payoutId": ID, "status": "ACCEPTED"}
    client = over("velo", Script(httpx.Response(200, json=payout)))
    assert isinstance(client, Velo)
    read = client.read("payouts.get", ID)
    assert read == client.payouts.get(ID)
    assert read.response_info.status_code == 200


def test_a_client_of_a_document_alone_has_no_names_of_methods() -> None:
    with connect(client_class(), base_url="https://till.example", auth=None) as client:
        assert client.object_reads == {}
        with pytest.raises(ConfigurationError, match="operations that do: none"):
            client.read("payments.get_payment", ID)


def test_the_reference_names_what_can_be_read() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [
        f"| `{system}` | {', '.join(f'`{name}`' for name in readable(system))} |"
        for system in CLIENTS
    ]
    assert "\n".join(["| system | operations |", "|---|---|", *rows, ""]) in page
