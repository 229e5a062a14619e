"""Bulk as the histories of files use it: the one place that knows the names of its surface."""

from __future__ import annotations

import csv
import itertools
import os
import re
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from tests.histories.calls import BASE
from victor_ext import (
    ConfigurationError,
    InvalidRequest,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
    check_payment_request,
)
from victor_ext.bulk import BulkSender, RowResult
from victor_ext.bulk import payment_requests as bulk_requests
from victor_ext.bulk import run as bulk_run
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.state import State, hold_state
from victor_ext.settlement import failures

STORAGE_KEY = "a secret for histories, of some length"
OTHER_STORAGE_KEY = "another secret of histories, just as long"
FACT_COLUMN = "region"
"""A column that is not sent. It names the invoice, whatever a spreadsheet does to its key."""
_OTHER_BATCH = re.compile(r"has the same rows as the batch .*BulkSender\(batch='([^']+)'")


@dataclass(frozen=True)
class FileRow:
    """A row of a file: the number of its invoice, its key as it is written, and its values."""

    number: int
    key: str
    payer: str
    amount: str
    due: date
    reference: str

    def fields(self) -> dict[str, str]:
        fixed = {name: str(value) for name, value in BASE.items()}
        fixed["amount_modification_allowed"] = "true"
        return {
            "invoice_no": self.key,
            **fixed,
            "payer_counterparty_id": self.payer,
            "amount": self.amount,
            "due_date": self.due.isoformat(),
            "client_reference_id": self.reference,
            FACT_COLUMN: f"{self.number}",
        }


@dataclass(frozen=True)
class Terms:
    """With what an operator calls the command."""

    account: str = "A"
    secret: str = "a-secret"
    """Of the account's credentials."""
    storage_key: str | None = STORAGE_KEY
    """None: the credentials wrap what is stored."""
    key_kind: str = "invoice"


@dataclass(frozen=True)
class NoticeOfRow:
    """What was told of a row."""

    code: str
    key_value: str


@dataclass(frozen=True)
class Line:
    """A line of the export: `number` is 0, and the values are empty, of what was forgotten."""

    key: str
    outcome: str
    id: str | None
    number: int
    payer: str = ""
    amount: str = ""
    due: str = ""
    is_listed: bool = True
    """Whether the latest file has it: what may have been sent stays until it is settled."""


@dataclass(frozen=True)
class Report:
    """What an operator reads after a command. `stopped` is why it did nothing, or ended early."""

    exit_status: int
    notices: tuple[NoticeOfRow, ...] = ()
    stopped: str = ""
    is_refusal: bool = False
    """Whether the command was refused as a whole, before it stored or sent anything."""
    is_of_another_account: bool = False
    """Whether it was refused because its batch is another account's."""
    other_batch: str = ""
    """The batch that is to go on instead of the file."""
    to_decide: int = 0
    """How many rows a person has to decide about."""


def check_on_any_day(**arguments: Any) -> None:
    """Check a row on its due date: months pass in a history, and the machine's clock stays."""
    day = date.fromisoformat(str(arguments["due_date"]))
    arguments["now"] = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    check_payment_request(**arguments)


