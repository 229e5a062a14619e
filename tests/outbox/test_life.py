"""A database that is another copy than before: a standby that was promoted, a backup that was put
back. What was not sent, as far as it knows, counts as possibly sent.
"""

import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.outbox.clusters import Cluster
from tests.outbox.kinds import Provider
from tests.outbox.rows import change, execute, key_of, states, stored
from tests.outbox.test_calls import check_that_what_was_read_is_not_sent_after
from tests.providers.victor.adapter import invoice
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


def test_a_folder_that_was_copied_elsewhere_is_another_copy(shop, tmp_path, alarms):
    shop.add(2)
    shutil.copytree(tmp_path / "folder", tmp_path / "copy")
    assert shop.send() == ["sent"]
    copy = Shop(f"sqlite:///{tmp_path / 'copy' / 'shop.sqlite'}", shop.provider)
    assert copy.send() == ["sent"]
    assert shop.provider.keys == [*map(key_of, (1, 2)), key_of(2)]
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


def test_a_hold_of_a_restored_database_tells_what_was_being_sent(shop):
    """Its workers do not live: nobody waits for their calls."""
    shop.add(2, 3)
    change(shop.outbox, state="sending", first_sent_at=1.0)
    assert shop.outbox.hold().were_sent == 0
    shop.outbox.release()
    backup = back_up(shop)
    backup.replace(file_of(shop))
    held = shop.outbox.hold()
    assert (held.were_sent, held.under_way) == (3, 0)


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
def test_restarts_a_crash_and_a_rewritten_table_are_no_change(served, primary, alarms):
    for number, act in enumerate(
        [
            primary.restart,
            lambda: primary.restart("immediate"),
            lambda: primary.execute("VACUUM FULL victor_outbox_control"),
            lambda: primary.execute("VACUUM FREEZE victor_outbox_control"),
        ],
        start=2,
    ):
        act()
        served.add(number)
        assert served.send() == ["sent"]
        served.restart()
    assert served.provider.keys == [*map(key_of, range(1, 6))]
    assert alarms() == 0


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


@pytest.mark.pull_request
@pytest.mark.parametrize("is_new_process", [False, True])
def test_a_recovery_to_a_point_in_time_sends_under_the_same_keys(
    served, primary, is_new_process, alarms
):
    """A base backup and the log, as far as a point before the marks of two payments."""
    primary.keep_log()
    recovered = primary.copied()
    served.add(2, 3)
    primary.ask("SELECT pg_create_restore_point('before')")
    assert served.send() == ["sent", "sent"]
    primary.stop()
    recovered.recover("before")
    served.move(recovered)
    if is_new_process:
        served.restart()
    assert served.send() == ["sent", "sent"]
    assert Counter(served.provider.keys) == {key_of(1): 1, key_of(2): 2, key_of(3): 2}
    assert alarms() == 1
    served.add(4)
    assert served.send() == ["sent"], "it is noticed once"
    assert alarms() == 1


@pytest.mark.pull_request
def test_what_was_read_before_a_standby_was_promoted_is_not_sent_after(served, primary):
    """The mark of the other worker did not reach it."""
    standby = primary.standby()

    def fail_over_after(send):
        standby.lag_behind(primary)
        send()
        primary.stop("immediate")
        standby.promote()
        served.move(standby)

    check_that_what_was_read_is_not_sent_after(served.engine, fail_over_after)


@pytest.mark.pull_request
def test_a_dump_in_another_cluster_or_over_the_same_tables_is_another_copy(served, primary, alarms):
    served.add(2)
    dump = primary.dump("--clean", "--if-exists")
    assert served.send() == ["sent"]
    with Cluster.new(primary.version) as other:
        other.execute("CREATE ROLE worker LOGIN")
        for server in (other, primary):
            server.load(dump)
            served.move(server)
            served.restart()
            assert served.send() == ["sent"]
    assert served.provider.keys == [key_of(1), *[key_of(2)] * 3]
    assert alarms() == 2


# What a review has found


@pytest.mark.parametrize("is_new_process", [False, True])
def test_tables_that_were_made_anew_or_emptied_are_no_copy(shop, is_new_process, alarms):
    """As tests of a service do it, on the same file."""
    for number in (2, 3):
        shop.outbox.table.metadata.drop_all(shop.engine)
        shop.outbox.create_table()
        if is_new_process:
            shop.restart()
        shop.add(number)
        assert shop.send() == ["sent"]
    for table in shop.outbox.table.metadata.sorted_tables:
        execute(shop.outbox, sa.delete(table))
    shop.add(4)
    assert shop.send() == ["sent"]
    assert alarms() == 0


def test_a_backup_that_was_held_in_its_time_is_marked_all_the_same(shop):
    shop.outbox.hold()
    shop.add(2)
    shop.let_time_pass()
    backup = back_up(shop)
    shop.outbox.release()
    assert shop.send() == ["sent"]
    backup.replace(file_of(shop))
    assert shop.send() == []
    shop.outbox.release()
    assert shop.send() == []
    assert shop.provider.keys == [*map(key_of, (1, 2))], "it is looked up"


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


@pytest.mark.pull_request
def test_a_beat_and_a_hold_within_a_savepoint_are_no_change(served, primary, alarms):
    begin = sa.event.listens_for(served.engine, "begin")
    begin(lambda connection: connection.exec_driver_sql("SAVEPOINT of_the_program"))
    served.outbox.hold()
    served.outbox.release()
    primary.execute("ALTER TABLE victor_outbox_control SET LOGGED")
    served.add(2)
    assert served.send() == ["sent"]
    assert alarms() == 0
