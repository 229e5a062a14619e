"""A database that is another copy than before: a standby that was promoted, a backup that was put
back. What was not sent, as far as it knows, counts as possibly sent.
"""

import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.outbox.clusters import Cluster
from tests.outbox.kinds import Provider
from tests.outbox.payouts import Payouts
from tests.outbox.rows import execute, key_of, states, stored
from tests.payments import invoice
from victor_ext.outbox import Outbox
from victor_ext.outbox._life import LIFE

pytestmark = pytest.mark.slow
HOUR = 3600.0


class Shop:
    """A service with an outbox, whose provider takes each key once."""

    def __init__(self, url, provider=None):
        self.provider = provider or Provider()
        self.victor = self.provider.client()
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self._moved = {}
        sa.event.listen(self.engine, "do_connect", self._connect)
        self.restart()

    def _connect(self, _dialect, _record, _arguments, parameters):
        parameters.update(self._moved)

    def move(self, cluster):
        """From now on this server is the one at the address of the database."""
        self._moved = {"port": cluster.port}

    def restart(self):
        """Go on in another process."""
        self.outbox = Outbox(self.engine, self.victor)

    def add(self, *numbers):
        stored(self.outbox, *map(invoice, numbers))

    def send(self):
        return states(self.outbox.send())

    def let_time_pass(self, seconds=HOUR):
        """The last beat that this copy of the database knows was so long ago."""
        control = self.outbox.control
        is_life = control.c.name == LIFE
        execute(
            self.outbox, sa.update(control).where(is_life).values(moment=control.c.moment - seconds)
        )


@pytest.fixture
def alarms(caplog):
    """Returns how often a worker has said that its database is another copy."""
    return lambda: caplog.text.count("This is another copy of the database than before")


@pytest.fixture
def shop(tmp_path):
    made = Shop(f"sqlite:///{tmp_path / 'folder' / 'shop.sqlite'}")
    Path(tmp_path / "folder").mkdir()
    made.outbox.create_table()
    made.add(1)
    assert made.send() == ["sent"]
    return made


# SQLite


def file_of(shop):
    return Path(shop.engine.url.database)


def back_up(shop):
    """Copy the file, as a company does it, without the file beside it."""
    copy = file_of(shop).with_name("backup")
    shutil.copy2(file_of(shop), copy)
    return copy


PUT_BACK = {
    "moved": lambda backup, file: backup.replace(file),
}


@pytest.mark.parametrize("is_new_process", [False, True])
@pytest.mark.parametrize("put_back", PUT_BACK.values(), ids=PUT_BACK)
def test_a_file_that_was_put_back_sends_nothing_under_another_key(
    shop, put_back, is_new_process, alarms
):
    shop.add(2, 3)
    backup = back_up(shop)
    assert shop.send() == ["sent", "sent"]
    put_back(backup, file_of(shop))
    if is_new_process:
        shop.restart()
    assert shop.send() == ["sent", "sent"]
    assert Counter(shop.provider.keys) == {key_of(1): 1, key_of(2): 2, key_of(3): 2}
    assert shop.outbox.held_since() is None
    shop.add(4)
    assert shop.send() == ["sent"], "it is noticed once"
    assert alarms() == 1


def test_a_backup_of_long_ago_holds_itself_and_says_so(shop, caplog):
    shop.add(2)
    backup = back_up(shop)
    assert shop.send() == ["sent"]
    backup.replace(file_of(shop))
    shop.let_time_pass()
    assert shop.send() == []
    assert shop.outbox.held_since() is not None
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "another copy of the database than before: it is " in record.getMessage()
    assert "It is held: reconcile it, then release it." in record.getMessage()
    assert shop.outbox.release()
    shop.send()
    assert shop.provider.keys == [*map(key_of, (1, 2))], "it is looked up, and not sent"


@pytest.mark.parametrize("what", ["VACUUM", "PRAGMA wal_checkpoint", "PRAGMA journal_mode=WAL"])
def test_what_a_database_does_by_itself_is_no_change(shop, what, alarms):
    shop.add(2)
    with closing(shop.engine.raw_connection()) as connection:
        connection.execute(what)
    shop.restart()
    assert shop.send() == ["sent"]
    assert shop.provider.keys == [*map(key_of, (1, 2))]
    assert alarms() == 0