class RealBulk:
    """`BulkSender` on a state in a folder, or in another database."""

    def __init__(self, folder: Path, transport: httpx.BaseTransport, state: str = "") -> None:
        self._folder, self._transport = folder, transport
        self._file = folder / "state.sqlite"
        self._numbers = itertools.count()
        self._state = state or f"sqlite:///{self._file}"

    # The commands

    def send(self, terms: Terms, batch: str, rows: list[FileRow]) -> Report:
        # Another operator may write a file of this name before this one is read once more.
        path = self._folder / f"{next(self._numbers)} {batch}"
        records = [row.fields() for row in rows]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(records[0]))
            writer.writeheader()
            writer.writerows(records)
        return self._report(terms, batch, lambda sender: sender.send(path))

    def do(self, terms: Terms, batch: str, command: str, *args: Any, **options: Any) -> Report:
        """Any other command, by the name of its method."""
        return self._report(terms, batch, lambda sender: getattr(sender, command)(*args, **options))

    def ask_again(self, terms: Terms, batch: str, rows: list[FileRow], key: str) -> Report:
        person = {"by": "Ada", "why": "the customer asked for it"}
        asked = self.do(terms, batch, "ask_again", [key], **person)
        return asked if asked.stopped else self.send(terms, batch, rows)

    def resolve(self, terms: Terms, batch: str, key: str, outcome: str) -> Report:
        person = {"by": "Ada", "why": "read at the provider"}
        return self.do(terms, batch, "resolve", key, outcome, **person)

    def export(self, terms: Terms, batch: str) -> list[Line]:
        with suppress(VictorError), self._sender(terms, batch) as sender:
            return [_line(result) for result in sender.export()]
        return []

    # The state

    def copy(self) -> Any:
        """A backup, or None if there is none."""
        if not self._file.exists():
            return None
        copied = self._folder / "backup.sqlite"
        copied.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._file)) as state, closing(sqlite3.connect(copied)) as to:
            state.backup(to)
        return copied.read_bytes()

    def restore(self, terms: Terms, batch: str, copied: Any) -> None:
        """Put a backup back, with all that a person does so that bulk knows of it.

        Until `release`, nothing may be sent.
        """
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        self._file.write_bytes(copied)
        held = self.do(terms, batch, "hold")
        if held.stopped:  # a secret of the past is looked for; meanwhile it is held all the same
            with State(self._state).engine() as engine, engine.begin() as connection:
                hold_state(connection)

    @contextmanager
    def between(self, command: Callable[[], None]) -> Generator[None]:
        """Let another operator's command come before the next one stores its file.

        Not later: in one thread it could not wait for the end of the transaction.
        """
        store, commands = Loading.store, [command]

        def storing(*arguments: Any) -> Any:
            if commands:
                commands.pop()()
            return store(*arguments)

        with patch.object(Loading, "store", storing):
            yield

    # How they are called

    def _report(self, terms: Terms, batch: str, command: Callable[[Any], Any]) -> Report:
        try:
            with self._sender(terms, batch) as sender:
                status = command(sender)
        except (ConfigurationError, InvalidRequest) as error:
            return _refusal(error)
        except VictorError as error:
            return Report(getattr(error, "exit_status", 3), stopped=f"{type(error).__name__}")
        to_decide = getattr(status, "to_decide", 0)
        exit_status = getattr(status, "exit_status", 0)
        return Report(exit_status, tuple(_notices(status)), to_decide=to_decide)

    @contextmanager
    def _sender(self, terms: Terms, batch: str) -> Generator[Any]:
        with ExitStack() as stack:
            stack.enter_context(patch.object(failures, "_FIRST_PAUSE", 0.01))
            any_day = patch.object(bulk_requests, "check_payment_request", check_on_any_day)
            stack.enter_context(any_day)
            stack.enter_context(patch.object(bulk_run, "_LOOK_EVERY", 0.02))
            client = Victor(
                VictorOAuth(terms.account, terms.secret),
                transport=self._transport,
                base_url="https://victor.test",
                retry=RetryPolicy(max_attempts=1),
            )
            # Without a storage key, the credentials are read from the environment.
            environment = {"VICTOR_CLIENT_ID": "bulk", "VICTOR_BULK_KEY": ""}
            environment["VICTOR_CLIENT_SECRET"] = terms.secret
            stack.enter_context(patch.dict(os.environ, environment))
            options: dict[str, Any] = {}
            if terms.storage_key is not None:
                options["storage_key"] = terms.storage_key
            yield BulkSender(
                stack.enter_context(client),
                state=self._state,
                batch=batch,
                key_column="invoice_no",
                patience=0,
                key_kind=terms.key_kind,
                **options,
            )


def _line(result: RowResult) -> Line:
    asked, outcome = result.asked, str(result.outcome.value)
    number = int(result.extras.get(FACT_COLUMN, 0))
    payer, amount = asked.get("payer_counterparty_id", ""), asked.get("amount", "")
    due, is_listed = asked.get("due_date", ""), result.row > 0
    return Line(result.key, outcome, result.id, number, payer, amount, due, is_listed)


def _refusal(error: VictorError) -> Report:
    text = str(error)
    other = _OTHER_BATCH.search(text)
    return Report(
        2,
        stopped=f"{type(error).__name__}: {text}",
        is_refusal=True,
        is_of_another_account="belongs to the account" in text,
        other_batch=other[1] if other else "",
    )


def _notices(status: Any) -> Iterator[NoticeOfRow]:
    for notice in getattr(status, "notices", ()):
        yield NoticeOfRow(notice.code, notice.key_value)
