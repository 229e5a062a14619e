"""Run `victor bulk`, and look at the sandbox's record afterwards."""

import csv
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx
import pytest

from tests.cli.victor_command import Command
from tests.payments import cells, today
from victor_ext import ConfigurationError, InvalidRequest, idempotency_key_for
from victor_ext.bulk import InvalidRows

PATIENCE = 120.0
KEY = ("--key-column", "invoice_no")
ACCOUNT = "917364550218"
WHO = {"by": "Ann", "why": "the customer has asked for it"}


def in_days(number):
    """The day after so many days, as a file has it."""
    return (today() + timedelta(days=number)).isoformat()


def row(number, **changes):
    good = {
        "invoice_no": f"INV-{number}",
        **cells(payee_account_number=ACCOUNT, amount=f"{number % 900 + 1}.23"),
        "region": "north",
    }
    return {**good, **{name: str(value) for name, value in changes.items()}}


def rows(count, start=1):
    return [row(number) for number in range(start, start + count)]


def referenced(count):
    """Rows that can be found by their references."""
    return [row(number, client_reference_id=f"REF-{number}") for number in range(1, count + 1)]


def write_csv(path, records):
    columns = list(dict.fromkeys(name for record in records for name in record))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(records)
    return path


def keys_of(records, column="invoice_no"):
    return {idempotency_key_for("invoice", record[column]) for record in records}


def places(check):
    """Line or row, column and code of each problem."""
    return [(each.line or each.row, each.column, each.code) for each in check.problems]


def refused(match):
    """The block is refused with a message that has this pattern."""
    return pytest.raises((ConfigurationError, InvalidRequest, InvalidRows), match=match)


def velo_command(sandbox, environment, folder):
    """The command for payouts, wired to a sandbox of Velo."""
    api_key, api_secret = sandbox.add_key()
    settings = {
        "VELO_BASE_URL": sandbox.url,
        "VELO_API_KEY": api_key,
        "VELO_API_SECRET": api_secret,
    }
    payor = ("--payor-id", sandbox.payor_id)
    begins = ("--provider", "velo")
    return Bulk.of({**environment, **settings}, folder, begins=begins, sends=payor)


class Senders(partial):
    """Makes senders that share a state: `sender(batch="april")` is one of them."""

    def of(self, **options):
        """Makes senders that have these options, too."""
        return Senders(self, **options)

    def finish(self, records=None, **options):
        """Send these rows, or go on with what is stored: each row is created."""
        own = self(**options)
        status = own.resume() if records is None else own.send(records)
        assert status.exit_status == 0, status
        return status

    def store(self, records, **options):
        """Store a batch, and stop before any of it is sent."""

        def stop(_status):
            raise InterruptedError

        with suppress(InterruptedError):
            self(**options).send(records, on_progress=stop)

    def results(self, **options):
        """What became of the rows of a batch, by their invoice numbers."""
        return {result.number: result for result in self(**options).export()}

    def result(self, **options):
        """What became of the only row of a batch."""
        (result,) = self(**options).export()
        return result


class Meanwhile(httpx.HTTPTransport):
    """The way to the provider. Something happens after the first answer to this method."""

    def __init__(self, happens, method="GET"):
        super().__init__()
        self._happens, self._method = [happens], method

    def handle_request(self, request):
        response = super().handle_request(request)
        is_token = request.url.path.endswith("/auth/token")
        if request.method == self._method and self._happens and not is_token:
            response.read()
            self._happens.pop()()
        return response


def acts_of(sender, records):
    """All that a sender may be asked to do with a batch, and with a file of it."""
    reads = [sender.status, sender.batches, lambda: list(sender.export())]
    writes = [sender.resume, sender.drop, sender.work, partial(sender.send, records)]
    return [*reads, *writes, partial(sender.check, records)]


def lose_answers(sandbox, times=None):
    """So many creates, or all, are done, and their answers are lost."""
    sandbox.inject("lose_answer", operation="create", times=times)


def respond_to_creates(sandbox, status, times=None):
    """So many creates, or all, have this status, and nothing is done."""
    sandbox.inject("status", operation="create", status=status, times=times)


@contextmanager
def nothing_sent(sandbox):
    """No create leaves within the block."""
    before = sandbox.attempts_by_key()
    yield
    assert sandbox.attempts_by_key() == before, before


def outbound(sandbox):
    """The requests that came from us."""
    return [request for request in sandbox.requests() if request["direction"] == "outbound"]


def made_in(sandbox):
    """How many requests were made by creates."""
    return sum(sandbox.work_done_by_key().values())


def change_state(path, statement):
    """Change what an SQLite state has, as somebody else may."""
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.execute(statement)


def in_state(path, query):
    """What an SQLite state has, in one column."""
    with closing(sqlite3.connect(path)) as database:
        return [value for (value,) in database.execute(f"SELECT {query}")]


def asked_once(sandbox, records, *keys):
    """The sandbox made one request for each of these rows, one under each of these keys, and no
    other one.
    """
    made = {key: times for key, times in sandbox.work_done_by_key().items() if times}
    assert made == dict.fromkeys([*keys_of(records), *keys], 1), made


@dataclass(frozen=True)
class Bulk(Command):
    """`victor bulk`."""

    patience: float = PATIENCE
    begins: tuple[str, ...] = ()
    sends: tuple[str, ...] = KEY

    @classmethod
    def of(cls, environment, folder, **options):
        """The command in a folder, with a state of its own in it."""
        state = f"sqlite:///{folder}/victor-bulk.sqlite"
        return cls({**environment, "VICTOR_BULK_STATE": state}, folder, **options)

    @property
    def state(self):
        """The URL of its state."""
        return self.environment["VICTOR_BULK_STATE"]

    def __call__(self, *words, **variables):
        """Run it to its end."""
        ended = super().__call__("bulk", *self.begins, *words, **variables)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def send(self, file, *words, **variables):
        """Send a file of its folder, or these rows as `invoices.csv`."""
        name = file if isinstance(file, str) else self.write(file).name
        return self("send", name, *self.sends, *words, **variables)

    def write(self, records, name="invoices.csv"):
        """A file with these rows, in its folder."""
        return write_csv(self.folder / name, records)

    def started(self, *words, **variables):
        return super().started("bulk", *self.begins, *words, **variables)

    def started_at_terminal(self, *words, **variables):
        return super().started_at_terminal("bulk", *self.begins, *words, **variables)

    def sending(self, name, *words):
        """Send a file in a process of its own."""
        return self.started("send", name, *self.sends, *words)


def wait_until(come, process, at_most=PATIENCE):
    """Wait for a condition, until the process ends or the time is up."""
    ends = time.monotonic() + at_most
    while not come() and time.monotonic() < ends:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
            return


def wait_for_rows(sandbox, count, process):
    """Wait until so many rows are made, or the process ends."""
    wait_until(lambda: made_in(sandbox) >= count, process)
