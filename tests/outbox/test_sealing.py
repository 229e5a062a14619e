"""An outbox with a storage key: its database shows nothing of a request that nobody has to search,
and nobody goes on with it who has another key, or none.
"""

import base64
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import set_leases, stored
from tests.providers.victor.adapter import invoice
from victor_ext import AsyncVictor, ConfigurationError, InvalidRequest, Victor, VictorJwt
from victor_ext.outbox import AsyncOutbox, Entry, EntryState, Outbox, OutboxEvent
from victor_ext.sandbox import Sandbox
from victor_ext.testing import Faults, TimeTravel

pytestmark = pytest.mark.pull_request
set_up()

from django.core.management import call_command  # noqa: E402 - Django is set up before it is imported
from django.db import transaction  # noqa: E402

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402

STORAGE_KEY, OTHER_KEY = "the storage key of the tests", "another storage key of the tests"
SECRETS = ("9044.23", "043987673645", "a note of Zoe's", "acceptsRfp")
NOW = timedelta(0)
KEY = str(invoice(1)["idempotency_key"])
OTHER = "is encrypted with another storage_key: pass the one that it was begun with"
NONE = "is encrypted, and no storage_key was passed: pass the one that it was begun with"


def noted(number: int, **changes: Any) -> dict[str, Any]:
    return invoice(number, **{"amount": "9044.23", "notes": "a note of Zoe's", **changes})


def shown_of(secret: str, content: bytes) -> bool:
    """Whether bytes have a text, as it is or somewhere in base64."""
    forms = [secret.encode()]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret.encode())
        last = -4 if encoded.endswith(b"=") else None  # these also have bits of what comes next
        forms.append(encoded[(0, 2, 3)[shift] : last])
    return any(form in content for form in forms)


def bytes_of(engine: sa.Engine) -> bytes:
    """All that lies in the database: of SQLite its files, with what is not in the first one yet."""
    if engine.name == "sqlite":
        file = Path(str(engine.url.database))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    found: list[str] = []
    with engine.connect() as connection:
        for table in sa.inspect(engine).get_table_names():
            rows = connection.execute(sa.text(f'SELECT * FROM "{table}"'))
            found += [repr(tuple(row)) for row in rows]
    return "\n".join(found).encode()


class Box:
    """An outbox of one kind. Each act has an outbox of its own, as another process has."""

    def __init__(self, kind: str, engine: sa.Engine, storage_key: str | None) -> None:
        self.kind, self.engine, self.storage_key = kind, engine, storage_key

    def do(self, method: str, *args: Any, **named: Any) -> Any:
        """Call a method; `add` in a transaction of its own."""
        if self.kind == "awaited":
            return anyio.run(partial(self._awaited, method, *args, **named))
        if self.kind == "django":
            box = DjangoOutbox(storage_key=self.storage_key)
            if method != "add":
                return getattr(box, method)(*args, **named)
            with transaction.atomic():
                return box.add(*args, **named)
        outbox = Outbox(self.engine, storage_key=self.storage_key)
        if method != "add":
            return getattr(outbox, method)(*args, **named)
        with self.engine.begin() as connection:
            return outbox.add(connection, *args, **named)

    async def _awaited(self, method: str, *args: Any, **named: Any) -> Any:
        url = self.engine.url.render_as_string(hide_password=False)
        engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
        outbox = AsyncOutbox(engine, storage_key=self.storage_key)
        try:
            if method == "add":
                async with engine.begin() as connection:
                    return await outbox.add(connection, **named)
            if method in ("send", "refresh"):
                async with args[0]() as victor:
                    return await getattr(outbox, method)(victor)
            return await getattr(outbox, method)(*args, **named)
        finally:
            await engine.dispose()


@contextmanager
def of_kind(kind: str, engine: sa.Engine) -> Iterator[None]:
    """The tables of an outbox of this kind, while the block lasts."""
    if kind != "django":
        Outbox(engine).create_table()
        yield
        return
    with use_database(engine.url):
        call_command("migrate", verbosity=0)
        yield


