"""A box without its tables says in a sentence what to call, and its worker ends."""

import logging
from functools import partial

import anyio
import httpx
import pytest

from tests.outbox.django_project import use_database
from tests.outbox.kinds import Provider, async_engine
from tests.providers.velo.test_velo_notifications import HEADER
from victor_ext import ConfigurationError
from victor_ext.inbox import AsyncInbox, Inbox
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.outbox.django import DjangoOutbox
from victor_ext.providers import velo

pytestmark = pytest.mark.slow


async def awaited(act, engine):
    try:
        await act()
    finally:
        await engine.dispose()


def be_away(_reference):
    raise httpx.ConnectError("it is away")


def test_a_worker_without_its_tables_ends_with_one_sentence(engine, caplog):
    """And so does what a person asks."""
    caplog.set_level(logging.INFO)
    provider, webhook = Provider(be_away), velo.Webhook(HEADER)
    boxes = [Outbox(engine), Inbox(engine, webhook), DjangoOutbox()]
    boxes += [AsyncOutbox(async_engine(engine)), AsyncInbox(async_engine(engine), webhook)]
    with use_database(engine.url):
        for box in boxes:
            is_awaited = "Async" in type(box).__name__
            run = partial(box.run, provider.client(is_awaited))
            for act in (run, getattr(box, "entries", box.dead_letters)):
                with pytest.raises(ConfigurationError) as raised:
                    anyio.run(awaited, act, box._engine) if is_awaited else act()
                is_django = isinstance(box, DjangoOutbox)
                how = "run manage.py migrate" if is_django else "call create_table() once"
                end = f"is not in the database: {how}, before anything else."
                assert str(raised.value).startswith("The table victor_")
                assert str(raised.value).endswith(end)
    assert "Traceback" not in caplog.text
