"""What is true of the histories of files: what the provider made of each invoice, and what the
operators' last files say. It shares no code with the package or with the senders.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from email.utils import formatdate
from random import Random
from typing import Any

import httpx

from tests.histories.bulk_surface import FileRow, Line, Report
from tests.histories.provider import BODIES, Provider, Reply, Rules, Work, flat

WRONG_PAYER, PAYER = "wrong", "cust"
"""How the ids of customers begin; the provider does not know those that begin with the first."""
MAY_HAVE_ARRIVED = ("lost", "503")
NOT_MADE = ("waiting", "not_sent", "refused", "rejected", "left_out")
EXPLAINED = {"looks_like", "other_values", "due_later", "rejected_before", "other_account"}
"""What refuses a row, or leaves it as it is, with an exit status that is not 0."""
_AMOUNT, _DUE = "payment_details.amount", "payment_details.due_date"
_PAYER_FIELD = "payer.victor_counterparty_id"

Values = tuple[str, str, str]


def values_of(row: FileRow) -> Values:
    return row.payer, f"{float(row.amount):.2f}", row.due.isoformat()


class Ledger(Provider):
    """A provider whose customers decline, and that rejects payers whom it does not know."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules, time.time)
        self.declined: set[str] = set()
        self._refused_keys: set[str | None] = set()

    def _do(self, request: httpx.Request, content: bytes, *rest: Any) -> Reply:
        """Do it, or refuse it; what a key was refused is refused again under this key."""
        key = self.key_of(request, content)
        is_wrong = request.method == "POST" and f'"{WRONG_PAYER}'.encode() in content
        if is_wrong:
            self._refused_keys.add(key)
        if is_wrong or (key is not None and key in self._refused_keys):
            return Reply(400, BODIES["error"])
        return super()._do(request, content, *rest)

    def shown(self, work: Work, detail: str) -> dict[str, Any]:
        shown = super().shown(work, detail)
        return {**shown, "status": "declined"} if work.id in self.declined else shown

    def _read(self, url: httpx.URL, last: str, account: str) -> Reply:
        reply = super()._read(url, last, account)
        if last in self.declined:
            return Reply(200, reply.body.replace(b'"Pending"', b'"declined"'))
        return reply


@dataclass
class Command:
    """A command that runs: the rows that it may send, and the batch that it is about."""

    name: str
    rows: list[FileRow]


