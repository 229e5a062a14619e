"""Check a source, decide about each of its rows, and store them: all of them, or none."""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from victor_ext import InvalidRequest, Problem, idempotency_key_for
from victor_ext.settlement.key_age import Sent
from victor_ext.tables.sources import Record, Rows, SourceBroken, records_of
from victor_ext.tables.temporary import TemporaryDatabase

from .asking import asked_of
from .chunks import enqueue
from .columns import Fields, check_heading, problems_of, split_record
from .deciding import TO_DECIDE, Act, Code, Decision, decide, made_of
from .holding import refuse_held
from .layout import chunk_id, chunk_rows_for
from .lines import refuse_lost
from .notices import message_of
from .pacing import ProviderClock
from .payments import (
    IN_DOUBT,
    LEFT_OUT,
    LINES,
    NEVER_LEFT,
    PAYMENTS,
    UNDER_WAY,
    UNREADABLE,
    Asked,
    Stored,
    lock_payments,
    look_alikes,
    only_looked_up,
    pages,
    stored_of,
    upsert,
)
from .rows import Check, Notice, RowOutcome, RowProblem, refuse_invalid
from .settings import (
    PERSONS,
    TERMS,
    Expected,
    WorkerContext,
    in_utc,
    needs_another_person,
)
from .store import BatchRecord, Store

_EXACT = Context(prec=60)
_SCHEMA = """
CREATE TABLE asked (
    number INTEGER PRIMARY KEY, line INTEGER, key TEXT UNIQUE, is_repeated BOOLEAN DEFAULT FALSE,
    problems TEXT, grouping TEXT, asked TEXT, spelling TEXT, amount TEXT, currency TEXT,
    reference TEXT,
    act TEXT, code TEXT, message TEXT, again INTEGER, since TEXT, has_own BOOLEAN DEFAULT FALSE,
    chunk INTEGER, place INTEGER
);
CREATE INDEX spelled ON asked (spelling);
"""
_CAN_BE_ASKED = NEVER_LEFT | {RowOutcome.REJECTED.value}
_WITH_OWN_ROW = TO_DECIDE | {Code.REJECTED_BEFORE}
"""Codes of rows that are stored beside another one of their payment: ask-again asks for these."""
_OF_WRONG = (None, Act.REFUSE.name, Act.SKIP.name)
"""What is done with invalid rows that count as such: those without a key are not decided about."""
_ONE_AT_A_TIME = 7_421_133_019_540_188
"""The advisory lock of those who store a file: two of them would wait for each other's keys."""


