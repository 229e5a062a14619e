"""A box without its tables says in a sentence what to call, and its worker ends."""

import inspect
import logging
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa

from tests.outbox.django_project import use_database
from tests.outbox.kinds import Provider, async_engine
from victor_ext import ConfigurationError
from victor_ext.inbox import AsyncInbox, Inbox
from victor_ext.outbox import AsyncOutbox, Entry, Outbox
from victor_ext.outbox.django import DjangoOutbox

pytestmark = pytest.mark.slow
WEBHOOK: Any = SimpleNamespace(provider="Velo")
BOXES: dict[str, Any] = {
    "outbox": Outbox,
    "awaited outbox": AsyncOutbox,
    "inbox": lambda engine: Inbox(engine, WEBHOOK),
    "awaited inbox": lambda engine: AsyncInbox(engine, WEBHOOK),
    "django": lambda _engine: DjangoOutbox(),
}


@pytest.fixture(params=BOXES)
def box(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[Any]:
    """A box of each kind, in a database that has other tables alone."""
    if request.param == "django":
        with use_database(engine.url):
            yield DjangoOutbox()
        return
    is_awaited = request.param.startswith("awaited")
    yield BOXES[request.param](async_engine(engine) if is_awaited else engine)


def said_by(box: Any, method: str, *args: Any) -> str:
    """What a method raises."""
    call = partial(getattr(box, method), *args)

    async def awaited() -> None:
        with anyio.fail_after(30):
            try:
                await call()
            finally:
                await box._engine.dispose()

    is_awaited = inspect.iscoroutinefunction(getattr(type(box), method)) or "Async" in str(box)
    with pytest.raises(ConfigurationError) as raised:
        anyio.run(awaited) if is_awaited else call()
    return str(raised.value)


def be_away(_reference: str) -> None:
    raise httpx.ConnectError("it is away")


def test_a_worker_without_its_tables_ends_with_one_sentence(
    box: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = Provider(be_away).client(awaited="Async" in type(box).__name__)
    said = said_by(box, "run", client)
    how = "run manage.py migrate" if isinstance(box, DjangoOutbox) else "call create_table() once"
    assert said.startswith("The table victor_")
    assert said.endswith(f"is not in the database: {how}, before anything else.")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("method", ["counts", "entries", "dead_letters"])
def test_so_does_what_a_person_asks(box: Any, method: str) -> None:
    if not hasattr(box, method):
        pytest.skip("an inbox has no such method")
    assert "is not in the database" in said_by(box, method)


def test_a_missing_table_of_a_handlers_ends_no_worker(outbox: Outbox) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        outbox._run(outbox._transact(lambda one: one.execute(sa.text("SELECT * FROM invoices"))))


@pytest.mark.parametrize("kind", [Outbox, AsyncOutbox, DjangoOutbox, Inbox, AsyncInbox])
def test_each_method_shows_what_it_returns(kind: Any) -> None:
    """As an editor and `help()` do."""
    for name, method in inspect.getmembers(kind):
        if name.startswith("_") or not hasattr(method, "steps"):
            continue
        shown = str(inspect.signature(method).return_annotation)
        assert shown.count("[") == shown.count("]"), (name, shown)
        assert not any(word in shown for word in ("Callable", "Generator", "Pass[", "Work[")), name
    if kind is not Inbox and kind is not AsyncInbox:
        for name in ("send", "refresh"):
            assert inspect.signature(getattr(kind, name)).return_annotation == list[Entry]
