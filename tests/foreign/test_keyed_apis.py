"""Six APIs whose documents require a key, or wrap what they made, in an outbox: one key is given
once, and what was made is known and followed, also by a process after one that was killed.
"""

import multiprocessing
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.raw_provider import RawProvider, answer
from tests.foreign.keyed_apis import APIS, FINAL, KeyKeeper
from tests.foreign.killed_keyed_sender import KEY, ORDERS, Kill, add, outbox_of, work
from tests.outbox.conftest import database_url, postgres_server
from victor_ext import InvalidRequest, idempotency_key_for
from victor_ext.outbox import EntryState
from victor_spec.generate import generate

__all__ = ["database_url", "postgres_server"]
pytestmark = pytest.mark.pull_request
OTHER_KEY = idempotency_key_for("invoice", 1043)
WITH_A_FORM = [api for api in APIS if api.bad_key is not None]
UNDER_ANOTHER_NAME = [api for api in APIS if api.name != "wrapped"]


@pytest.fixture(scope="module", autouse=True)
def generated(tmp_path_factory):
    """The packages of all six are there, for the processes that are started, too."""
    folder = tmp_path_factory.mktemp("keyed")
    for each in APIS:
        document = Path(__file__).parent / "keyed" / f"{each.name}.yaml"
        assert generate(document, folder, name=each.package).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture
def api(request):
    return request.param


@pytest.fixture
def keeper(api):
    return KeyKeeper(api)


@pytest.fixture
def provider(keeper, background):
    with closing(RawProvider(background)) as made:
        made.instead = keeper
        yield made


@pytest.fixture
def outbox(api, provider, tmp_path):
    """An outbox that is empty, and that sends to the provider."""
    made = outbox_of(api.name, provider.url(), f"sqlite:///{tmp_path / 'keyed.sqlite'}")
    made.create_table()
    ORDERS.create(made._engine)
    yield made
    made.client.close()
    made._engine.dispose()


def each_of(apis):
    return pytest.mark.parametrize("api", apis, ids=lambda api: api.name, indirect=True)


@each_of(APIS)
def test_a_call_added_twice_is_done_once_under_its_key_and_its_result_is_refreshed(
    api, outbox, keeper
):
    add(api.name, outbox)
    add(api.name, outbox)  # as a program does that was killed after its commit
    (entry,) = outbox.send()
    assert (entry.state, entry.request_id) == (EntryState.SENT, keeper.ids[KEY])
    assert entry.status == (None if api.name == "location" else "pending")
    (entry,) = outbox.refresh()
    assert (entry.status, keeper.work) == (FINAL, {KEY: 1})
    assert keeper.reads[-1] == f"{api.path}/{entry.request_id}"


@each_of(WITH_A_FORM)
def test_a_key_of_another_form_is_refused_before_it_is_stored(api, outbox):
    key = str(api.bad_key)
    with outbox._engine.begin() as connection, pytest.raises(InvalidRequest) as refused:
        outbox.add_call(connection, api.operation, body=api.new(key), idempotency_key=key)
    (problem,) = refused.value.problems
    assert (problem.field, key in str(refused.value)) == ("idempotency_key", False)
    assert outbox.entries() == []


@each_of(UNDER_ANOTHER_NAME)
def test_two_keys_of_one_call_are_refused(api, outbox):
    """The document's own argument or member may have the key of the entry, and no other one."""
    (declared,) = (key for key in api.operation.OPERATION.keys if key.is_key)

    def add_with(own):
        given = {declared.argument: own} if declared.argument else {}
        with outbox._engine.begin() as connection:
            body = api.new(own)
            outbox.add_call(connection, api.operation, body=body, idempotency_key=KEY, **given)

    add_with(KEY)
    with pytest.raises(InvalidRequest, match="another key: pass one of the two"):
        add_with(OTHER_KEY)


@each_of([api for api in APIS if api.name == "location"])
def test_an_undocumented_status_does_not_mark_the_entry_as_sent(outbox, api, provider):
    """Of one that the document has, an empty body is all that there is."""
    provider.instead = lambda exchange: exchange.send(answer(b"", "202 Accepted"))
    add(api.name, outbox)
    assert outbox.send() == []
    assert [entry.state for entry in outbox.entries()] == [EntryState.SENDING]


@each_of(APIS)
def test_a_process_killed_at_any_commit_loses_nothing_and_does_nothing_twice(
    api, keeper, provider, database_url
):
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(["tests.foreign.killed_keyed_sender"])
    outbox = outbox_of(api.name, provider.url(), database_url)
    outbox.create_table()
    ORDERS.create(outbox._engine)
    commits = set()
    for number in count(2):
        kill = Kill(number // 2, is_after=bool(number % 2))
        process = start.Process(target=work, args=(api.name, provider.url(), database_url, kill))
        process.start()
        process.join(60)
        made = dict(keeper.work)
        with outbox._engine.begin() as connection:  # the lease of a killed process ends
            connection.execute(sa.update(outbox.table).values(due_at=0.0))
        add(api.name, outbox)
        outbox.send()
        outbox.refresh()
        (entry,) = outbox.entries()
        assert (entry.state, entry.request_id) == (EntryState.SENT, keeper.ids[KEY]), kill
        assert (entry.status, keeper.work) == (FINAL, {KEY: 1}), (kill, made)
        with outbox._engine.begin() as connection:
            # without the row of life in `control`, it would be another copy of the database
            for table in {ORDERS, *outbox.table.metadata.sorted_tables} - {outbox.control}:
                connection.execute(sa.delete(table))
        keeper.work.clear()
        keeper.ids.clear()
        if process.exitcode == 0:
            break
        commits.add(kill.commit)
    outbox.client.close()
    outbox._engine.dispose()
    assert len(commits) >= 4, "it stores, claims, stores the result, and follows it"