def content_of(engine):
    """The content of a database, with its log of writes: bytes by path."""
    path = Path(engine.url.database)
    return {
        file: file.read_bytes()
        for file in path.parent.glob(f"{path.name}*")
        if not file.name.endswith(("-life", "-shm"))
    }


def put_content_back(engine, content):
    """Write older content into the same files."""
    for file in content_of(engine):
        file.write_bytes(content.get(file, b""))


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_older_content_in_the_same_file_is_held_and_nothing_is_sent(shop, journal, caplog):
    with closing(shop.engine.raw_connection()) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        shop.add(2, 3)
        older = content_of(shop.engine)
    assert shop.send() == ["sent", "sent"]
    life = shop.outbox._parts.holding.life
    life._marks_beside = lambda: 0
    life.write_beside(1)  # by a process that was stopped after its look
    put_content_back(shop.engine, older)
    shop.restart()
    assert shop.send() == []
    assert shop.outbox.held_since() is not None
    assert f"older than {file_of(shop)}-life" in caplog.text
    assert "It is held: reconcile it, then release it." in caplog.text
    assert shop.outbox.release()
    shop.add(4)
    shop.send()
    assert shop.provider.keys == [*map(key_of, (1, 2, 3, 4))], "2 and 3 are looked up"
    assert shop.outbox.held_since() is None


@pytest.mark.parametrize("is_known_by_then", [False, True])
def test_a_payout_without_a_key_is_not_submitted_by_older_content(local, is_known_by_then):
    """It is put back between two sendings, or while its worker has it."""
    local.submit("INV-1")
    assert local.send() == [("sent", local.entries()[0].request_id)]
    local.submit("INV-2", key="another")
    older = content_of(local.engine)
    with local.client(False) as velo:
        box = Outbox(local.engine, client=velo)
        if is_known_by_then:
            policy = box._parts.policy
            policy.wait_for_turn = lambda: (local.send(), put_content_back(local.engine, older))
        else:
            local.send()
            put_content_back(local.engine, older)
        assert box.send() == []
        assert box.send() == [], "whoever reads entries next holds it"
    assert local.calls("submit") == 2
    assert box.held_since() is not None


def test_a_payout_without_a_key_is_not_submitted_by_a_copy_from_before_the_first_pass(local):
    local.submit()
    file = Path(local.engine.url.database)
    backup = shutil.copy2(file, file.with_name("backup"))
    local.send()
    backup.replace(file)
    local.engine.dispose()
    local.send()
    assert local.calls("submit") == 1


def test_entries_of_a_copy_that_is_not_known_are_held(shop, caplog):
    """Somebody has copied them alone, by SQL."""
    shop.add(2)
    execute(shop.outbox, sa.delete(shop.outbox.control))
    assert shop.send() == []
    assert shop.outbox.held_since() is not None
    assert "nothing says which copy its entries are of" in caplog.text
    shop.outbox.release()
    assert shop.send() == []
    assert shop.provider.keys == [key_of(1)], "it is looked up, and not sent"
    shop.add(3)
    assert shop.send() == ["sent"], "it is noticed once"


def test_entries_of_a_copy_that_is_not_known_are_held_by_hand_once(shop, alarms):
    shop.add(2)
    execute(shop.outbox, sa.delete(shop.outbox.control))
    shop.outbox.hold()
    shop.outbox.release()
    shop.send()
    assert shop.outbox.held_since() is None
    assert alarms() == 0


LAGS = {
    "a crash between a mark and its file": lambda file: file.write_bytes(b"\n"),
    "the database was moved alone": Path.unlink,
}


@pytest.mark.parametrize("change", LAGS.values(), ids=LAGS)
def test_a_number_beside_that_lags_behind_is_no_change(shop, change, alarms):
    shop.add(2)
    assert shop.send() == ["sent"]
    change(Path(f"{file_of(shop)}-life"))
    shop.restart()
    shop.add(3)
    assert shop.send() == ["sent"]
    shop.let_time_pass()
    shop.add(4)
    assert shop.send() == ["sent"]
    assert alarms() == 0