class Loading(TemporaryDatabase):
    """Rows to check, and then to store in a batch.

    The database has what each row asks, encrypted, and what is decided about it.
    """

    def __init__(self, rows: Rows, batch: str, context: WorkerContext, expected: Expected) -> None:
        super().__init__(_SCHEMA)
        self._rows, self.batch = rows, batch
        self._settings, self._kind = context.settings, context.kind
        self._context, self._vault = context, context.vault
        self._expected, self._without_amount = expected, 0
        self._totals: dict[str, Decimal] = {}
        """The sum of the amounts in each currency."""
        self._record: BatchRecord | None = None
        self._key_column = context.settings.key_column or context.kind.reference
        self._columns: dict[str, None] = {}
        self.check = Check()

    def read(self) -> Check:
        """Check every row, and decide about it by what the state has now. Nothing is stored."""
        has_state = self._context.state.exists()
        if has_state:
            with self._context.open_present(self.batch) as store:
                self._read_batch(store)
                with store.engine.connect() as connection:
                    refuse_lost(store, connection)
        self._read_source()
        if has_state:
            present = self._context.open_present(self.batch)
            with present as store, store.engine.connect() as connection:
                self._decide_all(connection)
        else:
            self._decide_all(None)
        return self.check

    def _read_batch(self, store: Store) -> None:
        self._record = store.record(to_send=True)
        if self._record is not None:
            self._settings = self._settings.after(self._record)
            self._settings.check_sender(self._record.persons)
            self._key_column = self._record.key_column

    @property
    def _key_kind(self) -> str:
        known = None if self._record is None else self._record.key_kind
        return self._settings.key_kind or known or "invoice"

    @property
    def _made_of(self) -> str:
        """What keys are made of, beside their values."""
        return made_of(self._key_kind, self._key_column)

    # Reading

    def _read_source(self) -> None:
        settings, check, kind = self._settings, self.check, self._kind
        required = [name for name in kind.required if name not in settings.defaults]
        heading = partial(check_heading, kind, self._key_column, required)
        try:
            for record in records_of(
                self._rows, encoding=settings.encoding, known=kind.columns, check=heading
            ):
                check.rows += 1
                self._take(record)
        except SourceBroken as broken:
            check.note(
                RowProblem(None, broken.line, broken.column, broken.code, broken.message),
                breaks=True,
            )
        if check.rows == 0 and not check.broken:
            check.note(
                RowProblem(None, None, None, "empty", "the source has no rows."), breaks=True
            )
        check.columns = list(self._columns)
        check.sharing = self._sharing()
        for message in self._expected.differences(check.rows, self._totals, self._without_amount):
            check.note(RowProblem(None, None, None, "control_total", message), breaks=True)

    def _take(self, record: Record) -> None:
        fields = split_record(self._kind, record.fields, self._key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value, fields.problems = None, list(record.problems)
        if self._expected.total is not None:
            self._add_amount({} if record.problems else fields.arguments)
        problems = self._completed(record, fields)
        key = self._key_of(fields)
        if key is not None and self._is_repeated(record, fields, key, problems):
            return
        self._columns |= dict.fromkeys(fields.extras)
        asked = asked_of(
            self._kind,
            self._vault,
            number=record.number,
            key=key or "",
            key_column=self._key_column,
            key_value=fields.key_value,
            arguments=fields.arguments,
            extras=fields.extras,
            is_valid=not problems,
        )
        spelling = f"{asked.values_digest} {asked.spelling_digest}"
        if key is not None and self._is_respelled(record, fields, spelling, problems):
            return
        group = None if problems else self._kind.group(fields.arguments)
        amount, currency = (None, None) if problems else self._price_of(fields.arguments)
        self.execute(
            "INSERT INTO asked"
            " (number, line, key, problems, grouping, asked, spelling, amount, currency, reference)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.number,
                record.line,
                key,
                _to_json(problems) if problems else None,
                None if group is None else self._vault.fingerprint(repr(group)),
                json.dumps(asked),
                None if key is None else spelling,
                amount,
                currency,
                asked.reference_digest if self._may_share(fields, problems) else None,
            ),
        )

    def _may_share(self, fields: Fields, problems: Sequence[Problem]) -> bool:
        """Whether another row can have its reference: of rows that go together, no two have one."""
        has_reference = bool(fields.arguments.get(self._kind.reference))
        return has_reference and not problems and self._kind.together == 1

    def _sharing(self) -> int:
        """Return how many rows have the reference of another one."""
        query = (
            "WITH shared AS (SELECT COUNT(*) AS rows_of_one FROM asked"
            " WHERE reference IS NOT NULL GROUP BY reference HAVING COUNT(*) > 1)"
            " SELECT COALESCE(SUM(rows_of_one), 0) FROM shared"
        )
        (count,) = self.execute(query).fetchone()
        return int(count)

    def _completed(self, record: Record, fields: Fields) -> Sequence[Problem]:
        """Complete the arguments of a record. Return all problems with it."""
        fields.arguments = {**self._settings.defaults, **fields.arguments}
        if "due_date" in fields.arguments:
            fields.arguments["due_date"] = in_utc(fields.arguments["due_date"])
        in_file = record.line is not None
        return (
            fields.problems if record.problems else problems_of(self._kind, fields, in_file=in_file)
        )

    def _key_of(self, fields: Fields) -> str | None:
        """Return the key of a row's payment; None: the row does not say which it is."""
        if fields.key_value is None:
            return None
        facts = self._kind.key_facts(fields.arguments, self._key_kind, fields.key_value)
        return None if facts is None else idempotency_key_for(*facts)

    def _is_repeated(
        self, record: Record, fields: Fields, key: str, problems: Sequence[Problem]
    ) -> bool:
        query = "SELECT number, line FROM asked WHERE key = ?"
        before = self.execute(query, (key,)).fetchone()
        if before is None:
            return False
        self._add_repeated(record, fields, before, "two rows cannot have one key.", *problems)
        return True

    def _is_respelled(
        self, record: Record, fields: Fields, spelling: str, problems: Sequence[Problem]
    ) -> bool:
        """Whether an earlier row asks for the same under a key that differs by spelling alone."""
        query = "SELECT number, line FROM asked WHERE spelling = ?"
        before = self.execute(query, (spelling,)).fetchone()
        if before is None:
            return False
        why = "they differ by spelling alone, and ask for the same."
        self._add_repeated(record, fields, before, why, *problems)
        return True

    def _add_repeated(
        self,
        record: Record,
        fields: Fields,
        before: tuple[int, int | None],
        why: str,
        *problems: Problem,
    ) -> None:
        """Add a row that is never stored: the source is refused, whatever the state has."""
        number, line = before
        place = f"row {number}" if line is None else f"line {line}"
        column = self._key_column
        message = f"{column} is {(fields.key_value or '')[:60]!r}, as in {place}: {why}"
        repeated = Problem(column, "repeated", message)
        self.execute(
            "INSERT INTO asked (number, line, is_repeated, problems) VALUES (?, ?, TRUE, ?)",
            (record.number, record.line, _to_json([repeated, *problems])),
        )

    def _note(self, number: int, line: int | None, problems: str) -> None:
        for field, code, message in json.loads(problems):
            self.check.note(RowProblem(number, line, field or None, code, message))

    def _add_amount(self, arguments: Mapping[str, Any]) -> None:
        try:
            amount, currency = self._kind.price(arguments)
        except (InvalidRequest, KeyError):
            self._without_amount += 1
        else:
            _add(self._totals, amount, currency)

    def _price_of(self, arguments: Mapping[str, Any]) -> tuple[str, str]:
        amount, currency = self._kind.price(arguments)
        return str(amount), currency

    # Deciding

    def _decide_all(self, connection: sa.Connection | None, *, lock: bool = False) -> None:
        """Decide about each row, in the order of the keys: so do all who lock them."""
        owner = self._context.owner
        query = "SELECT asked, line, problems FROM asked WHERE key IS NOT NULL ORDER BY key"
        rows = ((Asked(*json.loads(text)), *rest) for text, *rest in self.execute(query))
        for page in pages(rows):
            stored: dict[str, Stored] = {}
            alike: dict[str, list[Stored]] = {}
            if connection is not None:
                stored = stored_of(connection, owner, [row.key for row, *_ in page], lock=lock)
                to_ask = [
                    row.values_digest
                    for row, *_ in page
                    if row.key not in stored or stored[row.key].state in _CAN_BE_ASKED
                ]
                alike = look_alikes(connection, owner, to_ask)
            for asked, line, _ in page:
                others = alike.get(asked.values_digest, [])
                self._decide(asked, line, stored.get(asked.key), others)
        self._count()

    def _decide(
        self, asked: Asked, line: int | None, stored: Stored | None, alike: list[Stored]
    ) -> None:
        decision = decide(
            asked,
            stored,
            alike,
            batch=self.batch,
            account=self._context.account,
            made_of=self._made_of,
        )
        message = None
        if decision.code is not None:
            message = self._noticed(asked, line, stored, decision)
        is_forgotten = stored is not None and stored.forgotten
        has_own = is_forgotten or decision.code in _WITH_OWN_ROW
        self.execute(
            "UPDATE asked SET act = ?, code = ?, message = ?, again = ?, since = ?, has_own = ?"
            " WHERE number = ?",
            (
                decision.act.name,
                decision.code,
                message,
                decision.again,
                decision.since,
                has_own,
                asked.number,
            ),
        )

    def _noticed(
        self, asked: Asked, line: int | None, stored: Stored | None, decision: Decision
    ) -> str:
        """Note what an operator has to know of a row, and return it."""
        assert decision.code is not None
        of = decision.other or stored
        assert of is not None
        row = self._vault.deserialize(asked.row)
        message = message_of(decision.code, row, of, self._vault, self._kind)
        self.check.notice(Notice(line or asked.number, decision.code, str(row[1]), message))
        return message

    def _count(self) -> None:
        """Count the rows by what is decided, and note the problems of those that are invalid."""
        check = self.check
        check.notices.sort(key=lambda notice: notice.line)
        query = (
            "SELECT number, line, is_repeated, problems, act, code, amount, currency FROM asked"
            " ORDER BY number"
        )
        for number, line, is_repeated, problems, act, code, amount, currency in self.execute(query):
            if is_repeated:
                check.repeated += 1
                self._note(number, line, problems)
            elif problems is not None and act in _OF_WRONG:
                check.invalid += 1
                check.set_aside += self._settings.skip_invalid and act != Act.SKIP.name
                self._note(number, line, problems)
            elif act == Act.STORE.name and code != Code.ASKED_SINCE:
                check.new += 1
                _add(check.totals, Decimal(amount), currency)
                check.replaced += code == Code.REPLACED
            elif code in TO_DECIDE:
                check.changed += 1
            else:
                check.unchanged += 1

    # Storing

    def store(self, store: Store) -> BatchRecord:
        """Store the rows that are sent, and the lines of all, in one transaction.

        What is decided now counts: another process may have stored or sent some meanwhile. Returns
        what is known of the batch from now on.
        """
        stored = ProviderClock(self._context.client).sent_now()
        with store.transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
            self._context.state.keep_key(connection, self._vault, self._context.secret)
            refuse_held(connection)
            self.check.forget_decisions()
            self._lock_unsent(connection, store)
            self._decide_all(connection, lock=True)
            refuse_invalid(self.batch, self.check, skip_invalid=self._settings.skip_invalid)
            first = store.chunks_so_far(connection) + 1
            chunks = self._assign_chunks(first)
            for page in pages(self._payments(store, stored)):
                upsert(connection, PAYMENTS, page)
            self._replace_lines(connection)
            record = self._new_record(store.present_record(connection))
            store.save_record(connection, record, first - 1 + chunks)
            for number in range(first, first + chunks):
                chunk = chunk_id(store.queue, number)
                enqueue(store, connection, chunk, self._chunk_data(number))
        return record

    def _lock_unsent(self, connection: sa.Connection, store: Store) -> None:
        """Let nobody send anything of the batch that has not left until the transaction ends."""
        is_unsent = sa.and_(store.is_of_batch(), PAYMENTS.c.state.in_(NEVER_LEFT))
        lock_payments(connection, is_unsent, columns=(PAYMENTS.c.key, PAYMENTS.c.place))

    def _assign_chunks(self, first: int) -> int:
        """Give each row that is sent its chunk and its place there. Return how many chunks are
        new.
        """
        size = chunk_rows_for(self._settings.rate, self._kind.together)
        filling: dict[Hashable, tuple[int, int]] = {}
        count = 0
        # What is looked up is in no call with what is sent.
        query = "SELECT number, grouping, since FROM asked WHERE act = ? ORDER BY number"
        for number, name, since in self.execute(query, (Act.STORE.name,)):
            group = (name, since is not None)
            chunk, place = filling.get(group, (0, size))
            if place == size:
                chunk, place = first + count, 0
                count += 1
            self.execute(
                "UPDATE asked SET chunk = ?, place = ? WHERE number = ?", (chunk, place, number)
            )
            filling[group] = (chunk, place + 1)
        return count

    def _chunk_data(self, number: int) -> dict[str, Any]:
        query = "SELECT key FROM asked WHERE chunk = ? ORDER BY place"
        keys = [key for (key,) in self.execute(query, (number,))]
        return {**self._settings.chunk_terms(), "keys": keys}

    def _payments(self, store: Store, stored: Sent) -> Iterator[dict[str, Any]]:
        query = (
            "SELECT asked, problems, act, message, again, since, chunk, place FROM asked"
            " WHERE act IN (?, ?) ORDER BY key"
        )
        stored_at = time.time()
        acts = (Act.STORE.name, Act.REFUSE.name)
        for text, problems, act, message, again, since, chunk, place in self.execute(query, acts):
            asked = Asked(*json.loads(text))
            is_sent = act == Act.STORE.name
            reasons = [one[2] for one in json.loads(problems or "[]")] or [message]
            error = " ".join(filter(None, reasons))
            refusal = self._vault.serialize([None, None, error, None])
            state = RowOutcome.WAITING.value if is_sent else RowOutcome.REFUSED.value
            is_looked_up = is_sent and since is not None
            yield {
                "owner": self._context.owner,
                "key": asked.key,
                "batch": self.batch,
                "chunk": chunk_id(store.queue, chunk) if is_sent else None,
                "worker": None,
                "place": place or 0,
                "state": UNDER_WAY if is_looked_up else state,
                "again": again,
                "allowed": False,
                "forgotten": False,
                "restored": since is not None,
                "account": self._context.account,
                "kind": self._made_of,
                "values_digest": asked.values_digest,
                "spelling_digest": asked.spelling_digest,
                "reference_digest": asked.reference_digest,
                "made_digest": None,
                "due_date": None if asked.due_date == UNREADABLE else asked.due_date,
                "row": asked.row,
                "sent": None if since is None or not is_looked_up else only_looked_up(since),
                "result": None if is_sent else refusal,
                "kept": self._settings.kept,
                "stored_at": stored_at,
                "stored": since or json.dumps(stored),
            }

    def _replace_lines(self, connection: sa.Connection) -> None:
        """Make the rows of this source the lines of the batch. What never left, and is not among
        them, is left out. What is in doubt gets lines of its own, which stay once it is created.
        """
        owner, lines, columns = self._context.owner, LINES.c, PAYMENTS.c
        is_its = sa.and_(lines.owner == owner, lines.batch == self.batch)
        before = sa.select(lines.key).where(is_its, lines.number < 0)
        settled_since = [*connection.execute(before).scalars()]
        connection.execute(sa.delete(LINES).where(is_its))
        query = (
            "SELECT number, key, asked, act, code, message, problems, has_own FROM asked"
            " ORDER BY number"
        )
        for page in pages(self.execute(query)):
            connection.execute(sa.insert(LINES), [self._line(*row) for row in page])
        listed = sa.select(lines.key).where(is_its, lines.key.is_not(None))
        is_lacking = sa.and_(columns.owner == owner, columns.key.not_in(listed))
        is_own = sa.and_(is_lacking, columns.batch == self.batch)
        is_left_out = sa.and_(is_own, columns.state.in_(NEVER_LEFT - {LEFT_OUT}))
        left_out = sa.update(PAYMENTS).where(is_left_out).values(state=LEFT_OUT)
        self.check.left_out = connection.execute(left_out).rowcount
        own = sa.select(columns.key).where(is_own)
        unlisted = {*connection.execute(own.where(columns.state.in_(IN_DOUBT))).scalars()}
        created = own.where(columns.state == RowOutcome.CREATED.value)
        for keys in pages(settled_since):
            unlisted.update(connection.execute(created.where(columns.key.in_(keys))).scalars())
        for page in pages(enumerate(sorted(unlisted), 1)):
            values = [
                {"owner": owner, "batch": self.batch, "number": -number, "key": key}
                for number, key in page
            ]
            connection.execute(sa.insert(LINES), values)

    def _line(
        self,
        number: int,
        key: str | None,
        text: str,
        act: str | None,
        code: str | None,
        message: str | None,
        problems: str | None,
        has_own: int,
    ) -> dict[str, Any]:
        told = message
        if key is None or act == Act.SKIP.name:
            reasons = [one[2] for one in json.loads(problems or "[]")]
            told = " ".join(filter(None, [message, *reasons]))
        return {
            "owner": self._context.owner,
            "batch": self.batch,
            "number": number,
            "key": key,
            "code": code,
            "row": Asked(*json.loads(text)).row if has_own or key is None else None,
            "message": None if told is None else self._vault.serialize(told),
        }

    def _new_record(self, before: BatchRecord | None) -> BatchRecord:
        """Return what is known of the batch from now on: `before`, by what is stored now."""
        settings = self._settings
        persons = [] if before is None else list(before.persons)
        settings.check_sender(persons)
        is_stricter = settings.not_by_sender and not needs_another_person(persons)
        if self.check.stored or is_stricter:
            persons.append({name: getattr(settings, name) for name in PERSONS})
        return BatchRecord(
            key_column=self._key_column,
            key_kind=self._key_kind,
            columns=self.check.columns,
            terms={name: getattr(settings, name) for name in TERMS},
            persons=persons,
            rows=self.check.rows,
        )


def _to_json(problems: Sequence[Problem]) -> str:
    return json.dumps([[problem.field, problem.code, problem.message] for problem in problems])


def _add(totals: dict[str, Decimal], amount: Decimal, currency: str) -> None:
    totals[currency] = _EXACT.add(totals.get(currency, Decimal(0)), amount)
