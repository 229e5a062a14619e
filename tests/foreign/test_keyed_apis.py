"""Six APIs whose documents require a key, or wrap what they made, in an outbox and in direct calls:
one key is given once, and what was made is known and followed, also by a process after one that was
killed.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import closing, nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from tests.faults.raw_provider import RawProvider
from tests.faults.raw_sockets import Background
from tests.foreign.keyed_apis import APIS, FINAL, KeyedApi, KeyKeeper, packages
from tests.foreign.killed_keyed_sender import KEY, ORDERS, Kill, add, outbox_of, work
from tests.outbox.conftest import database_url, postgres_server
from tests.outbox.django_project import set_up, use_database
from tests.providers.running import QUICK
from victor_ext import InvalidRequest, connect, connect_async, idempotency_key_for
from victor_ext.outbox import AsyncOutbox, EntryState, Outbox

__all__ = ["database_url", "postgres_server"]
pytestmark = pytest.mark.pull_request
set_up()

from django.core.management import call_command  # noqa: E402 - Django is set up before it is imported
from django.db import transaction  # noqa: E402

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402

OTHER_KEY = idempotency_key_for("invoice", 1043)
WITH_A_FORM = [api for api in APIS if api.bad_key is not None]
UNDER_ANOTHER_NAME = [api for api in APIS if api.name != "wrapped"]
KINDS = ["blocking", "awaited", "django"]


@pytest.fixture(scope="module", autouse=True)
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with packages(tmp_path_factory.mktemp("keyed")):
        yield


class Sender:
    """An outbox of one kind, with a client of one of the APIs."""

    def __init__(self, kind: str, api: KeyedApi, url: str, engine: sa.Engine) -> None:
        self.kind = kind
        self.api = api
        self.url = url
        self.engine = engine
        self.options: dict[str, Any] = {**api.options, "base_url": url, "retry": QUICK}

    def __call__(self, method: str, *args: Any, **named: Any) -> Any:
        if self.kind == "awaited":
            return anyio.run(partial(self._awaited, method, *args, **named))
        with connect(self.api.client, **self.options) as client:
            if self.kind == "django":
                with transaction.atomic() if method == "add_call" else nullcontext():
                    return getattr(DjangoOutbox(client=client), method)(*args, **named)
            outbox = Outbox(self.engine, client)
            outbox.create_table()
            if method != "add_call":
                return getattr(outbox, method)(*args, **named)
            with self.engine.begin() as connection:
                return outbox.add_call(connection, *args, **named)

    async def _awaited(self, method: str, *args: Any, **named: Any) -> Any:
        url = self.engine.url.render_as_string(hide_password=False)
        engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
        async with connect_async(self.api.client, **self.options) as client:
            outbox = AsyncOutbox(engine, client)
            await outbox.create_table()
            try:
                if method != "add_call":
                    return await getattr(outbox, method)(*args, **named)
                async with engine.begin() as connection:
                    return await outbox.add_call(connection, *args, **named)
            finally:
                await engine.dispose()

    def add(self, key: str, **named: Any) -> None:
        operation = self.api.operation
        self("add_call", operation, body=self.api.new(key), idempotency_key=key, **named)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> KeyedApi:
    chosen: KeyedApi = request.param
    return chosen


@pytest.fixture
def keeper(api: KeyedApi) -> KeyKeeper:
    return KeyKeeper(api)


@pytest.fixture
def provider(keeper: KeyKeeper, background: Background) -> Iterator[RawProvider]:
    with closing(RawProvider(background)) as made:
        made.instead = keeper
        yield made


@pytest.fixture(params=KINDS)
def sender(
    request: pytest.FixtureRequest, api: KeyedApi, provider: RawProvider, tmp_path: Path
) -> Iterator[Sender]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'keyed.sqlite'}")
    with use_database(engine.url) if request.param == "django" else nullcontext():
        if request.param == "django":
            call_command("migrate", verbosity=0)
        yield Sender(request.param, api, provider.url(), engine)
    engine.dispose()


def each_of(apis: list[KeyedApi]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("api", apis, ids=lambda api: api.name, indirect=True)


@each_of(APIS)
def test_a_key_is_given_once_and_what_was_made_is_followed(
    sender: Sender, keeper: KeyKeeper
) -> None:
    sender.add(KEY)
    sender.add(KEY)  # as a program does that was killed after its commit
    (entry,) = sender("send")
    assert (entry.state, entry.request_id) == (EntryState.SENT, keeper.ids[KEY])
    assert entry.status == (None if sender.api.name == "location" else "pending")
    (entry,) = sender("refresh")
    assert (entry.status, keeper.work) == (FINAL, {KEY: 1})
    assert keeper.reads[-1] == f"{sender.api.path}/{entry.request_id}"


@each_of(WITH_A_FORM)
def test_a_key_of_another_form_is_refused_before_it_is_stored(
    sender: Sender, keeper: KeyKeeper
) -> None:
    key = str(sender.api.bad_key)
    with pytest.raises(InvalidRequest) as refused:
        sender.add(key)
    (problem,) = refused.value.problems
    assert (problem.field, key in str(refused.value)) == ("idempotency_key", False)
    assert (sender("entries"), keeper.work) == ([], {})


@each_of(UNDER_ANOTHER_NAME)
def test_two_keys_of_one_call_are_refused(sender: Sender) -> None:
    """The document's own argument or member may have the key of the entry, and no other one."""
    (declared,) = (key for key in sender.api.operation.OPERATION.keys if key.is_key)

    def add(own: str) -> None:
        given = {declared.argument: own} if declared.argument else {}
        body = sender.api.new(own)
        sender("add_call", sender.api.operation, body=body, idempotency_key=KEY, **given)

    add(KEY)
    with pytest.raises(InvalidRequest, match="another key: pass one of the two"):
        add(OTHER_KEY)


