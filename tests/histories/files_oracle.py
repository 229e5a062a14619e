"""What is true of the histories of files: what the provider made of each invoice, and what the
operators' last files say. It shares no code with the package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.histories.files_bulk import FileRow, Line, NoticeOfRow, Report, Terms
from tests.histories.files_provider import (
    MAY_HAVE_ARRIVED,
    NOT_DONE,
    PAYER,
    WRONG_PAYER,
    Ledger,
    Values,
)
from tests.histories.provider import Work
from victor_ext import idempotency_key_for

NOT_MADE = ("waiting", "not_sent", "refused", "rejected", "left_out")
EXPLAINED = {"looks_like", "other_values", "due_later", "rejected_before", "other_account"}
"""What refuses a row, or leaves it as it is, with an exit status that is not 0."""
REASONS = EXPLAINED | {"rejected"}
"""What an exit status of 1 is for."""
MAY_EXIST = ("unknown", "accepted")
STARTING = ("send", "second operator", "send after a restore")
"""Commands that start nothing beside what is in doubt."""
A_DAY = timedelta(days=1)


def values_of(row: FileRow) -> Values:
    return Values(row.payer, f"{float(row.amount):.2f}", row.reference, row.due.isoformat())


def day_of(work: Work) -> date:
    return date.fromisoformat(Values.of_body(work.values).due)


@dataclass
class Command:
    """A command that runs: the rows that it may send, and what was in doubt when it began."""

    name: str
    rows: list[FileRow]
    terms: Terms
    in_doubt: set[str]
    """The keys that the provider may have, of rows of this file."""
    before: set[Work]
    """What had been made when it began."""
    made: set[Any] = field(default_factory=set)
    """The facts of what was made by it, and was not in doubt before."""


@dataclass
class Truth:
    """The oracle. Operators tell it what they do, the network what left, and it complains."""

    ledger: Ledger
    is_monthly: bool
    has_one_account: bool = True
    """Whether all commands are called with the same account: an export has nothing of others."""
    wrong: list[str] = field(default_factory=list)
    running: list[Command] = field(default_factory=list)
    batches: dict[str, list[list[FileRow]]] = field(default_factory=dict)
    """The last files of each batch: two, if nobody knows whether the second was stored."""
    latest: dict[Any, FileRow] = field(default_factory=dict)
    approved: Counter[Any] = field(default_factory=Counter[Any])
    """How often a fact may be made beside the first time."""
    owed_again: set[Any] = field(default_factory=set)
    in_doubt: set[tuple[str, Values]] = field(default_factory=set)
    """Keys and values that left, and whose responses the sender never had."""
    doubts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What is in doubt now: the row's kind and key, by the idempotency key."""
    have_left: set[Any] = field(default_factory=set)
    rejected: set[Any] = field(default_factory=set)
    told_rejected: set[tuple[Any, tuple[str, ...]]] = field(default_factory=set)
    """The fact and the values of what an export has called rejected."""
    notices: dict[str, set[str]] = field(default_factory=dict)
    keys: dict[Any, set[tuple[str, str]]] = field(default_factory=dict)
    """The kinds and the keys under which a fact was in files."""
    values: dict[Any, set[tuple[str, ...]]] = field(default_factory=dict)
    """Its values there, but for the due dates."""
    days: dict[Any, set[date]] = field(default_factory=dict)
    stored_facts: set[Any] = field(default_factory=set)
    exported_keys: set[str] = field(default_factory=set)
    settles: dict[str, str] = field(default_factory=dict)
    """The key of the line that each id was told of."""
    excused: set[str] = field(default_factory=set)
    """What a state cannot know of: what a service has made, and what was made before a restore, of
    files that the restored state has never seen.
    """
    excused_facts: set[Any] = field(default_factory=set)
    was_restored: bool = False
    is_limited: bool = False
    """Whether the provider rejects all that is asked now."""
    judged: int = 0

    def fact_of(self, number: int, due: str) -> Any:
        """An invoice; of files that name their month, the month is part of it."""
        return (number, due[:7]) if self.is_monthly else number

    def fact(self, row: FileRow) -> Any:
        return self.fact_of(row.number, row.due.isoformat())

    def _fact_of_values(self, values: Values) -> Any:
        number = values.payer.removeprefix(PAYER).removeprefix(WRONG_PAYER)
        return self.fact_of(int(number), values.due)

    def _fact_of_work(self, work: Work) -> Any:
        return self._fact_of_values(Values.of_body(work.values))

    def made(self, fact: Any) -> list[Work]:
        return [work for work in self.ledger.done if self._fact_of_work(work) == fact]

    def complain(self, what: str) -> None:
        self.wrong.append(what)

    # What happens

    @contextmanager
    def command(self, name: str, rows: list[FileRow], terms: Terms) -> Iterator[None]:
        mine = {(terms.key_kind, row.key.strip()) for row in rows}
        in_doubt = {key for key, of_row in self.doubts.items() if of_row in mine}
        before = set(self.ledger.done)
        self.running.append(Command(name, rows, terms, in_doubt, before))
        for row in rows:
            fact = self.fact(row)
            self.keys.setdefault(fact, set()).add((terms.key_kind, row.key.strip()))
            self.values.setdefault(fact, set()).add(values_of(row).without_due)
            self.days.setdefault(fact, set()).add(row.due)
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
        return bool(works) and all(map(self.ledger.is_over, works))

    def approve(self, row: FileRow) -> None:
        """An operator asks again for what is over, or was refused because it looks like another."""
        fact = self.fact(row)
        looks_like = "looks_like" in self.notices.get(row.key.strip(), ())
        if self.is_over(row) or looks_like:
            self.approved[fact] = max(self.approved[fact], len(self.made(fact)))

    def has_one_key(self, row: FileRow, kind: str) -> bool:
        one = {(kind, row.key.strip())}
        return self.keys.get(self.fact(row), one) == one

    def has_one_value(self, row: FileRow) -> bool:
        one = {values_of(row).without_due}
        return self.values.get(self.fact(row), one) == one

    def has_one_kind(self, row: FileRow, kind: str) -> bool:
        return {name for name, _ in self.keys.get(self.fact(row), ())} <= {kind}

    def has_one_day(self, row: FileRow) -> bool:
        days = self.days.get(self.fact(row), {row.due})
        return max(days | {row.due}) - min(days | {row.due}) <= timedelta(0)

    def resolved(self, row: FileRow, kind: str) -> None:
        """A person has said what became of a row."""
        mine = kind, row.key.strip()
        self.doubts = {name: of_row for name, of_row in self.doubts.items() if of_row != mine}

    def known(self) -> tuple[set[Any], set[str]]:
        """The facts and the keys of which a state knows by now."""
        return set(self.stored_facts), set(self.exported_keys)

    def restored(self, known: tuple[set[Any], set[str]]) -> None:
        """The state is one of the past, which knows no more than this."""
        facts, keys = known
        self.was_restored = True
        self.settles.clear()
        self.doubts.clear()
        self.stored_facts, self.exported_keys = set(facts), set(keys)
        self.excused |= {work.id for work in self.ledger.done if work.fact not in keys}
        self.excused_facts |= {self._fact_of_work(work) for work in self.ledger.done} - facts
        self.told_rejected.clear()

    # What leaves, and comes back

    def leaves(self, key: str, values: Values) -> None:
        fact, command = self._fact_of_values(values), self.running[-1]
        rows = [row for row in command.rows if self.fact(row) == fact]
        names = {(command.terms.key_kind, row.key.strip()) for row in rows}
        self.have_left |= {fact, *names}
        doubts = command.in_doubt & self.doubts.keys()
        is_repeated = key in doubts or any(key == before for before, _ in self.in_doubt)
        # What is in doubt comes first. Where its answer is lost once more, the rest goes on.
        command.in_doubt.discard(key)
        if command.name in STARTING and doubts and not is_repeated:
            others = ", ".join(sorted(self.doubts[doubt][1] for doubt in doubts))
            self.complain(f"started beside doubt: {fact}, while {others} may have been asked")

    def ends(self, key: str, values: Values, fault: str, status: int) -> None:
        fact, command = self._fact_of_values(values), self.running[-1]
        rows = [row for row in command.rows if self.fact(row) == fact]
        if command.name == "service":
            return  # the state knows nothing of it
        if fault in MAY_HAVE_ARRIVED:
            self.in_doubt.add((key, values))
            name = self._name_of(key, fact)
            if name is not None:
                self.doubts.setdefault(key, name)
        elif fault not in NOT_DONE and status != 409:
            self.doubts.pop(key, None)
            if status == 400:
                names = {(command.terms.key_kind, row.key.strip()) for row in rows}
                self.rejected |= {fact, *names}

    def _name_of(self, key: str, fact: Any) -> tuple[str, str] | None:
        """The kind and the key of the row that an idempotency key is of."""
        for name in self.keys.get(fact, ()):
            attempts: list[tuple[Any, ...]] = [(), *(("again", n) for n in range(1, 9))]
            if key in [idempotency_key_for(*name, *attempt) for attempt in attempts]:
                return name
        return None

    def is_listed(self) -> None:
        """A look-up was answered. What it settles, the oracle does not judge."""
        self.doubts.clear()

    def _judge_works(self) -> None:
        for work in self.ledger.done[self.judged :]:
            self._judge_work(work)
        self.judged = len(self.ledger.done)

    def _judge_work(self, work: Work) -> None:
        fact, values = self._fact_of_work(work), Values.of_body(work.values)
        if self.running[-1].name == "service":
            self.excused.add(work.id)
        names = " in ".join(command.name for command in reversed(self.running))
        count = len(self.made(fact))
        # Of a file that a restored state has never seen, its keys alone protect.
        if count > 1 + self.approved[fact] and fact not in self.excused_facts:
            self.complain(f"asked twice: {fact} was made {count} times by {names}")
        rows = [row for command in self.running for row in command.rows]
        rows = [row for row in rows if self.fact(row) == fact]
        if (work.fact, values) in self.in_doubt:
            return
        self.running[-1].made.add(fact)
        if not rows:
            self.complain(f"not in the last file: {names} sent {fact}")
        elif values not in [values_of(row) for row in rows]:
            self.complain(f"other values than the last file's: {names} sent {fact}")

    # What is told

    def told(self, rows: list[FileRow], report: Report, lines: list[Line]) -> None:
        """An operator reads what the command that runs has told, with the export after it."""
        command = self.running[-1]
        self._judge_works()
        for notice in report.notices:
            self.notices.setdefault(notice.key_value.strip(), set()).add(notice.code)
        if report.stopped:
            return
        if report.exit_status == 0:
            self._judge_success(command, rows, report)
        if report.exit_status in (1, 3):
            self._judge_failure(command, rows, report, lines)
        self._name_rejected(command, rows, report)
        by_key = {row.key.strip(): row for row in rows}
        for notice in report.notices:
            row = by_key.get(notice.key_value.strip())
            if row is None:
                continue
            if notice.code == "corrected" and self._is_rejected_again(row, lines):
                self.complain(f"lost: {row.number} was corrected, and its key was spent before")
            if not self._has_reason(command, row, notice):
                self.complain(f"told wrong: {notice.code} has no reason, of {row.number}")
            if notice.code in EXPLAINED and self._is_sent_by(command, row, report.notices):
                self.complain(f"told wrong: {row.number} is {notice.code}, and was sent")

    def _is_rejected_again(self, row: FileRow, lines: list[Line]) -> bool:
        """Whether a row that the provider would take was rejected, under a key that it refused."""
        is_rejected = any(
            line.number == row.number and line.outcome == "rejected" for line in lines
        )
        is_wrong = row.payer.startswith(WRONG_PAYER)
        return is_rejected and not is_wrong and not self.was_restored and not self.is_limited

    def _is_sent_by(self, command: Command, row: FileRow, notices: Iterable[NoticeOfRow]) -> bool:
        """Whether a refused row was sent by its own command, and by no other row of its file."""
        same = [each for each in command.rows if self.fact(each) == self.fact(row)]
        codes = {each.code for each in notices if each.key_value.strip() == row.key.strip()}
        is_alone = len(same) == 1 and len(codes) == 1
        return is_alone and self.fact(row) in command.made

    def _judge_success(self, command: Command, rows: list[FileRow], report: Report) -> None:
        is_resumed = command.name == "resume"  # it has no file that it could compare
        for row in rows:
            works = self.made(self.fact(row))
            is_there = self.is_made(row)
            if is_resumed:
                is_there = any(self._is_of_key(work, row, command) for work in self.ledger.done)
            ends = f"{command.name} ends with 0, and {row.number}"
            if not is_there:
                self.complain(f"told wrong: {ends} is not")
            elif is_resumed:
                continue
            elif self._is_of_earlier_day(row):
                self.complain(f"told wrong: {ends} is late")
            elif all(work.account != command.terms.account for work in works):
                self.complain(f"told wrong: {ends} is another account's")
        bad = {notice.code for notice in report.notices} & EXPLAINED
        if bad:
            self.complain(f"told wrong: {command.name} ends with 0 beside {bad}")

    def _judge_failure(
        self, command: Command, rows: list[FileRow], report: Report, lines: list[Line]
    ) -> None:
        """An exit status has a reason, and "may have been sent" is said where it is so alone."""
        codes = {notice.code for notice in report.notices}
        is_named = bool(codes & REASONS) or any(line.outcome in NOT_MADE for line in lines)
        is_named |= report.to_decide > 0
        if report.exit_status == 1 and lines and not is_named:
            self.complain(f"told wrong: {command.name} ends with 1 without a reason")
        has_left = any(self._has_left(command, row) for row in rows)
        if report.exit_status == 3 and rows and not has_left:
            self.complain(f"told wrong: {command.name} ends with 3, and nothing has left")

    def _has_left(self, command: Command, row: FileRow) -> bool:
        names = {self.fact(row), (command.terms.key_kind, row.key.strip())}
        return self.was_restored or bool(names & self.have_left)

    def is_made(self, row: FileRow) -> bool:
        works = map(self._values, self.made(self.fact(row)))
        return any(made.without_due == values_of(row).without_due for made in works)

    def forget_rejection(self, row: FileRow) -> None:
        """It was asked once more: what becomes of it now is what counts."""
        self.told_rejected.discard((self.fact(row), values_of(row).without_due))

    @staticmethod
    def _values(work: Work) -> Values:
        return Values.of_body(work.values)

    def _name_rejected(self, command: Command, rows: list[FileRow], report: Report) -> None:
        """What was rejected, and is in a file unchanged, is named."""
        if command.name != "send" or report.exit_status not in (0, 1):
            return
        named = {notice.key_value.strip() for notice in report.notices}
        for row in rows:
            was_rejected = (self.fact(row), values_of(row).without_due) in self.told_rejected
            is_same = self.has_one_key(row, command.terms.key_kind)
            if was_rejected and is_same and row.key.strip() not in named:
                self.complain(f"told wrong: no notice names {row.number}, rejected before")

    def _is_of_earlier_day(self, row: FileRow) -> bool:
        return row.due - max(map(day_of, self.made(self.fact(row)))) > A_DAY

    def _has_reason(self, command: Command, row: FileRow, notice: NoticeOfRow) -> bool:
        fact, code = self.fact(row), notice.code
        works = [work for work in self.ledger.done if self._is_of_key(work, row, command)]
        mine = values_of(row).without_due
        if fact in self.excused_facts:
            return True
        if code == "looks_like":
            return bool(self.keys[fact] - {(command.terms.key_kind, row.key.strip())})
        if code == "other_values":
            return any(self._values(work).without_due != mine for work in works)
        if code == "created_before":
            return self.is_made(row)
        if code == "due_later":
            is_later = any(row.due - day_of(work) > A_DAY for work in works)
            return is_later or (not works and self._has_left(command, row))
        if code == "other_account":
            return any(work.account != command.terms.account for work in works)
        if code in ("settled_as_stored", "only_looked_up"):
            return bool(works) or self._has_left(command, row)
        if code in ("rejected", "rejected_before", "corrected"):
            names = {fact, (command.terms.key_kind, row.key.strip())}
            return bool(names & self.rejected)
        if code == "replaced" and self.has_one_key(row, command.terms.key_kind):
            known = {work for work in self.made(fact) if work.id not in self.excused}
            return not known & command.before or bool(self.approved[fact])
        return True

    def _is_of_key(self, work: Work, row: FileRow, command: Command) -> bool:
        """Whether it was made of this row; or of an earlier month of its key, by its own kind."""
        fact = self._fact_of_work(work)
        key, kind = row.key.strip(), command.terms.key_kind
        mine = {name for name in self.keys[self.fact(row)] if name[1] == key} | {(kind, key)}
        return fact == self.fact(row) or bool(mine & self.keys.get(fact, set()))

    def exported(self, name: str, lines: list[Line], rows: list[FileRow]) -> None:
        """An export was read after a command; `rows` are those of a file that was stored."""
        for row in rows:
            of_row = (line for line in lines if line.payer in ("", row.payer))
            if any(line.number == row.number and line.outcome == "rejected" for line in of_row):
                self.told_rejected.add((self.fact(row), values_of(row).without_due))
        self.exported_keys |= {line.key for line in lines}
        for line in lines:
            self._judge_line(name, line)
        if not (rows and self.has_one_account):
            return
        listed = [line for line in lines if line.is_listed]
        keys = {line.key for line in listed}
        if len(listed) != len(rows) or len(keys) != len(rows):
            self.complain(f"told wrong: {name}: {len(listed)} lines of {len(rows)} rows")
        elif any(
            line.number not in (0, row.number) for line, row in zip(listed, rows, strict=True)
        ):
            self.complain(f"told wrong: {name}: the export is not in the order of the file")

    def _judge_line(self, name: str, line: Line) -> None:
        works = self.ledger.of(line.key) if line.key else []
        works = [work for work in works if work.id not in self.excused]
        known = {work.id: work for work in self.ledger.done}
        if line.outcome in NOT_MADE and works:
            self.complain(f"told wrong: {name}: {line.number} is {line.outcome}, and is")
        if line.outcome not in ("created", "to_decide"):
            return
        works = self.ledger.of(line.key)  # it has no id if a person has said so
        if line.id is not None and self.settles.setdefault(line.id, line.key) != line.key:
            self.complain(f"told wrong: {name}: {line.number} has the id of another payment")
        if line.id is not None:
            works = [known[line.id]] if line.id in known else []
        if not works:
            self.complain(f"told wrong: {name}: {line.number} is created, and is not")
        elif line.amount and not any(self.is_line_of(line, work) for work in works):
            self.complain(f"told wrong: {name}: {line.number} was made with other values")

    def is_line_of(self, line: Line, work: Work) -> bool:
        values = self._values(work)
        told = line.payer, f"{float(line.amount or 0):.2f}", line.due
        return told == (values.payer, values.amount, values.due)

    def lost(self, rows: list[FileRow], report: Report) -> None:
        """The end: the provider is well, and the last file was sent until nothing was left."""
        reasons = [notice for notice in report.notices if notice.code in REASONS]
        named = {notice.key_value.strip() for notice in reasons}
        for row in rows:
            is_made, is_named = self.is_made(row), row.key.strip() in named
            # What was made with other values was named when its file was read first.
            is_named |= bool(self.made(self.fact(row))) and bool(self.notices.get(row.key.strip()))
            # Another key is a person's decision, also where this one was spent by a lost call.
            is_named |= (self.fact(row), values_of(row).without_due) in self.told_rejected
            is_in_doubt = report.exit_status == 3 and bool(self.made(self.fact(row)))
            can_be_made = not row.payer.startswith(WRONG_PAYER)
            if can_be_made and not is_made and not is_named and not is_in_doubt:
                self.complain(f"lost: {row.number} is not made, and no notice names it")
        for fact in self.owed_again:
            if len(self.made(fact)) < 2:
                self.complain(f"lost: {fact} was to be asked again")
