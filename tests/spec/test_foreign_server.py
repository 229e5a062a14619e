"""A server of somebody else: localstripe, called by clients that are made from Stripe's own document.

Neither is part of this project: `VICTOR_STRIPE_DOCUMENT` names the document, and localstripe is installed for the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from victor_ext import BearerAuth, CursorPages, HeaderKey, Outcome, RetryPolicy, connect, connect_async, expect
from victor_ext.errors import StatusError
from victor_ext.spec.generate import generate

pytestmark = [pytest.mark.thorough, pytest.mark.nightly]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-payment-api.md"
SERVER = """
import sys
from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app

failed = []

@web.middleware
async def noted(request, handler):
    key = request.headers.get("Idempotency-Key")
    print(request.method, request.path, key, flush=True)
    if request.path == "/v1/refunds" and key not in failed:
        failed.append(key)
        return web.Response(status=503)
    return await handler(request)

Store.dump_to_disk = lambda store: None  # it would write to one place for all
app.middlewares.insert(0, noted)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
"""The server, with a log of keys; each refund fails once, before anything is done."""


class Foreign(NamedTuple):
    """The running server."""

    url: str
    log: Path

    def keys(self, request: str) -> list[str]:
        """The idempotency keys of the requests to one place, such as `POST /v1/refunds`."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line.removeprefix(f"{request} ") for line in lines if line.startswith(f"{request} ")]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    document = os.environ.get("VICTOR_STRIPE_DOCUMENT")
    if document is None:
        pytest.skip("VICTOR_STRIPE_DOCUMENT names no document: give the path of Stripe's openapi/spec3.json")
    folder = tmp_path_factory.mktemp("foreign")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / "server"), "localstripe"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"localstripe cannot be installed here: {installed.stderr.strip().splitlines()[-1]}")
    assert generate(Path(document), folder, name="spec3_api").left_out == []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    with (folder / "log.txt").open("w") as log, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        environment = {**os.environ, "PYTHONPATH": str(folder / "server")}
        command = [sys.executable, "-c", SERVER, str(address[1])]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not _listens(address):
                assert process.poll() is None, (folder / "log.txt").read_text(encoding="utf-8")
            yield Foreign(f"http://127.0.0.1:{address[1]}", folder / "log.txt")
        finally:
            process.terminate()
            process.wait()


def _listens(address: Any) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(address, 1):
        return True
    return False


class Mode:
    """Blocking or awaited calls, written once."""

    def __init__(self, client: Any, *, awaited: bool) -> None:
        self._client, self._awaited = client, awaited
        self.models = importlib.import_module("spec3_api.models")

    async def post(self, path: str, kind: str, key: str, **fields: Any) -> Any:
        """The object that the server made."""
        module = importlib.import_module(f"spec3_api.api.default.post_{path}")
        words = "".join(word.capitalize() for word in path.split("_"))
        body = getattr(self.models, f"Post{words}Body").from_dict(fields)
        api = self._client.with_key(key)
        answer = await module.asyncio(client=api, body=body) if self._awaited else module.sync(client=api, body=body)
        return expect(getattr(self.models, kind), answer)

    async def walk(self, name: str, kind: str, **arguments: Any) -> list[Any]:
        """All items of a list."""
        pages = CursorPages("starting_after", last="id", more="has_more", items="data", id="id")
        module = importlib.import_module(f"spec3_api.api.default.get_{name}")
        items = self._client.paged(module, pages.of(getattr(self.models, kind)), **arguments)
        return [item async for item in items] if self._awaited else list(items)


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_customers_payments_refunds_a_refusal_and_lists(foreign: Foreign, awaited: bool) -> None:
    way = "awaited" if awaited else "blocking"
    options: Any = {
        "base_url": foreign.url,
        "auth": BearerAuth("sk_local"),
        "key": HeaderKey("Idempotency-Key"),
        "retry": RetryPolicy(base=0.0),
    }

    async def card(mode: Mode, number: str) -> str:
        details = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        made = await mode.post("payment_methods", "PaymentMethod", f"card-{number}-{way}", type="card", card=details)
        return str(made.id)

    async def use() -> None:
        async with AsyncExitStack() as stack:
            client_class = importlib.import_module("spec3_api.client").Client
            if awaited:
                client: Any = await stack.enter_async_context(connect_async(client_class, **options))
            else:
                client = stack.enter_context(connect(client_class, **options))
            mode = Mode(client, awaited=awaited)
            names = [f"{way} {number}" for number in range(23)]
            for number, name in enumerate(names):
                made = await mode.post("customers", "Customer", f"customer-{way}-{number:05}", name=name)
                assert (made.name, made.id[:4]) == (name, "cus_")
            listed = [each.name for each in await mode.walk("customers", "Customer", limit=5)]
            assert [name for name in listed if name.startswith(way)] == names

            order = {"amount": 4423, "currency": "eur"}
            source = await card(mode, "4242424242424242")
            paid = await mode.post("charges", "Charge", f"invoice-1042-of-{way}", **order, source=source)
            assert (paid.amount, paid.currency, paid.paid) == (4423, "eur", True)
            refund = await mode.post("refunds", "Refund", f"refund-1042-of-{way}", charge=paid.id, amount=1000)
            assert (refund.amount, refund.charge) == (1000, paid.id)
            [after] = [each for each in await mode.walk("charges", "Charge", limit=1) if each.id == paid.id]
            assert (after.amount_refunded, after.refunded) == (1000, False)

            declined = await card(mode, "4000000000000341")
            with pytest.raises(StatusError, match="Your card was declined") as refused:
                await mode.post("charges", "Charge", f"declined-1042-of-{way}", **order, source=declined)
            assert (refused.value.status_code, refused.value.outcome) == (402, Outcome.REJECTED)
            assert refused.value.idempotency_key == f"declined-1042-of-{way}"

    asyncio.run(use())
    assert [key for key in foreign.keys("POST /v1/charges") if way in key] == [
        f"invoice-1042-of-{way}", f"declined-1042-of-{way}",
    ]  # fmt: skip
    assert [key for key in foreign.keys("POST /v1/refunds") if way in key] == [f"refund-1042-of-{way}"] * 2


def test_the_code_of_the_tutorial(foreign: Foreign, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [block for block in blocks if "spec3_api" in block]
    names: dict[str, Any] = {}
    exec(compile(block.replace("http://127.0.0.1:8420", foreign.url), str(PAGE), "exec"), names)
    names["stripe"].close()
    assert capsys.readouterr().out == "4423 succeeded\n1000 succeeded\nrejected Your card was declined.\nTrue\n"
