"""Imports within a call are not interrupted: a Ctrl-C there could leave Python's import lock taken for ever."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from tests.faults.raw_provider import READ, Exchange, RawProvider, answer, behave
from tests.faults.raw_sockets import background
from victor_ext.runtime import late_imports
from victor_ext.runtime.late_imports import import_whole, uninterrupted

Handlers = dict[int, Any]

FIRST_CALLS = """
import json, sys
from importlib.abc import MetaPathFinder
from victor_ext import Victor, VictorError, VictorOAuth
from victor_ext.runtime.loop.retry import RetryPolicy
from victor_ext.zulu import now
import signal

class Watch(MetaPathFinder):
    interruptible = []
    def find_spec(self, name, path, target=None):
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self.interruptible.append(name)

victor = Victor(VictorOAuth("id", "not-a-secret"), base_url=sys.argv[1], retry=RetryPolicy(base=0.0))
requests, due = victor.payment_requests, now().date()
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Watch())
before = set(sys.modules)
try:
    requests.get("R1")
except VictorError as error:
    assert error.status_code == 404, error
requests.get("R1")
requests.create(payee_account_number="043987673645", payer_counterparty_id="c1", amount="44.23",
    biller_type="BUSINESS", due_date=due, client_reference_id="INV-1", idempotency_key="k" * 20)
list(requests.list(status="pending", start_datetime=now()))
requests.accept("R1", notes="Thanks.")
requests.find("INV-1", start_datetime=now())
requests.wait("R1", timeout=5.0)
watch = sys.meta_path.pop(0)
from victor_api.api.payment_requests import get_payment_request  # by the program itself
sys.meta_path.insert(0, watch)
get_payment_request.sync("R1", client=victor.api)
print(json.dumps([Watch.interruptible, sorted(set(sys.modules) - before)]))
"""


def refuse(exchange: Exchange) -> None:
    exchange.send(answer(b"{}", "404 Not Found"))


def be_busy(exchange: Exchange) -> None:
    exchange.send(answer(b"{}", "503 Service Unavailable"))


def behave_in_the_end(exchange: Exchange) -> None:
    """Each request that is read is completed."""
    if exchange.request.path == f"{READ}R1":
        exchange.send(answer(b'{"victor_payment_request_id": "R1", "status": "Completed"}'))
    else:
        behave(exchange)


def test_no_first_call_imports_anything_that_an_interrupt_could_cut() -> None:
    with background() as loop:
        provider = RawProvider(loop)
        provider.acts.extend([be_busy, refuse])
        provider.instead = behave_in_the_end
        ran = subprocess.run(
            [sys.executable, "-c", FIRST_CALLS, provider.url()], capture_output=True, text=True, check=False, timeout=60
        )
        provider.close()
    assert ran.stderr == ""
    interruptible, loaded = json.loads(ran.stdout)
    assert interruptible == []
    ours = {f"victor_ext.providers.victor.{name}" for name in ("creating", "responding", "waiting")}
    assert {*ours, "victor_ext.runtime.loop.events", "victor_api.models.get_payment_request_response"} <= set(loaded)


@pytest.fixture(name="handlers", autouse=True)
def _handlers() -> Iterator[Handlers]:
    """Those of Ctrl-C and of SIGTERM, as in a program of its own: workers of the tests ignore Ctrl-C."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    usual: Handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    for number, handler in usual.items():
        signal.signal(number, handler)
    yield usual
    for number, handler in before.items():
        signal.signal(number, handler)


def raising(error: type[BaseException]) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        raise error

    return handle


def interrupted(done: list[str], *numbers: signal.Signals) -> str:
    for number in numbers:
        signal.raise_signal(number)
        done.append(number.name)
    return "done"


def test_an_interrupt_comes_when_all_is_done(handlers: Handlers) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        uninterrupted(lambda: interrupted(done, signal.SIGINT, signal.SIGINT))
    assert done == ["SIGINT", "SIGINT"]
    assert signal.getsignal(signal.SIGINT) is handlers[signal.SIGINT]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_another_handler_is_called_once_for_each_signal_and_need_not_raise() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: seen.append(number))
    assert uninterrupted(lambda: interrupted([], signal.SIGTERM) + f" {seen}") == "done []"
    assert seen == [signal.SIGTERM]


def test_an_interrupt_while_handlers_are_put_back_costs_no_other_signal_its_handler(
    monkeypatch: pytest.MonkeyPatch, handlers: Handlers
) -> None:
    signal.signal(signal.SIGTERM, raising(SystemExit))

    def put(number: int, handler: Any) -> None:
        signal.signal(number, handler)
        if handler is handlers[signal.SIGINT]:
            signal.raise_signal(signal.SIGINT)

    seen = SimpleNamespace(NSIG=signal.NSIG, getsignal=signal.getsignal, signal=put)
    monkeypatch.setattr(late_imports, "signal", seen)
    with pytest.raises(KeyboardInterrupt):
        uninterrupted(lambda: None)
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)


def test_what_it_raises_itself_is_raised_and_the_handlers_are_back(handlers: Handlers) -> None:
    with pytest.raises(ModuleNotFoundError):
        import_whole("no_such_module_anywhere")
    assert {number: signal.getsignal(number) for number in handlers} == handlers


def test_another_thread_is_not_interrupted_anyway() -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(uninterrupted(lambda: "done")))
    thread.start()
    thread.join()
    assert found == ["done"]