@pytest.mark.parametrize("mode", ["blocking", "awaited"])
@each_of(APIS)
def test_a_direct_call_has_its_key_checked_and_sent(
    mode: str, api: KeyedApi, keeper: KeyKeeper, provider: RawProvider
) -> None:
    def call(key: str) -> None:
        keys = [each for each in api.operation.OPERATION.keys if each.is_key]
        given = {each.argument: key for each in keys if each.argument}
        options = {**api.options, "base_url": provider.url(), "retry": QUICK}

        async def awaited() -> None:
            async with connect_async(api.client, **options) as client:
                await api.operation.asyncio_detailed(client=client.api, body=api.new(key), **given)

        if mode == "awaited":
            anyio.run(awaited)
            return
        with connect(api.client, **options) as client:
            api.operation.sync_detailed(client=client.api, body=api.new(key), **given)

    call(KEY)
    call(KEY)
    assert keeper.work == {KEY: 1}
    if api.bad_key is not None:
        with pytest.raises(InvalidRequest) as refused:
            call(api.bad_key)
        assert [problem.field for problem in refused.value.problems] == ["idempotency_key"]
        assert keeper.work == {KEY: 1}


@each_of(APIS)
def test_a_process_killed_at_any_commit_loses_nothing_and_does_nothing_twice(
    api: KeyedApi, keeper: KeyKeeper, provider: RawProvider, database_url: str
) -> None:
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(["tests.foreign.killed_keyed_sender"])
    outbox = outbox_of(api.name, provider.url(), database_url)
    commits = set[int]()
    for number in count(2):
        kill = Kill(number // 2, is_after=bool(number % 2))
        outbox.create_table()
        ORDERS.create(outbox._engine)
        process = start.Process(target=work, args=(api.name, provider.url(), database_url, kill))
        process.start()
        process.join(60)
        made = dict(keeper.work)
        with outbox._engine.begin() as connection:  # the lease of a killed process ends
            connection.execute(sa.update(outbox.table).values(leased_until=0.0))
        add(api.name, outbox)
        outbox.send()
        outbox.refresh()
        (entry,) = outbox.entries()
        assert (entry.state, entry.request_id) == (EntryState.SENT, keeper.ids[KEY]), kill
        assert (entry.status, keeper.work) == (FINAL, {KEY: 1}), (kill, made)
        outbox.table.metadata.drop_all(outbox._engine)
        ORDERS.drop(outbox._engine)
        keeper.work.clear()
        keeper.ids.clear()
        if process.exitcode == 0:
            break
        commits.add(kill.commit)
    outbox.client.close()
    outbox._engine.dispose()
    assert len(commits) >= 4, "it stores, claims, stores the result, and follows it"