@dataclass
class Truth:
    """The oracle. Operators tell it what they do, the network what left, and it complains."""

    ledger: Ledger
    is_monthly: bool
    has_notices: bool = True
    """Whether a status has notices of all kinds."""
    wrong: list[str] = field(default_factory=list)
    running: list[Command] = field(default_factory=list)
    batches: dict[str, list[list[FileRow]]] = field(default_factory=dict)
    """The last files of each batch: two, if nobody knows whether the second was stored."""
    latest: dict[Any, FileRow] = field(default_factory=dict)
    approved: dict[Any, int] = field(default_factory=dict)
    owed_again: set[Any] = field(default_factory=set)
    in_doubt: set[tuple[str, Values]] = field(default_factory=set)
    """Keys and values that left, and whose answers the sender never had."""
    rejected: set[Any] = field(default_factory=set)
    told_rejected: set[tuple[Any, str, str]] = field(default_factory=set)
    """The fact, payer and amount of what an export has called rejected."""
    notices: dict[str, set[str]] = field(default_factory=dict)
    keys: dict[int, set[str]] = field(default_factory=dict)
    """The keys under which an invoice was in files."""
    values: dict[int, set[tuple[str, str]]] = field(default_factory=dict)
    """Its payers and amounts there."""
    stored_facts: set[Any] = field(default_factory=set)
    exported_keys: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    """What was made before a restore, of files that the restored state has never seen."""
    excused_facts: set[Any] = field(default_factory=set)
    judged: int = 0

    def fact_of(self, number: int, due: str) -> Any:
        """An invoice; of files that name their month, the month is part of it."""
        return (number, due[:7]) if self.is_monthly else number

    def fact(self, row: FileRow) -> Any:
        return self.fact_of(row.number, row.due.isoformat())

    def _values(self, work: Work) -> Values:
        values = work.values
        return values[_PAYER_FIELD], f"{float(values[_AMOUNT]):.2f}", str(values[_DUE])

    def _fact_of_work(self, work: Work) -> Any:
        payer, _, due = self._values(work)
        return self.fact_of(int(payer.removeprefix(PAYER)), due)

    def made(self, fact: Any) -> list[Work]:
        return [work for work in self.ledger.done if self._fact_of_work(work) == fact]

    # What happens

    @contextmanager
    def command(self, name: str, rows: list[FileRow]) -> Iterator[None]:
        self.running.append(Command(name, rows))
        for row in rows:
            self.keys.setdefault(row.number, set()).add(row.key)
            self.values.setdefault(row.number, set()).add(values_of(row)[:2])
        try:
            yield
        finally:
            self._judge_works()
            self.running.pop()

    def accepted(self, batch: str, rows: list[FileRow], report: Report) -> None:
        """A file was sent. It is the last one of its batch, unless it was refused as a whole."""
        if report.is_refusal:
            return
        before = self.batches.get(batch, []) if report.stopped else []
        self.batches[batch] = [*before[-1:], rows]
        self.latest |= {self.fact(row): row for row in rows}
        self.stored_facts |= {self.fact(row) for row in rows}

    def may_resume(self, batch: str) -> list[FileRow]:
        """The rows of a batch's last file that no later file has with other values."""
        rows = [row for file in self.batches.get(batch, []) for row in file]
        return [row for row in rows if values_of(self.latest[self.fact(row)]) == values_of(row)]

    def dropped(self, batch: str) -> None:
        """What never left was taken back: `resume` goes on with what may have been sent alone."""
        self.batches[batch] = []

    def is_over(self, row: FileRow) -> bool:
        """Whether its customer has declined all that was made of it."""
        works = self.made(self.fact(row))
        return bool(works) and all(work.id in self.ledger.declined for work in works)

    def approve(self, row: FileRow) -> None:
        """An operator asks again for what is over, or was refused because it looks like another."""
        works, fact = self.made(self.fact(row)), self.fact(row)
        looks_like = "looks_like" in self.notices.get(row.key, ())
        if self.is_over(row) or looks_like:
            self.approved[fact] = max(self.approved.get(fact, 0), len(works))

    def has_one_key(self, row: FileRow) -> bool:
        return self.keys.get(row.number, {row.key}) == {row.key}

    def has_one_value(self, row: FileRow) -> bool:
        return self.values.get(row.number, {values_of(row)[:2]}) == {values_of(row)[:2]}

    def known(self) -> tuple[set[Any], set[str]]:
        """The facts and the keys of which a state knows by now."""
        return set(self.stored_facts), set(self.exported_keys)

    def restored(self, known: tuple[set[Any], set[str]]) -> None:
        """The state is one of the past, which knows no more than this."""
        facts, keys = known
        self.stored_facts, self.exported_keys = set(facts), set(keys)
        self.excused |= {work.id for work in self.ledger.done if work.fact not in keys}
        # Nothing in such a state says that a row has had a key before the one it has now.
        for fact in {self._fact_of_work(work) for work in self.ledger.done} - facts:
            self.excused_facts.add(fact)
            if fact in self.rejected or fact in self.approved:
                self.approved[fact] = max(self.approved.get(fact, 0), len(self.made(fact)))
        self.told_rejected.clear()

    # What left

    def left(self, key: str, values: Values, fault: str) -> None:
        if fault in MAY_HAVE_ARRIVED:
            self.in_doubt.add((key, values))

    def _judge_works(self) -> None:
        for work in self.ledger.done[self.judged :]:
            self._judge_work(work)
        self.judged = len(self.ledger.done)

    def _judge_work(self, work: Work) -> None:
        fact, values = self._fact_of_work(work), self._values(work)
        count = len(self.made(fact))
        if count > 1 + self.approved.get(fact, 0):
            self.wrong.append(f"asked twice: {fact} was made {count} times by {self._names()}")
        rows = [row for command in self.running for row in command.rows]
        rows = [row for row in rows if self.fact(row) == fact]
        if (work.fact, values) in self.in_doubt:
            return
        if not rows:
            self.wrong.append(f"not in the last file: {self._names()} sent {fact}")
        elif values not in [values_of(row) for row in rows]:
            self.wrong.append(f"other values than the last file's: {self._names()} sent {fact}")

    def _names(self) -> str:
        return " in ".join(command.name for command in reversed(self.running))

    # What is told

    def told(self, name: str, rows: list[FileRow], report: Report) -> None:
        for notice in report.notices:
            self.notices.setdefault(notice.key_value, set()).add(notice.code)
        codes = {notice.code for notice in report.notices}
        if report.exit_status == 0 and not report.stopped:
            for row in rows:
                # `resume` has no file that it could compare.
                is_there = bool(self.made(self.fact(row)))
                if not (is_there if name == "resume" else self.is_made(row)):
                    self.wrong.append(f"told wrong: {name} ends with 0, and {row.number} is not")
                elif name != "resume" and self._is_of_earlier_day(row):
                    self.wrong.append(f"told wrong: {name} ends with 0, and {row.number} is late")
            if codes & EXPLAINED:
                self.wrong.append(f"told wrong: {name} ends with 0 beside {codes & EXPLAINED}")
        by_key = {row.key.strip(): row for row in rows}
        self._name_rejected(name, rows, report)
        for notice in report.notices:
            row = by_key.get(notice.key_value.strip())
            if row is not None and not self._has_reason(row, notice.code):
                self.wrong.append(f"told wrong: {notice.code} has no reason, of {row.number}")

    def is_made(self, row: FileRow) -> bool:
        payer, amount, _ = values_of(row)
        works = map(self._values, self.made(self.fact(row)))
        return any(made[:2] == (payer, amount) for made in works)

    def _name_rejected(self, name: str, rows: list[FileRow], report: Report) -> None:
        """What was rejected, and is in a file unchanged, is named."""
        if not self.has_notices or name != "send" or report.stopped:
            return
        if report.exit_status not in (0, 1):
            return
        named = {notice.key_value.strip() for notice in report.notices}
        for row in rows:
            was_rejected = (self.fact(row), *values_of(row)[:2]) in self.told_rejected
            if was_rejected and self.has_one_key(row) and row.key.strip() not in named:
                self.wrong.append(f"told wrong: no notice names {row.number}, rejected before")

    def _is_of_earlier_day(self, row: FileRow) -> bool:
        days = [date.fromisoformat(self._values(work)[2]) for work in self.made(self.fact(row))]
        return row.due - max(days) > timedelta(days=1)

    def _has_reason(self, row: FileRow, code: str) -> bool:
        works = self.made(self.fact(row))
        if code == "looks_like":
            return bool(self.keys[row.number] - {row.key})
        if code in ("other_values", "created_before", "other_account", "due_later"):
            return bool(works)
        is_rejection = code in ("rejected", "rejected_before")
        has_cause = row.payer.startswith(WRONG_PAYER) or self.fact(row) in self.excused_facts
        return has_cause or not is_rejection

    def exported(self, name: str, lines: list[Line], rows: list[FileRow]) -> None:
        for row in rows:
            if any(line.number == row.number and line.outcome == "rejected" for line in lines):
                self.told_rejected.add((self.fact(row), *values_of(row)[:2]))
        self.exported_keys |= {line.key for line in lines}
        ids = {work.id: work for work in self.ledger.done}
        for line in lines:
            works = self.ledger.of(line.key) if line.key else []
            works = [work for work in works if work.id not in self.excused]
            if line.outcome == "created" and line.id not in ids:
                self.wrong.append(f"told wrong: {name}: {line.number} is created, and is not")
            elif line.outcome in NOT_MADE and works:
                self.wrong.append(f"told wrong: {name}: {line.number} is {line.outcome}, and is")

    def lost(self, rows: list[FileRow], report: Report) -> None:
        """The end: the provider is well, and the last file was sent until nothing was left."""
        named = {notice.key_value.strip() for notice in report.notices}
        for row in rows:
            is_made, is_named = self.is_made(row), row.key.strip() in named
            # What was made with other values was named when its file was read first.
            is_named |= bool(self.made(self.fact(row))) and bool(self.notices.get(row.key.strip()))
            is_in_doubt = report.exit_status == 3 and bool(self.made(self.fact(row)))
            can_be_made = not row.payer.startswith(WRONG_PAYER)
            if can_be_made and not is_made and not is_named and not is_in_doubt:
                self.wrong.append(f"lost: {row.number} is not made, and no notice names it")
        for fact in self.owed_again:
            if len(self.made(fact)) < 2:
                self.wrong.append(f"lost: {fact} was to be asked again")


