"""A small sender after the table of payments, in memory: the oracle of files is tried on it, and
finds each mistake that is made in it on purpose. It shares no code with bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import normalize

import httpx

from tests.histories.bulk_surface import FileRow, Line, NoticeOfRow, Report, Terms
from tests.histories.calls import BASE
from victor_ext import (
    Outcome,
    RateLimited,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
    idempotency_key_for,
)

NEVER_LEFT = ("waiting", "left_out", "refused")
BAD = {"looks_like", "other_values", "due_later", "rejected_before", "other_account", "rejected"}
MISTAKES = {
    "the key has the name of the file": "asked twice",
    "a key that is spelled otherwise is another payment": "asked twice",
    "what looks alike is looked for among the created alone": "asked twice",
    "other values of what was created are not told": "told wrong",
    "a new month counts as created": "told wrong",
    "what is unknown is sent with the file's values": "asked twice",
    "what waits keeps its old values": "other values than the last file's",
    "what its file lacks is sent": "not in the last file",
    "a corrected row keeps its key": "has no reason",
    "a rejected row is not named": "no notice names",
    "two operators decide at once": "told wrong",
    "a key of another account is nobody's": "asked twice",
    "another storage key starts anew": "another storage key",
    "what is pending is asked again": "asked twice",
    "who asks again is not heard": "was to be asked again",
    "a restored state is believed": "told wrong",
    "what is forgotten is forgotten whole": "asked twice",
    "what is withdrawn is resumed": "not in the last file",
}
"""Mistakes in the rules of the table, and what is told of one of the histories that show it."""


def plain_key(text: str) -> str:
    """A key without what a spreadsheet changes in it."""
    folded = normalize("NFKC", text).strip().casefold().removesuffix(".0")
    return folded.lstrip("0")


class Stopped(Exception):
    """A command is refused as a whole."""


@dataclass
class Payment:
    row: FileRow
    kind: str
    batch: str
    account: str
    state: str = "waiting"
    attempt: int = 0
    id: str | None = None
    is_held: bool = False
    was_rejected: bool = False
    is_allowed: bool = False
    place: str = ""

    @property
    def key(self) -> str:
        again = ("again", self.attempt) if self.attempt else ()
        facts = (self.place, self.row.key) if self.place else (self.kind, self.row.key)
        return idempotency_key_for(*facts, *again)


@dataclass
class State:
    payments: dict[Any, Payment] = field(default_factory=dict)
    batches: dict[str, list[Any]] = field(default_factory=dict)
    storage_key: str = ""
    is_held: bool = False


def _values(row: FileRow) -> tuple[str, str]:
    return row.payer, f"{float(row.amount):.2f}"


class ReferenceBulk:
    """The commands on a state in memory."""

    def __init__(self, transport: httpx.BaseTransport, mistake: str = "") -> None:
        self._transport, self._mistake, self.state = transport, mistake, State()
        self._meanwhile: Callable[[], None] | None = None

    def _has(self, mistake: str) -> bool:
        assert mistake in MISTAKES
        return self._mistake == mistake

    # The commands

    def send(self, terms: Terms, batch: str, rows: list[FileRow]) -> Report:
        return self._run(terms, lambda: self._send(terms, batch, rows))

    def resume(self, terms: Terms, batch: str) -> Report:
        def resume() -> Report:
            self._need(batch)
            self._settle(terms, batch)
            if not self._in_doubt(batch):
                self._send_waiting(terms, batch)
            return self._status(batch, [])

        return self._run(terms, resume)

    def drop(self, terms: Terms, batch: str) -> Report:
        def drop() -> Report:
            self._need(batch)
            for payment in self._of(batch):
                if payment.state in NEVER_LEFT and not payment.attempt:
                    payment.state = "left_out"
            return Report(0)

        return self._run(terms, drop)

    def ask_again(self, terms: Terms, batch: str, rows: list[FileRow], key: str) -> Report:
        def allow() -> Report:
            payment = self.state.payments.get(self._place(terms, batch, key))
            if payment is None:
                raise Stopped("there is no such payment")
            self._allow_again(terms, payment)
            return Report(0)

        allowed = self._run(terms, allow)
        return allowed if allowed.stopped else self.send(terms, batch, rows)

    def resolve(self, terms: Terms, batch: str, key: str, outcome: str) -> Report:
        def resolve() -> Report:
            payment = self.state.payments.get(self._place(terms, batch, key))
            if payment is None or payment.state != "unknown":
                raise Stopped("it is not unknown")
            payment.state = "created" if outcome == "created" else "waiting"
            payment.is_held = False
            return Report(0)

        return self._run(terms, resolve)

    def release(self, terms: Terms, batch: str) -> Report:
        self.state.is_held = False
        return Report(0)

    def forget(self, terms: Terms, batch: str) -> Report:
        if self._has("what is forgotten is forgotten whole"):
            ended = [name for name, one in self.state.payments.items() if one.state == "created"]
            for name in ended:
                payment = self.state.payments[name]
                payment.attempt += 1
                payment.state = "left_out"
        return Report(0)

    def rekey(self, terms: Terms, batch: str, storage_key: str) -> Report:
        def rekey() -> Report:
            self.state.storage_key = storage_key
            return Report(0)

        return self._run(terms, rekey)

    def export(self, terms: Terms, batch: str) -> list[Line]:
        return [
            Line(one.key, one.state, one.id, one.row.number)
            for one in self._of(batch)
            if one.state != "created" or one.id is not None
        ]

    def copy(self) -> State:
        return deepcopy(self.state)

    def restore(self, copied: State) -> None:
        self.state = deepcopy(copied)
        if self._has("a restored state is believed"):
            return
        self.state.is_held = True
        for payment in self.state.payments.values():
            if payment.state in (*NEVER_LEFT, "rejected"):
                payment.was_rejected = payment.state == "rejected"
                payment.state = "unknown"
                payment.is_held = True

    @contextmanager
    def between(self, command: Callable[[], None]) -> Generator[None]:
        self._meanwhile = command
        try:
            yield
        finally:
            self._meanwhile = None

    # How a file is decided

    def _run(self, terms: Terms, command: Callable[[], Report]) -> Report:
        state = self.state
        try:
            if state.storage_key not in ("", terms.storage_key):
                if not self._has("another storage key starts anew"):
                    raise Stopped("ConfigurationError: another storage key")
                self.state = State()
            self.state.storage_key = terms.storage_key
            if self.state.is_held:
                raise Stopped("ConfigurationError: a restore that is not released")
            return command()
        except Stopped as error:
            return Report(2, stopped=str(error), is_refusal=True)

    def _need(self, batch: str) -> None:
        if batch not in self.state.batches:
            raise Stopped("ConfigurationError: no such batch")

    def _place(self, terms: Terms, batch: str, key: str) -> Any:
        name = (terms.key_kind, key.strip())
        return (batch, *name) if self._has("the key has the name of the file") else name

    def _of(self, batch: str) -> list[Payment]:
        names = self.state.batches.get(batch, [])
        return [self.state.payments[name] for name in names]

    def _meet_another(self) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def _send(self, terms: Terms, batch: str, rows: list[FileRow]) -> Report:
        late = self._has("two operators decide at once")
        if not late:
            self._meet_another()
        before = deepcopy(self.state.payments) if late else self.state.payments
        names, notices = list[Any](), list[NoticeOfRow]()
        old, decided = self.state.batches.get(batch, []), dict[Any, Payment]()
        for row in rows:
            name = self._place(terms, batch, row.key)
            names.append(name)
            payment, code = self._decide(terms, batch, row, name, before)
            decided[name] = payment
            if code:
                notices.append(NoticeOfRow(code, row.key.strip()))
        if late:
            self._meet_another()
        self.state.payments |= decided
        self.state.batches[batch] = names
        self._leave_out(batch, set(old) - set(names))
        was_in_doubt = bool(self._in_doubt(batch))
        self._settle(terms, batch)
        if not was_in_doubt:
            self._send_waiting(terms, batch)
        for payment in self._of(batch):
            key = payment.row.key.strip()
            if payment.state == "rejected" and key not in {each.key_value for each in notices}:
                self._name_rejected(payment, notices)
        return self._status(batch, notices, is_stopped=was_in_doubt)

    def _name_rejected(self, payment: Payment, notices: list[NoticeOfRow]) -> None:
        if not self._has("a rejected row is not named"):
            notices.append(NoticeOfRow("rejected", payment.row.key.strip()))

    def _leave_out(self, batch: str, names: set[Any]) -> None:
        for name in names:
            payment = self.state.payments[name]
            if payment.state in NEVER_LEFT and payment.batch == batch:
                if self._has("what its file lacks is sent"):
                    self.state.batches[batch].append(name)
                else:
                    payment.state = "left_out"

    def _decide(
        self, terms: Terms, batch: str, row: FileRow, name: Any, known: dict[Any, Payment]
    ) -> tuple[Payment, str]:
        payment = known.get(name)
        place = batch if self._has("the key has the name of the file") else ""
        if payment is None:
            kind = terms.key_kind
            new = Payment(row, kind, batch, terms.account, place=place)
            return self._unless_alike(new, name, known, "")
        if payment.state in NEVER_LEFT:
            return self._replaced(terms, batch, row, name, payment, known)
        if payment.state == "unknown":
            if self._has("what is unknown is sent with the file's values"):
                payment.row = row
            return payment, "settled_as_stored"
        if payment.state == "rejected":
            return self._of_rejected(batch, row, payment)
        if payment.account != terms.account:
            if not self._has("a key of another account is nobody's"):
                return payment, "other_account"
            return Payment(row, payment.kind, batch, terms.account), ""
        if _values(payment.row) != _values(row):
            is_told = not self._has("other values of what was created are not told")
            return payment, "other_values" if is_told else "created_before"
        is_later = row.due - payment.row.due > timedelta(days=1)
        if is_later and not self._has("a new month counts as created"):
            return payment, "due_later"
        return payment, "created_before"

    def _replaced(
        self,
        terms: Terms,
        batch: str,
        row: FileRow,
        name: Any,
        payment: Payment,
        known: dict[Any, Payment],
    ) -> tuple[Payment, str]:
        if not self._has("what waits keeps its old values"):
            payment.row = row
        payment.batch, payment.account, payment.state = batch, terms.account, "waiting"
        return self._unless_alike(payment, name, known, "replaced")

    def _of_rejected(self, batch: str, row: FileRow, payment: Payment) -> tuple[Payment, str]:
        if _values(payment.row) == _values(row):
            named = not self._has("a rejected row is not named")
            return payment, "rejected_before" if named else ""
        if self._has("a corrected row keeps its key"):
            return payment, ""
        payment.row, payment.batch, payment.state = row, batch, "waiting"
        payment.attempt += 1
        return payment, "corrected"

    def _unless_alike(
        self, payment: Payment, name: Any, known: dict[Any, Payment], code: str
    ) -> tuple[Payment, str]:
        if payment.is_allowed:
            return payment, code
        for other_name, other in known.items():
            if other_name != name and self._looks_like(payment, other):
                payment.state = "refused"
                return payment, "looks_like"
        return payment, code

    def _looks_like(self, payment: Payment, other: Payment) -> bool:
        if self._has("a key that is spelled otherwise is another payment"):
            return False
        may_exist = other.state in ("created", "unknown")
        may_leave = other.state == "waiting" and other.batch != payment.batch
        if self._has("what looks alike is looked for among the created alone"):
            may_exist, may_leave = other.state == "created", False
        is_alike = plain_key(payment.row.key) == plain_key(other.row.key)
        is_same_day = payment.row.due == other.row.due
        has_values = _values(payment.row) == _values(other.row)
        is_near = is_same_day or (is_alike and payment.kind == other.kind)
        same_place = self._has("the key has the name of the file")
        return has_values and is_near and (may_exist or may_leave) and not same_place

    # How it is sent

    def _in_doubt(self, batch: str) -> list[Payment]:
        return [one for one in self._of(batch) if one.state == "unknown"]

    def _client(self, account: str) -> Victor:
        return Victor(
            VictorOAuth(account, "a-secret"),
            transport=self._transport,
            base_url="https://victor.test",
            retry=RetryPolicy(max_attempts=1),
        )

    def _settle(self, terms: Terms, batch: str) -> None:
        with self._client(terms.account) as victor:
            for payment in self._in_doubt(batch):
                if payment.account != terms.account or payment.is_held:
                    self._look_up(victor, terms, payment)
                else:
                    self._ask(victor, payment)

    def _look_up(self, victor: Victor, terms: Terms, payment: Payment) -> None:
        reference = payment.row.fields()["client_reference_id"]
        since = datetime.now(UTC) - timedelta(days=1)
        try:
            matches = list(victor.payment_requests.find(reference, start_datetime=since))
        except VictorError:
            return
        if matches:
            payment.state, payment.id, payment.is_held = "created", matches[-1].id, False
            payment.row = replace(payment.row, amount=str(matches[-1].amount))
        elif payment.account == terms.account:
            payment.state = "rejected" if payment.was_rejected else "waiting"
            payment.is_held = False

    def _send_waiting(self, terms: Terms, batch: str) -> None:
        with self._client(terms.account) as victor:
            for payment in self._of(batch):
                is_withdrawn = payment.state == "left_out"
                if is_withdrawn and self._has("what is withdrawn is resumed"):
                    self._ask(victor, payment)
                if payment.state == "waiting" and payment.batch == batch:
                    payment.account = terms.account
                    self._ask(victor, payment)

    def _ask(self, victor: Victor, payment: Payment) -> None:
        fields = payment.row.fields()
        values = {name: fields[name] for name in ("payer_counterparty_id", "amount")}
        values["client_reference_id"] = fields["client_reference_id"]
        arguments: dict[str, Any] = {**BASE, **values, "due_date": payment.row.due}
        was_in_doubt, payment.state = payment.state == "unknown", "unknown"
        try:
            request = victor.payment_requests.create(**arguments, idempotency_key=payment.key)
        except VictorError as error:
            if was_in_doubt:
                return
            if error.outcome is Outcome.NOT_SENT or isinstance(error, RateLimited):
                payment.state = "waiting"
            elif error.outcome is Outcome.REJECTED:
                payment.state = "rejected"
        else:
            payment.state, payment.id = "created", request.id

    def _allow_again(self, terms: Terms, payment: Payment) -> None:
        if self._has("who asks again is not heard"):
            return
        if payment.state == "refused":
            payment.is_allowed, payment.state = True, "waiting"
            return
        if payment.state == "created" and payment.id is not None:
            with self._client(terms.account) as victor:
                try:
                    status = str(victor.payment_requests.get(payment.id).status)
                except VictorError:
                    raise Stopped("it could not be read") from None
            is_over = status.lower() in ("declined", "expired")
            if is_over or self._has("what is pending is asked again"):
                payment.attempt, payment.state = payment.attempt + 1, "waiting"
                payment.id, payment.is_allowed = None, True
                return
        raise Stopped(f"{payment.row.key} is {payment.state}: it would be asked twice")

    def _status(
        self, batch: str, notices: list[NoticeOfRow], *, is_stopped: bool = False
    ) -> Report:
        states = {payment.state for payment in self._of(batch)}
        codes = {notice.code for notice in notices}
        if is_stopped or "unknown" in states:
            status = 3
        elif "waiting" in states:
            status = 75
        else:
            is_bad = bool(codes & BAD) or bool(states & {"rejected", "refused", "left_out"})
            status = 1 if is_bad else 0
        return Report(status, tuple(notices))