MADE_ANEW = {
    "its file": lambda shop: file_of(shop).unlink(),
    "its tables": lambda shop: shop.outbox.table.metadata.drop_all(shop.engine),
}


@pytest.mark.parametrize("remove", MADE_ANEW.values(), ids=MADE_ANEW)
def test_a_database_that_is_made_anew_under_its_name_is_as_good(shop, remove, alarms):
    remove(shop)
    shop.outbox.create_table()
    shop.add(2)
    assert shop.send() == ["sent"]
    assert alarms() == 0


# PostgreSQL


@pytest.fixture(params=[16, 18])
def primary(request):
    with Cluster.new(request.param) as made:
        yield made


@pytest.fixture
def served(primary):
    """A shop whose worker has rights on its tables alone, and has sent the payment 1."""
    owner = Shop(primary.url())
    owner.outbox.create_table()
    primary.execute(
        "CREATE ROLE worker LOGIN",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO worker",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO worker",
    )
    made = Shop(primary.url(user="worker"))
    made.add(1)
    assert made.send() == ["sent"]
    return made


@pytest.mark.pull_request
@pytest.mark.parametrize("is_new_process", [False, True])
def test_a_promoted_standby_that_lacks_the_last_commits_sends_under_the_same_keys(
    served, primary, is_new_process, alarms
):
    """The marks of two payments did not reach it."""
    standby = primary.standby()
    served.add(2, 3)
    standby.lag_behind(primary)
    assert served.send() == ["sent", "sent"]
    primary.stop("immediate")
    standby.promote()
    served.move(standby)
    if is_new_process:
        served.restart()
    assert served.send() == ["sent", "sent"]
    assert Counter(served.provider.keys) == {key_of(1): 1, key_of(2): 2, key_of(3): 2}
    assert alarms() == 1


def test_a_copy_of_a_database_from_before_the_first_pass_submits_nothing(primary, harness):
    payouts, copied = (
        Payouts("blocking", sa.create_engine(primary.url(name), poolclass=sa.NullPool), harness)
        for name in ("postgres", "backup")
    )
    payouts.create_table()
    payouts.submit()
    primary.execute("CREATE DATABASE backup TEMPLATE postgres")
    payouts.send()
    copied.send()
    assert harness.calls("submit") == 1


class CrashAfter(httpx.HTTPTransport):
    """The server of a database crashes when the provider has taken a payout."""

    def __init__(self, server):
        super().__init__()
        self.server = server

    def handle_request(self, request):
        response = super().handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/payouts"):
            self.server.stop("immediate")
        return response


def test_a_server_that_crashes_keeps_the_mark_of_a_payout_whatever_its_commits_wait_for(harness):
    with Cluster.new(16) as server:
        server.stop()
        server.start("synchronous_commit=off", "wal_writer_delay=10s")
        engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
        payouts = Payouts("blocking", engine, harness)
        payouts.create_table()
        payouts.submit()
        server.execute("CHECKPOINT")
        crash = pytest.raises(sa.exc.OperationalError)
        with CrashAfter(server) as payouts.settings["transport"], crash:
            payouts.send()
        server.start()
        del payouts.settings["transport"]
        payouts.end_claims()
        payouts.send()
        assert harness.calls("submit") == 1


# What a review has found


def test_what_was_refused_may_have_been_sent_again_since(shop):
    shop.add(2)
    shop.outbox.cancel("INV-2", by="zoe", why="returned")
    backup = back_up(shop)
    shop.outbox.retry("INV-2")
    assert shop.send() == ["sent"]
    backup.replace(file_of(shop))
    shop.send()
    shop.outbox.retry("INV-2")
    shop.send()
    assert shop.provider.keys == [*map(key_of, (1, 2))], "it is looked up"


def test_one_put_back_is_noticed_once_though_the_outbox_was_held_before(shop, alarms):
    backup = back_up(shop)
    for _ in range(2):
        shop.outbox.hold()
        shop.outbox.release()
    for number in range(2, 6):
        shop.add(number)
        assert shop.send() == ["sent"]
    backup.replace(file_of(shop))
    shop.send()
    for number in range(6, 8):
        shop.add(number)
        assert shop.send() == ["sent"]
    assert alarms() == 1
