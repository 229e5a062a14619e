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

from tests.histories.bulk_surface import FileRow, Line, NoticeOfRow, Report, Terms
from tests.histories.calls import BASE
from tests.histories.files_provider import OVER, FilesNetwork
from tests.histories.reference_table import (
    NEVER_LEFT,
    Action,
    Digests,
    NewRow,
    Payment,
    Table,
    plain_key,
    values_text,
)
from victor_ext import (
    Outcome,
    PaymentRequest,
    RateLimited,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
)

Name = tuple[str, str, str]
"""Where a payment is in the state: its kind and its key; the first word is empty."""
BAD = {"looks_like", "other_values", "due_later", "rejected_before", "other_account", "rejected"}
NO_KEYS = ("#N/A", "#REF!", "#VALUE!")


class Stopped(Exception):
    """A command is refused as a whole."""


@dataclass
class State:
    payments: dict[Name, Payment] = field(default_factory=dict)
    batches: dict[str, list[Name]] = field(default_factory=dict)
    wrapped_by: str = ""
    """With what the state's own key is wrapped."""
    is_held: bool = False


class ReferenceBulk:
    """The commands on a state in memory."""

    def __init__(self, transport: FilesNetwork, mistake: str = "") -> None:
        self._transport, self.table, self.state = transport, Table(mistake), State()
        self._meanwhile: Callable[[], None] | None = None
        self._clients: dict[str, Victor] = {}

    def _has(self, mistake: str) -> bool:
        return self.table.has(mistake)

    # The commands

    def send(self, terms: Terms, batch: str, rows: list[FileRow]) -> Report:
        return self._run("send", terms, lambda: self._send(terms, batch, rows))

    def resume(self, terms: Terms, batch: str) -> Report:
        def resume() -> Report:
            self._need(batch)
            self._settle(terms, batch)
            if not self._in_doubt(batch):
                self._send_waiting(terms, batch)
            return self._status(batch, [])

        return self._run("resume", terms, resume)

    def status(self, terms: Terms, batch: str) -> Report:
        def status() -> Report:
            self._need(batch)
            return self._status(batch, [])

        return self._run("status", terms, status)

    def drop(self, terms: Terms, batch: str) -> Report:
        def drop() -> Report:
            self._need(batch)
            may_be_dropped: tuple[str, ...] = NEVER_LEFT
            if self._has("what may have been sent is dropped"):
                may_be_dropped = (*NEVER_LEFT, "unknown")
            for payment in self._of(batch):
                if payment.state in may_be_dropped and payment.batch == batch:
                    payment.state, payment.is_dropped = "left_out", True
            return Report(0)

        return self._run("drop", terms, drop)

    def ask_again(self, terms: Terms, batch: str, rows: list[FileRow], key: str) -> Report:
        def allow() -> Report:
            payment = self.state.payments.get(self._name(terms, batch, key))
            if payment is None:
                raise Stopped("ConfigurationError: there is no such payment")
            self._allow_again(terms, payment)
            return Report(0)

        allowed = self._run("ask again", terms, allow)
        return allowed if allowed.stopped else self.send(terms, batch, rows)

    def resolve(self, terms: Terms, batch: str, key: str, outcome: str) -> Report:
        def resolve() -> Report:
            payment = self.state.payments.get(self._name(terms, batch, key))
            is_asked = not self._has("what is known is resolved")
            if payment is None or (payment.state != "unknown" and is_asked):
                raise Stopped("ConfigurationError: it is not unknown")
            if not self._has("who resolves is not heard"):
                payment.state = "created" if outcome == "created" else "waiting"
                payment.state_before_hold = ""
            return Report(0)

        return self._run("resolve", terms, resolve)

    def release(self, terms: Terms, batch: str) -> Report:
        self.state.is_held = False
        return Report(0)

    def forget(self, terms: Terms, batch: str) -> Report:
        def forget() -> Report:
            ended = ["created", "rejected"]
            if self._has("what may exist is forgotten"):
                ended.append("unknown")
            for name, payment in list(self.state.payments.items()):
                if payment.state in ended:
                    self._forget(name, payment)
            return Report(0)

        return self._run("forget", terms, forget)

    def _forget(self, name: Name, payment: Payment) -> None:
        """All but what protects: key, id, digests, outcome."""
        payment.row = None
        if self._has("digests are forgotten"):
            payment.digests = replace(payment.digests, values="")
        is_unknown = payment.state == "unknown"
        if is_unknown or self._has("what is forgotten is forgotten whole"):
            del self.state.payments[name]
            for batch, names in self.state.batches.items():
                self.state.batches[batch] = [each for each in names if each != name]

    def rekey(self, terms: Terms, batch: str, storage_key: str) -> Report:
        def rekey() -> Report:
            self.state.wrapped_by = storage_key
            return Report(0)

        return self._run("rekey", terms, rekey)

    def export(self, terms: Terms, batch: str) -> list[Line]:
        payments = self._of(batch)
        if self._has("the export is in the order of storing"):
            stored = list(self.state.payments.values())
            payments = sorted(payments, key=stored.index)
        if self._has("what was created before has no line"):
            payments = [each for each in payments if each.batch == batch]
        return [self._line(payment) for payment in payments]

    @staticmethod
    def _line(payment: Payment) -> Line:
        row, known = payment.row, (payment.key, payment.state, payment.id)
        if row is None:
            return Line(*known, 0)
        return Line(*known, row.number, row.payer, row.amount, row.due.isoformat())

    # The state

    def copy(self) -> State:
        return deepcopy(self.state)

    def restore(self, _terms: Terms, _batch: str, copied: State) -> None:
        """What was stored before the backup, and had not left then, may have been sent since: it is
        looked up, until a person resolves it.
        """
        self.state = deepcopy(copied)
        if self._has("a restored state is believed"):
            return
        self.state.is_held = True
        for payment in self.state.payments.values():
            if payment.state in (*NEVER_LEFT, "rejected"):
                payment.state_before_hold, payment.state = payment.state, "unknown"

    @contextmanager
    def between(self, command: Callable[[], None]) -> Generator[None]:
        self._meanwhile = command
        try:
            yield
        finally:
            self._meanwhile = None

    def _meet_another(self) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def _run(self, name: str, terms: Terms, command: Callable[[], Report]) -> Report:
        try:
            self._unwrap(name, terms)
            return command()
        except Stopped as error:
            return Report(2, stopped=str(error), is_refusal=True)

    def _unwrap(self, name: str, terms: Terms) -> None:
        wrapping, is_new = terms.storage_key or terms.secret, not self.state.wrapped_by
        if is_new and name != "send":
            raise Stopped("ConfigurationError: there is no state")
        if is_new:
            self.state.wrapped_by = wrapping
        if self.state.wrapped_by != wrapping:
            if name == "send" and self._has("another storage key starts anew"):
                self.state = State(wrapped_by=wrapping)
            is_passed = (name == "resume" and self._has("another storage key resumes")) or (
                name == "status" and self._has("another storage key reads a status")
            )
            if self.state.wrapped_by != wrapping and not is_passed:
                raise Stopped("ConfigurationError: another storage key")
        is_stopped = self.state.is_held and name != "status"
        if is_stopped and not self._has("a restore that is not released is sent"):
            raise Stopped("ConfigurationError: a restore that is not released")

    def _need(self, batch: str) -> None:
        if batch not in self.state.batches:
            raise Stopped("ConfigurationError: no such batch")

    def _name(self, terms: Terms, batch: str, key: str) -> Name:
        return self._place(terms, batch), terms.key_kind, key.strip()

    def _place(self, terms: Terms, batch: str) -> str:
        if self._has("the key has the name of the file"):
            return batch
        return f"account {terms.account}" if self._has("the key has the account") else ""

    def _of(self, batch: str) -> list[Payment]:
        return [self.state.payments[name] for name in self.state.batches.get(batch, [])]

    def _in_doubt(self, batch: str) -> list[Payment]:
        return [payment for payment in self._of(batch) if payment.state == "unknown"]

    # How a file is decided

    def _send(self, terms: Terms, batch: str, rows: list[FileRow]) -> Report:
        keys = [row.key.strip() for row in rows]
        if len(set(keys)) < len(keys):
            raise Stopped("InvalidRows: a key is there twice")
        if any(key in NO_KEYS for key in keys) and not self._has("#N/A is a key"):
            raise Stopped("InvalidRows: a spreadsheet's error is no key")
        notices = self._store(terms, batch, rows)
        was_in_doubt = bool(self._in_doubt(batch))
        self._settle(terms, batch)
        if not was_in_doubt or self._has("what is in doubt stops nothing"):
            self._send_waiting(terms, batch)
        rejections = ("rejected", "rejected_before")
        named = {notice.key_value for notice in notices if notice.code in rejections}
        for payment in self._of(batch):
            is_new = payment.state == "rejected" and payment.key_value not in named
            if is_new and not self._has("a rejected row is not named"):
                notices.append(NoticeOfRow("rejected", payment.key_value))
        return self._status(batch, notices, is_stopped=was_in_doubt)

    def _store(self, terms: Terms, batch: str, rows: list[FileRow]) -> list[NoticeOfRow]:
        """Decide about all rows in one transaction, and store what follows."""
        is_late = self._has("two operators decide at once")
        if not is_late:
            self._meet_another()
        known = deepcopy(self.state.payments)
        old = self.state.batches.get(batch, [])
        names, notices = list[Name](), list[NoticeOfRow]()
        decided, in_file = dict[Name, Payment](), list[Payment]()
        for row in rows:
            name = self._name(terms, batch, row.key)
            payment, code = self._decided(terms, batch, row, name, known, in_file)
            names.append(name)
            in_file.append(payment)
            decided[name] = payment
            if code:
                notices.append(NoticeOfRow(code, row.key.strip()))
        if is_late:
            self._meet_another()
        self.state.payments |= decided
        self.state.batches[batch] = names
        self._leave_out(batch, set(old) - set(names))
        return notices

    def _leave_out(self, batch: str, names: set[Name]) -> None:
        for name in sorted(names):
            payment = self.state.payments[name]
            if payment.state not in NEVER_LEFT or payment.batch != batch:
                continue
            is_kept = self._has("what its file lacks is sent")
            if is_kept or self._has("what is left out is resumed"):
                self.state.batches[batch].append(name)
            payment.state = "waiting" if is_kept else "left_out"

    def _digests(self, terms: Terms, row: FileRow) -> Digests:
        text = values_text(row)
        if self._has("a reference is no value"):
            text = text.rpartition("|")[0]
        if self._has("the provider's secret is in the digests"):
            text = f"{text}|{terms.secret}"
        return Digests(text, row.due)

    def _decided(
        self,
        terms: Terms,
        batch: str,
        row: FileRow,
        name: Name,
        known: dict[Name, Payment],
        in_file: list[Payment],
    ) -> tuple[Payment, str]:
        """The payment of a row as it is to be stored, and what is told of it."""
        digests, stored = self._digests(terms, row), known.get(name)
        new = NewRow(row.key.strip(), terms.key_kind, batch, terms.account, digests)
        others = [other for place, other in known.items() if place != name]
        action, code = self.table.decide(stored, new, others, self._now())
        if action is Action.SEND and self._is_alike(new, in_file):
            action, code = Action.REFUSE_NEW, "looks_like"
        if stored is None:
            place = self._place(terms, batch)
            key_value, kind = row.key.strip(), terms.key_kind
            stored = Payment(kind, key_value, batch, terms.account, digests, row, place=place)
        self._apply(action, stored, new, row)
        return stored, code

    def _is_alike(self, new: NewRow, in_file: list[Payment]) -> bool:
        """Whether the file itself has the row twice, spelled otherwise."""
        if self._has("what looks alike is not looked for in the file itself"):
            return False
        return any(
            plain_key(other.key_value) == plain_key(new.key_value)
            and other.state in ("waiting", "created", "unknown")
            for other in in_file
        )

    def _apply(self, action: Action, stored: Payment, new: NewRow, row: FileRow) -> None:
        is_kept = stored.row is not None and self._has("what waits keeps its old values")
        if action in (Action.SEND, Action.REFUSE_NEW):
            stored.digests, stored.row = new.digests, stored.row if is_kept else row
            if not self._has("what waits stays with its batch"):
                stored.batch = new.batch
            stored.account, stored.is_dropped = new.account, False
            stored.state = "waiting" if action is Action.SEND else "refused"
        if action is Action.SEND_UNDER_NEXT_KEY:
            stored.digests, stored.row, stored.batch = new.digests, row, new.batch
            stored.account, stored.state = new.account, "waiting"
            stored.attempt += not self._has("a corrected row keeps its key")
        is_unknown = action in (Action.SETTLE, Action.LOOK_UP)
        if is_unknown and stored.row is None:
            stored.row = row  # all that is left of it is what protects
        if is_unknown and self._has("what is unknown is sent with the file's values"):
            stored.row = row

    # How it is sent

    def _now(self) -> float:
        return self._transport.ledger.clock()

    def _client(self, account: str) -> Victor:
        if account not in self._clients:
            self._clients[account] = Victor(
                VictorOAuth(account, "a-secret"),
                transport=self._transport,
                base_url="https://victor.test",
                retry=RetryPolicy(max_attempts=1),
            )
        return self._clients[account]

    def _settle(self, terms: Terms, batch: str) -> None:
        for payment in self._in_doubt(batch):
            is_others, is_old = payment.account != terms.account, payment.is_too_old(self._now())
            is_held = bool(payment.state_before_hold)
            is_others &= not self._has("what another account may have made is sent again")
            is_old &= not self._has("a key that is too old is sent again")
            is_held &= not self._has("what is held is not looked up")
            if is_others or is_old or is_held:
                self._look_up(terms, payment)
            else:
                self._ask(terms.account, payment)

    def _look_up(self, terms: Terms, payment: Payment) -> None:
        if payment.row is None:
            return  # forgotten: a file that has it looks it up
        now = datetime.fromtimestamp(self._now(), UTC)
        since = now - timedelta(days=30)
        requests = self._client(terms.account).payment_requests
        try:
            matches = list(requests.find(payment.row.reference, start_datetime=since))
        except VictorError:
            return
        others_ids = {other.id for other in self.state.payments.values() if other is not payment}
        if matches and matches[-1].id in others_ids:
            return  # it settles another payment
        if matches:
            self._is_found(payment, payment.row, matches[-1])
        elif self._has("a look-up that has no match says that there is none"):
            payment.state = "waiting"

    @staticmethod
    def _is_found(payment: Payment, row: FileRow, match: PaymentRequest) -> None:
        """It is there. After a restore perhaps with other values, which are stored as they are."""
        payment.state, payment.id, payment.state_before_hold = "created", match.id, ""
        payer = row.payer if match.payer is None else match.payer.counterparty_id or row.payer
        due = match.due_date or row.due
        payment.row = replace(row, payer=payer, amount=str(match.amount), due=due)
        payment.digests = Digests(values_text(payment.row), due)

    def _send_waiting(self, terms: Terms, batch: str) -> None:
        for payment in self._of(batch):
            is_left_out = payment.state == "left_out" and not payment.is_dropped
            is_dropped = payment.state == "left_out" and payment.is_dropped
            is_waiting = payment.state == "waiting" and payment.batch == batch
            is_waiting |= is_left_out and self._has("what is left out is resumed")
            is_waiting |= is_dropped and self._has("what is dropped is resumed")
            if is_waiting:
                payment.account = terms.account
                self._ask(terms.account, payment)

    def _ask(self, account: str, payment: Payment) -> None:
        row = payment.row
        assert row is not None
        values = {"payer_counterparty_id": row.payer, "amount": row.amount, "due_date": row.due}
        arguments: dict[str, Any] = {**BASE, **values, "client_reference_id": row.reference}
        was_in_doubt, payment.state = payment.state == "unknown", "unknown"
        payment.sent_at = payment.sent_at or self._now()
        requests = self._client(account).payment_requests
        try:
            request = requests.create(**arguments, idempotency_key=payment.key)
        except VictorError as error:
            if not was_in_doubt:
                self._note(error, payment)
        else:
            payment.state, payment.id, payment.sent_at = "created", request.id, None

    def _note(self, error: VictorError, payment: Payment) -> None:
        is_not_done = error.outcome is Outcome.NOT_SENT or isinstance(error, RateLimited)
        if is_not_done or self._has("nothing that has left is unknown"):
            payment.state, payment.sent_at = "waiting", None
        elif error.outcome is Outcome.REJECTED:
            payment.state, payment.sent_at = "rejected", None

    def _allow_again(self, terms: Terms, payment: Payment) -> None:
        if self._has("who asks again is not heard"):
            return
        if payment.state == "refused":
            payment.is_allowed = not self._has("a row that looks like another is never allowed")
            payment.state = "waiting"
            return
        is_over = payment.state == "rejected"
        if payment.state == "created" and payment.id is not None:
            is_over = self._is_over(terms, payment.id)
        if not is_over and not self._has("what is pending is asked again"):
            is_so = f"{payment.key_value} is {payment.state}"
            raise Stopped(f"ConfigurationError: {is_so}: it would be asked twice")
        payment.attempt += 1
        payment.state, payment.id, payment.is_allowed = "waiting", None, True

    def _is_over(self, terms: Terms, id_: str) -> bool:
        requests = self._client(terms.account).payment_requests
        try:
            status = str(requests.get(id_).status)
        except VictorError:
            raise Stopped("ConfigurationError: it could not be read") from None
        return status.lower() in OVER

    def _status(
        self, batch: str, notices: list[NoticeOfRow], *, is_stopped: bool = False
    ) -> Report:
        states = {payment.state for payment in self._of(batch)}
        codes = {notice.code for notice in notices}
        if is_stopped or "unknown" in states:
            return Report(3, tuple(notices))
        if "waiting" in states:
            return Report(75, tuple(notices))
        is_bad = bool(codes & BAD) or bool(states & {"rejected", "refused", "left_out"})
        is_bad |= "created_before" in codes and self._has("what was created is a failure")
        return Report(1 if is_bad else 0, tuple(notices))