def put_and_die(kind: str, url: str, storage_key: str) -> None:
    """A program that stores two invoices, and is killed after its commits."""
    engine = sa.create_engine(url)
    if engine.name == "sqlite":
        with engine.connect() as connection:
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
    with of_kind(kind, engine):
        box = Box(kind, engine, storage_key)
        box.do("add", **noted(1))
        box.do("add", **noted(2))
        os.kill(os.getpid(), signal.SIGKILL)


def put_by_killed_process(kind: str, engine: sa.Engine) -> None:
    program = "import sys; from tests.outbox.test_sealing import *; put_and_die(*sys.argv[1:])"
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", program, kind, url, STORAGE_KEY]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=env, check=False).returncode == -signal.SIGKILL


@pytest.fixture(params=["blocking", "awaited", "django"])
def kind(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[str]:
    with of_kind(request.param, engine):
        yield request.param


@pytest.fixture
def client(request: pytest.FixtureRequest, kind: str, victor: Victor) -> Any:
    """A client; of an awaited outbox, what makes one for each event loop."""
    made = request.getfixturevalue("_victor_client")
    return partial(made, AsyncVictor) if kind == "awaited" else victor


def test_what_a_killed_process_has_put_is_sent_with_its_key_alone_and_the_database_shows_nothing(
    kind: str, engine: sa.Engine, client: Any, victor_sandbox: Sandbox, sent_once: Any
) -> None:
    put_by_killed_process(kind, engine)
    shown = bytes_of(engine)
    assert [secret for secret in SECRETS if shown_of(secret, shown)] == []
    assert shown_of("INV-1", shown), "what is searched is in clear, and is found so"
    for storage_key, message in ((OTHER_KEY, OTHER), (None, NONE)):
        wrong = Box(kind, engine, storage_key)
        for method in ("send", "refresh"):
            with pytest.raises(ConfigurationError, match=message):
                wrong.do(method, client)
        for number in (1, 3):
            with pytest.raises(ConfigurationError, match=message):
                wrong.do("add", **noted(number))
    assert victor_sandbox.requests() == []
    box = Box(kind, engine, STORAGE_KEY)
    box.do("add", **noted(1))
    with pytest.raises(InvalidRequest, match="with other arguments"):
        box.do("add", **noted(1, amount="9044.24"))
    entries = box.do("entries")
    assert [entry.payments[0].amount for entry in entries] == ["9044.23"] * 2
    assert [entry.client_reference_id for entry in entries] == ["INV-1", "INV-2"]
    assert [entry.state for entry in box.do("send", client)] == [EntryState.SENT] * 2
    sent_once(KEY)
    assert len(victor_sandbox.requests()) == 2
    shown = bytes_of(engine)
    assert [secret for secret in SECRETS if shown_of(secret, shown)] == []


def test_without_a_key_all_of_it_lies_there(kind: str, engine: sa.Engine) -> None:
    Box(kind, engine, None).do("add", **noted(1))
    shown = bytes_of(engine)
    assert [secret for secret in SECRETS if shown_of(secret, shown)] == [*SECRETS]


def test_entries_that_were_stored_in_clear_are_read_and_sent_beside_others(
    kind: str, engine: sa.Engine, client: Any
) -> None:
    Box(kind, engine, None).do("add", **noted(1))
    box = Box(kind, engine, STORAGE_KEY)
    box.do("add", **noted(1))
    assert [entry.sealed for entry in Box(kind, engine, None).do("entries")] == [False]
    box.do("add", **noted(2))
    assert [entry.sealed for entry in Box(kind, engine, None).do("entries")] == [False, True]
    assert [entry.payments[0].amount for entry in box.do("entries")] == ["9044.23"] * 2
    with pytest.raises(ConfigurationError, match=NONE):
        Box(kind, engine, None).do("send", client)
    assert len(box.do("send", client)) == 2


def test_who_has_no_key_reads_that_it_is_encrypted_and_can_hold_and_take_back(
    kind: str, engine: sa.Engine
) -> None:
    box, keyless = Box(kind, engine, STORAGE_KEY), Box(kind, engine, None)
    for number in (1, 2):
        box.do("add", **noted(number))
    entry: Entry = keyless.do("entry", KEY)
    assert (entry.sealed, entry.payments, entry.client_reference_id) == (True, (), None)
    assert (entry.reference, entry.state) == ("INV-1", EntryState.WAITING)
    assert keyless.do("cancel", "INV-1", by="zoe", why="returned").sealed
    assert keyless.do("hold").marked == 2
    assert keyless.do("release")
    with pytest.raises(ConfigurationError, match=OTHER):
        Box(kind, engine, OTHER_KEY).do("cancel", "INV-2", by="zoe", why="returned")
    cancelled = box.do("entry", KEY)
    expected = "Cancelled by zoe: returned It may have been sent since its backup was made."
    assert (cancelled.error, cancelled.payments[0].amount) == (expected, "9044.23")


def test_a_key_that_was_rolled_back_encrypts_nothing(outbox: Outbox, engine: sa.Engine) -> None:
    """The key is made with the first entry, and both are there or neither."""
    sealed = Outbox(engine, storage_key=STORAGE_KEY)
    with engine.connect() as connection:
        sealed.add(connection, **noted(1))
        assert sealed._sealing.prepare(connection) is not None
        connection.rollback()
    stored(sealed, noted(2))
    later = Outbox(engine, storage_key=STORAGE_KEY)
    assert [entry.payments[0].amount for entry in later.entries()] == ["9044.23"]


def test_the_secret_is_replaced_and_nothing_is_stored_anew(kind: str, engine: sa.Engine) -> None:
    box, new = Box(kind, engine, STORAGE_KEY), Box(kind, engine, OTHER_KEY)
    assert not box.do("rekey", OTHER_KEY)
    box.do("add", **noted(1))
    for wrong, message in ((new, OTHER), (Box(kind, engine, None), NONE)):
        with pytest.raises(ConfigurationError, match=message):
            wrong.do("rekey", STORAGE_KEY)
    assert box.do("rekey", OTHER_KEY)
    assert new.do("entries")[0].payments[0].amount == "9044.23"
    with pytest.raises(ConfigurationError, match=OTHER):
        box.do("entries")


def test_another_key_ends_the_worker(outbox: Outbox, engine: sa.Engine, victor: Victor) -> None:
    """No later pass could go on."""
    stored(Outbox(engine, storage_key=STORAGE_KEY), noted(1))
    for storage_key, message in ((OTHER_KEY, OTHER), (None, NONE)):
        worker = Outbox(engine, storage_key=storage_key)
        with pytest.raises(ConfigurationError, match=message):
            worker.run(victor)


@pytest.mark.parametrize("storage_key", ["", "  too short      ", 17])
def test_what_is_no_secret_is_refused(storage_key: Any) -> None:
    engine = sa.create_engine("sqlite://")
    with pytest.raises(ConfigurationError, match="storage_key") as raised:
        Outbox(engine, storage_key=storage_key)
    assert "too short" not in str(raised.value)


class TestWhatTheProviderSays:
    """Its words are encrypted as the request is, and so is what waits for handlers."""

    @pytest.fixture
    def sealed(self, outbox: Outbox, engine: sa.Engine) -> Outbox:
        made = Outbox(engine, storage_key=STORAGE_KEY)
        stored(made, noted(1))
        return made

    def test_an_error_is_read_with_the_key_alone(
        self, sealed: Outbox, engine: sa.Engine, victor_key_pair: tuple[str, str]
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                return httpx.Response(400, json={"message": "Mr Underhill owes too much."})
            return httpx.Response(200, json={"page": 0, "page_size": 1, "results": []})

        auth = VictorJwt("an-api-key-for-tests", victor_key_pair[0])
        with Victor(auth, transport=httpx.MockTransport(answer)) as victor:
            (entry,) = sealed.send(victor)
        assert entry.state is EntryState.REJECTED
        assert "Underhill" in str(entry.error)
        assert not shown_of("Underhill", bytes_of(engine))
        sealed.hold()
        again, keyless = sealed.entries()[0], Outbox(engine).entries()[0]
        added = "It may have been sent since its backup was made."
        assert (again.error, keyless.error) == (f"{entry.error} {added}", added)

    def test_an_event_that_waits_is_handled_with_the_key(
        self, sealed: Outbox, engine: sa.Engine
    ) -> None:
        seen: list[OutboxEvent] = []
        Outbox(engine).cancel(KEY, by="zoe", why="returned")
        shown = bytes_of(engine)
        assert [secret for secret in SECRETS if shown_of(secret, shown)] == []
        handler = Outbox(engine)
        handler.on()(lambda _session, event: seen.append(event))
        with pytest.raises(ConfigurationError, match=NONE):
            handler.handle()
        sealed.on()(lambda _session, event: seen.append(event))
        assert len(sealed.handle()) == 1
        assert [(event.name, event.entry.payments[0].amount) for event in seen] == [
            ("refused", "9044.23")
        ]

    def test_an_event_that_was_not_handled_shows_nothing(
        self, sealed: Outbox, engine: sa.Engine, victor: Victor
    ) -> None:
        @sealed.on("sent")
        def fail(_session: object, _event: OutboxEvent) -> None:
            raise ValueError

        sealed.send(victor)
        assert sum(sealed.event_counts().values()) == 1
        shown = bytes_of(engine)
        assert [secret for secret in SECRETS if shown_of(secret, shown)] == []

    def test_a_status_is_read_and_what_is_forgotten_is_known_by_a_digest_with_the_key(
        self, sealed: Outbox, engine: sa.Engine, victor: Victor, time_travel: TimeTravel
    ) -> None:
        sealed.send(victor)
        time_travel.advance(minutes=1)
        assert [entry.status for entry in sealed.refresh(victor)] == ["completed"]
        with pytest.raises(ConfigurationError, match=NONE):
            Outbox(engine).forget(older_than=NOW)
        assert sealed.forget(older_than=NOW) == 1
        with engine.connect() as connection:
            digest = connection.execute(sa.select(sealed.table.c.call)).scalar_one()
        assert digest.startswith("digest-1-keyed:")
        stored(sealed, noted(1))
        with pytest.raises(InvalidRequest, match="with other arguments"):
            stored(sealed, noted(1, amount="9044.24"))
        assert sealed.key_of("INV-1") == KEY


def test_a_lost_response_is_settled_under_its_key(
    outbox: Outbox, engine: sa.Engine, victor: Victor, faults: Faults, sent_once: Any
) -> None:
    sealed = Outbox(engine, storage_key=STORAGE_KEY)
    stored(sealed, noted(1))
    faults.lose_answer(operation="create", times=6)
    assert sealed.send(victor) == []
    set_leases(sealed, engine)
    assert [entry.state for entry in sealed.send(victor)] == [EntryState.SENT]
    sent_once(KEY)


def test_processes_that_store_the_first_entries_at_once_have_one_key(
    outbox: Outbox, engine: sa.Engine
) -> None:
    together = threading.Barrier(4)

    def put(number: int) -> None:
        own = Outbox(engine, storage_key=STORAGE_KEY)
        together.wait()
        stored(own, noted(number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(put, range(4)))
    entries = Outbox(engine, storage_key=STORAGE_KEY).entries()
    assert [entry.payments[0].amount for entry in entries] == ["9044.23"] * 4