def _dated(headers: dict[str, str]) -> dict[str, str]:
    """With a `Date`: without one nobody knows how old a key is, and it is not sent again."""
    return {**headers, "Date": formatdate(usegmt=True)}


class FilesNetwork(httpx.BaseTransport):
    """Between a sender and the provider. A share of the requests fails."""

    def __init__(self, ledger: Ledger, dice: Random) -> None:
        self.ledger, self.dice, self.share, self.is_down = ledger, dice, 0.0, False
        self.truth: Truth | None = None
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        with self._lock:
            return self._exchange(request, content)

    def _exchange(self, request: httpx.Request, content: bytes) -> httpx.Response:
        reply = self.ledger.token(request, content)
        is_write = request.method == "POST" and reply is None
        fault = self._fault() if is_write else ""
        if fault == "not sent" or (self.is_down and reply is None):
            raise httpx.ConnectError("it happened")
        if is_write and self.truth is not None:
            self._note(request, content, fault)
        if fault in ("503", "429"):
            return httpx.Response(int(fault), headers=_dated({}), content=BODIES["html"])
        if reply is None:
            with self.ledger.working(request, content, 0) as reply:
                pass
        if fault == "lost":
            raise httpx.ReadError("it happened")
        return httpx.Response(reply.status, headers=_dated(reply.headers), content=reply.body)

    def _fault(self) -> str:
        if self.dice.random() >= self.share:
            return ""
        return self.dice.choice(["lost", "lost", "not sent", "503", "429"])

    def _note(self, request: httpx.Request, content: bytes, fault: str) -> None:
        assert self.truth is not None
        body = flat(json.loads(content))
        values = body[_PAYER_FIELD], f"{float(body[_AMOUNT]):.2f}", str(body[_DUE])
        payer = values[0]
        if payer.startswith(WRONG_PAYER):
            number = int(payer.removeprefix(WRONG_PAYER))
            self.truth.rejected.add(self.truth.fact_of(number, values[2]))
        self.truth.left(self.ledger.key_of(request, content) or "", values, fault)
