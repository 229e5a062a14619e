"""Histories of rare input: nobody is asked twice, nothing is lost, nobody is told what is not so.

`make histories` runs 100,000 of them, and a test the first 800. What fails is
printed as the shortest history that fails in the same way; `run` of `history.py` runs it again.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import make_url

from tests.bulk.postgres import Postgres
from tests.histories import settling
from tests.histories.__main__ import replayable, run_all, soak
from tests.histories.calls import kiosk
from tests.histories.history import KINDS, draw, run
from tests.histories.provider import KEPT
from tests.histories.real import FAULTS
from tests.histories.receiving import shared_inboxes
from tests.histories.world import pause, with_world_time
from tests.mistakes import planted
from tests.outbox.django_project import set_up, use_database
from tests.tiers import borders

pytestmark = pytest.mark.slow
SEED = os.environ.get("SEED", "histories")
PARTS, HISTORIES = 4, 800


@pytest.mark.parametrize("part", borders(range(PARTS), 0, 1))
def test_nobody_is_asked_twice_or_told_wrong(part: int) -> None:
    found = run_all(SEED, range(part, HISTORIES, PARTS))
    print(f"{found.count} histories from seed {SEED!r}: {dict(found.words)}")
    assert not found.wrong, "\n\n".join(
        replayable(*each[0]) for each in list(found.wrong.values())[:2]
    )
    for family, word in (
        ("outbox", "sent"),
        ("bulk", "created"),
        ("payouts", "created"),
        ("calls", "success"),
        ("reading", "read"),
        ("deliveries", "handled"),
        ("inbox", "handled"),
    ):
        told = {name: times for name, times in found.words.items() if name.startswith(f"{family}:")}
        doubts = sum(told.get(f"{family}: {doubt}", 0) for doubt in ("unknown", "unclear"))
        assert told[f"{family}: {word}"] > 0.2 * sum(told.values()), f"little is done: {told}"
        assert doubts < 0.6 * sum(told.values()), f"to know nothing is no answer: {told}"


def test_a_long_run_keeps_the_promise() -> None:
    found = soak(400, 16, SEED)
    assert not found.wrong, found.wrong
    befallen = {word: times for word, times in found.words.items() if "fault: " in word}
    assert sum(befallen.values()) > 60
    assert len(befallen) >= len(FAULTS) - 3, "those that are drawn rarely may be missing"
    assert found.words["soak: success"] > 350


@pytest.mark.pull_request
def test_the_outbox_on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres()
    try:
        database = server.new_schema()
        monkeypatch.setattr(settling, "DATABASE", [database])
        found = run_all(SEED, range(20), "outbox")
        found.add(run_all(SEED, range(20), "writes"))
        found.add(run_all(SEED, range(20), "inbox"))
        shared_inboxes(database)[0]._engine.dispose()
        for lease in settling.LEASES:
            settling.shared_outbox(database, lease)._engine.dispose()
    finally:
        server.stop()
    assert not found.wrong, found.wrong


@pytest.mark.pull_request
def test_the_outbox_on_django(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up()
    from django.db import connection, transaction

    from victor_ext.outbox.django import DjangoOutbox

    def in_world_time(execute: Any, statement: str, *given: Any) -> Any:
        return execute(with_world_time(statement), *given)

    class PausingOutbox(settling.Stepped, DjangoOutbox):
        """Its transactions begin and end at a stop; it is used as an `Outbox` is."""

        def _transaction(self, *given: Any) -> Any:
            pause()
            done = super()._transaction(*given)
            pause()
            return done

        def add(self, _connection: Any, **arguments: Any) -> None:
            super().add(**arguments)

        @contextmanager
        def begin(self) -> Generator[Any]:
            with transaction.atomic():
                yield self._connection

    of_sqlalchemy = run_all(SEED, range(20), "outbox")

    def make(_database: str, lease: float) -> Any:
        made: Any = PausingOutbox(keys_kept=timedelta(seconds=KEPT), lease=timedelta(seconds=lease))
        made._engine = made
        return made

    monkeypatch.setattr(settling, "shared_outbox", make)
    with use_database(make_url(f"sqlite:///{tmp_path / 'outbox.sqlite'}")):
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        with connection.execute_wrapper(in_world_time):
            found = run_all(SEED, range(20), "outbox")
    assert (found.words, found.wrong) == (of_sqlalchemy.words, {})


class Planted(NamedTuple):
    """A mend that is taken back: some pieces of code, and what takes their place (see
    `tests.mistakes`).

    Attributes:
        kind: The kind of histories that show it.
        complaint: What is told of one of them.
        numbers: The first of their numbers, and how many there are at most; or the seed of a
            rare one, which a long run has found.
        changes: Where it is, what stands there, and what takes its place; nothing removes it.
    """

    kind: str
    complaint: str
    numbers: tuple[int, int] | str
    changes: tuple[tuple[str, str, str], ...]


LOOP, SETTLEMENT, VICTOR = (
    "victor_ext.runtime.loop",
    "victor_ext.settlement",
    "victor_ext.providers.victor",
)
BULK = "victor_ext.bulk"
STORING = "victor_ext.outbox.storing:EntryStore"
SENDING = "victor_ext.outbox.sending:Sending"
CLAIMS = "victor_ext.outbox.claims:Claims"
HOLDING, RESTORED = "victor_ext.outbox.holding:Holding", "restored outbox"
CALL, OF_USE = f"{LOOP}.attempts:_Call", f"{LOOP}.classification:_of_use"
PROVEN = (f"{LOOP}.classification:_of_error_status", "row.was_done(response)", "False")
KNOWN_TIMES = """
if not sent.known:
    return "It may have been sent at a time that is known only by the clock of a machine."
if not now.provider.is_known and now.error is not None:
    return TIME_UNKNOWN
if not now.provider.is_known:
    return (
        "It may have been sent, and its age is uncertain, because the responses of the "
        "provider have no Date."
    )
"""
FOUR_VALUES = """
compared = self.comparisons(record)
four = {"payee_account_number", "payer_counterparty_id", "amount", "client_reference_id"}
compared = {name: compared[name] for name in compared.keys() & four}
"""
NOTHING_COMPARED = (
    f"{LOOP}.operations:Done.doubt",
    'if names:\n    return f"{what} {words} {_first(names)}: it may be another\'s."',
    "",
)
ANY_TIME = (
    f"{LOOP}.operations:Done.doubt",
    "self.created_at < sent_at - times_differ",
    "False",
)
ANY_CLOCK = (
    f"{SETTLEMENT}.flow:LookUp.settlement_of",
    "self.first is None and not done.is_state",
    "False",
)
RIVAL_ENTRIES = (
    f"{SENDING}._has_rival",
    "connection.execute(rival.limit(1)).first() is not None",
    "False",
)
RIVAL_ROWS = (
    f"{BULK}.reconciliation:_has_rival",
    "any(set(other_keys[reference]) - own_keys for reference in doubt.references(column))",
    "False",
)
ENTRIES_IDS = f"{STORING}._entry_with_id", "if text is None:\n    return None", "return None"
ROWS_IDS = f"{BULK}.claims:_other_holder", "return others[0] if others else None", "return None"
OTHERS_KEYS = f"{SETTLEMENT}.key_age:Keys._of_stored", "sent.by != self.caller", "False"
FORMS = f"{LOOP}.idempotency_keys:_spelled_text", "in_one_form(text)", "text"
KEYLESS_AGAIN = (
    f"{SETTLEMENT}.key_age:NoKey.doubt",
    "if sent is not None:\n    return sent, self.why",
    "",
)
# Leases end early, as when a clock jumps: by itself, this costs an outbox nothing.
WORKERS_CLOCK = (
    "victor_ext.event_queue.databases:database_time",
    "float(connection.execute(sa.select(DatabaseTime())).scalar())",
    "time.time()",
)
RULED_OUT = """
if isinstance(state, NotDone) and not state.can_be_sent:
    return Settlement(RowOutcome.REFUSED, reason=state.why)
"""
ASSERTED = (
    f"{BULK}.row_kind:Sendable.send",
    "assert not is_repeat, 'what takes no key is never sent again'",
    "",
)
NOT_FENCED = f"{BULK}.claims:begin_payments", "row.worker == worker", "True"
REPLACED = (
    f"{BULK}.deciding:_decide_unless_restored",
    "stored.state in NEVER_LEFT",
    "stored.state in NEVER_LEFT | IN_DOUBT",
)
LISTED = "results.append(Result(RowOutcome.CREATED, payment.id, payment.status, unit=unit))"
CAP = (
    f"{SETTLEMENT}.key_age:within_key_life",
    "deadline is not None and deadline <= longest",
    "deadline is not None",
)
DAY = (
    f"{CALL}.__init__",
    "min(loop.deadline or LONGEST_WITH_KEY, LONGEST_WITH_KEY)",
    "loop.deadline",
)
READ_ANEW = """
if begin is not None:
    body.seek(begin)
if not data and begin != 0:
    raise ValueError(
        f"{name}: nothing is left to read in this file: open it again, or pass its bytes."
    )
"""
NO_ANSWER = (
    "of_exception(came, may_have_been_sent=request.extensions.get(MAY_HAVE_BEEN_SENT, False))"
)
REJECTED_WITHOUT_ANSWER = (
    f"__import__('msgspec').structs.replace({NO_ANSWER}, outcome=Outcome.REJECTED)"
)
MAY_REUSE = "counted and not self._attempts and row.is_read_by_id"
NEW_KEY = """
if signed and self._key:
    import uuid
    request.headers["Idempotency-Key"] = str(uuid.uuid4())
result = yield from self._attempt(request, counted=signed)
"""
DELIVERY = "victor_ext.providers.flexfactor.webhooks:Webhook.delivery"
NONCE = 'f"nonce {notification.nonce} {content}"'
RESENT_IS_KNOWN = f'f"about {{notification.fingerprint}}" if notification.is_resent else {NONCE}'
PLANTED = {
    "a key is made anew for each attempt": Planted(
        "calls",
        "told wrong",
        (0, 20),
        (
            (
                f"{CALL}._attempt_until_definite",
                "result = yield from self._attempt(request, counted=signed)",
                NEW_KEY,
            ),
        ),
    ),
    "a refusal whose body proves the work is one": Planted(
        "calls", "told wrong", (0, 40), (PROVEN,)
    ),
    "a write is sent again after a 429 that proves it": Planted(
        "calls", "asked twice", (60, 60), (PROVEN,)
    ),
    "a payout that a refusal proves is rejected": Planted(
        "payouts", "told wrong", (480, 20), (PROVEN,)
    ),
    "a key is made anew for each attempt of a long run": Planted(
        "soak",
        "asked twice",
        (0, 1),
        (
            (
                f"{CALL}._attempt_until_definite",
                "result = yield from self._attempt(request, counted=signed)",
                NEW_KEY,
            ),
        ),
    ),
    "a lost answer of a long run is a rejection": Planted(
        "soak",
        "told wrong",
        (0, 1),
        (
            (f"{CALL}._attempt", NO_ANSWER, REJECTED_WITHOUT_ANSWER),
            (f"{LOOP}.classification:may_repeat", "has_key or row.reads", "False"),
        ),
    ),
    "writes without a key are repeated": Planted(
        "calls",
        "asked twice",
        (0, 60),
        ((f"{LOOP}.classification:may_repeat", "has_key or row.reads", "True"),),
    ),
    "a lost answer is a rejection": Planted(
        "calls",
        "told wrong",
        (0, 20),
        ((f"{CALL}._attempt", NO_ANSWER, REJECTED_WITHOUT_ANSWER),),
    ),
    "four values of an answer are compared": Planted(
        "calls",
        "told wrong",
        (0, 200),
        (
            (
                f"{VICTOR}.creating:Sent.is_confirmed_by",
                "compared = self.comparisons(record)",
                FOUR_VALUES,
            ),
        ),
    ),
    "a connection that has not rested is taken, and its answer believed": Planted(
        "sockets",
        "told wrong",
        (0, 20),
        (
            (f"{CALL}._attempt", MAY_REUSE, "counted"),
            (
                f"{LOOP}.operations:Operation.names_its_subject",
                "isinstance(self.id, RepeatsId) and self.id.is_named(response)",
                "True",
            ),
        ),
    ),
    "an age by local clocks is certain": Planted(
        "outbox",
        "asked twice",
        (500, 40),
        (
            WORKERS_CLOCK,
            (f"{SETTLEMENT}.key_age:Keys._of_stored", KNOWN_TIMES, ""),
        ),
    ),
    "a key that may have lapsed is sent again": Planted(
        "outbox",
        "asked twice",
        (0, 80),
        ((f"{SETTLEMENT}.key_age:_by_age", "age > kept - _margin(kept)", "False"),),
    ),
    "what is looked up is not compared": Planted(
        "bulk", "told wrong, created", (0, 40), (NOTHING_COMPARED,)
    ),
    "another program's smaller payout is an entry's": Planted(
        "writes beside others",
        "told wrong",
        (0, 60),
        (
            (
                "victor_ext.providers.velo.proofs:_payment_compared",
                "(money.minor_units, money.currency) == asked",
                "True",
            ),
        ),
    ),
    "another program's smaller payment is an entry's": Planted(
        "writes beside others", "told wrong", (0, 60), (NOTHING_COMPARED,)
    ),
    "another program's smaller payout is a row's": Planted(
        "payouts beside others", "told wrong", (80, 20), (NOTHING_COMPARED,)
    ),
    "another program's smaller request is an entry's": Planted(
        "outbox beside others", "told wrong", (150, 30), (NOTHING_COMPARED,)
    ),
    "another program's smaller request is a row's": Planted(
        "bulk beside others", "told wrong, created", (0, 100), (NOTHING_COMPARED,)
    ),
    "another program's older payment is an entry's": Planted(
        "writes beside others", "told wrong", (40, 40), (ANY_TIME,)
    ),
    "another program's older payout is a row's": Planted(
        "payouts beside others", "told wrong", (150, 20), (ANY_TIME,)
    ),
    "another program's older request is an entry's": Planted(
        "outbox beside others", "told wrong", (40, 60), (ANY_TIME,)
    ),
    "another program's older request is a row's": Planted(
        "bulk beside others", "told wrong, created", (0, 60), (ANY_TIME,)
    ),
    "a time of the provider's is compared with a machine's clock": Planted(
        "writes beside others", "told wrong", (40, 30), (ANY_CLOCK,)
    ),
    "a row's time is compared with a machine's clock": Planted(
        "payouts beside others", "told wrong", (650, 20), (ANY_CLOCK,)
    ),
    "a claim does not say when": Planted(
        "outbox",
        "asked twice",
        (0, 60),
        (
            (
                f"{CLAIMS}._mark_values",
                "sent_values(sent)",
                "{}",
            ),
        ),
    ),
    "a worker stores what it has no lease for": Planted(
        "outbox",
        "lost: ",
        (0, 60),
        (
            WORKERS_CLOCK,
            (
                f"{STORING}._change_held",
                "sa.and_(columns.leased_until == lease, under_way)",
                "sa.true()",
            ),
        ),
    ),
    "a late answer is forgotten": Planted(
        "outbox",
        "lost: ",
        (0, 60),
        (
            WORKERS_CLOCK,
            (
                f"{SENDING}._store_outcome",
                "claim.lease if own.looked_up else None",
                "claim.lease",
            ),
        ),
    ),
    "a payment with a conflict was rejected": Planted(
        "bulk",
        "told wrong, rejected",
        (0, 60),
        (
            (
                f"{SETTLEMENT}.flow:_reason_to_look",
                "if isinstance(error, Conflict):\n    return error.message",
                "",
            ),
            (OF_USE, "Outcome.UNKNOWN", "Outcome.REJECTED"),
        ),
    ),
    "a call with a conflict was rejected": Planted(
        "calls", "told wrong", (0, 40), ((OF_USE, "Outcome.UNKNOWN", "Outcome.REJECTED"),)
    ),
    "every operation takes the key": Planted(
        "calls",
        "asked twice",
        (0, 300),
        (
            (
                "victor_ext.providers.connected.operations:DocumentOperations._rule",
                "declared is not None and self._takes(declared)",
                "True",
            ),
        ),
    ),
    "only a 409 says that a key was used": Planted(
        "calls",
        "under its key",
        (0, 300),
        ((f"{LOOP}.conflicts:earlier_use", "is_about_earlier(text, others)", "False"),),
    ),
    "a request settles two entries": Planted(
        "outbox", "told wrong", (100, 20), (RIVAL_ENTRIES, ENTRIES_IDS)
    ),
    "a request settles two rows": Planted(
        "bulk", "told wrong, created", (0, 80), (RIVAL_ROWS, ROWS_IDS)
    ),
    "an id that a response names settles two entries": Planted(
        "outbox", "told wrong", (115, 20), (ENTRIES_IDS,)
    ),
    "an id that a response names settles two writes": Planted(
        "writes", "told wrong", (371, 20), (ENTRIES_IDS,)
    ),
    "an id that a response names settles two rows": Planted(
        "bulk", "told wrong, created", (47, 20), (ROWS_IDS,)
    ),
    "a key of another account is sent again": Planted(
        "bulk", "asked twice", (0, 600), (OTHERS_KEYS,)
    ),
    "an entry of another account is sent again": Planted(
        "outbox", "asked twice", (0, 60), (WORKERS_CLOCK, OTHERS_KEYS)
    ),
    "all rows of a chunk are in doubt at once": Planted(
        "bulk",
        "are in doubt that nobody began to send",
        (0, 200),
        (
            (
                f"{BULK}.delivery:Delivery._next_group",
                "MARKED_AHEAD // 2 if sent.known else self._workers",
                "MARKED_AHEAD",
            ),
        ),
    ),
    "any 400 ends a list": Planted(
        "reading",
        "ends early",
        (0, 600),
        (
            (
                f"{VICTOR}.reading:walk",
                "reader.last_was_short and names_only(error.problems, {'page'})",
                "reader.last_was_short",
            ),
        ),
    ),
    "a page that is shorter than others is the last one": Planted(
        "reading",
        "ends early",
        (0, 20),
        (
            (
                "victor_ext.runtime.client.paging:PageReader.accept",
                "self.done = self.is_last",
                "self.done = self.is_last or self.last_was_short",
            ),
        ),
    ),
    "a good status is evidence": Planted(
        "calls",
        "(accepted",
        (0, 40),
        ((f"{LOOP}.classification:_has_evidence", "reader.is_evidence(response)", "True"),),
    ),
    "a body that the document does not have is dropped": Planted(
        "calls",
        "the answer was",
        (0, 60),
        (
            (
                "victor_ext.runtime.client.generated:_Bound._parsed",
                "body = json_of(response)",
                "body = NOT_JSON",
            ),
        ),
    ),
    "two forms of a fact are two keys for a caller": Planted(
        "calls", "told wrong", (0, 40), (FORMS,)
    ),
    "two forms of a fact are two entries": Planted("outbox", "asked twice", (0, 20), (FORMS,)),
    "two forms of a reference are two": Planted(
        "reading",
        "ends early",
        (0, 60),
        (("victor_ext.ids:reference_of", "in_one_form(str(reference))", "str(reference)"),),
    ),
    "a text in another form is another payment's": Planted(
        "outbox", "lost: ", (0, 200), (("victor_ext.ids:words_of", "in_one_form(text)", "text"),)
    ),
    "a call of the outbox outlasts its key": Planted(
        "outbox", "asked twice", (440, 30), (CAP, DAY)
    ),
    "a call of a batch outlasts its key": Planted("bulk", "asked twice", (160, 20), (CAP, DAY)),
    "a call sends its key as long as it has time": Planted("calls", "asked twice", (0, 60), (DAY,)),
    "a lease that ends next year is held until then": Planted(
        "outbox",
        "lost: ",
        (0, 100),
        (
            WORKERS_CLOCK,
            (
                f"{CLAIMS}._is_due",
                "is_to_come(columns.leased_until, present, self._lease)",
                "columns.leased_until > present",
            ),
        ),
    ),
    "an id is deleted by the clock of a worker": Planted(
        "inbox", "handled twice: ", (0, 100), (WORKERS_CLOCK,)
    ),
    "an event is deleted by the clock of a worker": Planted(
        "inbox", "lost: ", (0, 100), (WORKERS_CLOCK,)
    ),
    "what has no key is sent again": Planted("writes", "asked twice", (0, 60), (KEYLESS_AGAIN,)),
    "a payout is submitted again": Planted(
        "payouts", "asked twice: PAY", (0, 60), (KEYLESS_AGAIN, ASSERTED)
    ),
    "what no read shows was not done": Planted(
        "payouts",
        "told wrong",
        (0, 60),
        (
            (
                f"{SETTLEMENT}.flow:LookUp.unknown_settlement",
                "PaymentOutcome.UNKNOWN",
                "PaymentOutcome.REJECTED",
            ),
        ),
    ),
    "a worker sends what a file has replaced meanwhile": Planted(
        "bulk", "told wrong, created", (230, 20), (NOT_FENCED,)
    ),
    "a worker submits what another one has taken up": Planted(
        "payouts", "asked twice: PAY", (50, 20), (NOT_FENCED,)
    ),
    "a worker stores what it thinks of rows that another one has": Planted(
        "bulk",
        "told wrong",
        (1040, 20),
        (
            (
                f"{BULK}.claims:_is_held_by",
                "sa.and_(PAYMENTS.c.worker == worker, sa.not_(is_in(ENDED)))",
                "sa.not_(is_in(ENDED))",
            ),
        ),
    ),
    "a file replaces what may have been sent": Planted(
        "bulk", "told wrong, created", (490, 20), (REPLACED,)
    ),
    "a file submits what may have been submitted": Planted(
        "payouts", "asked twice: PAY", (120, 20), (REPLACED, ASSERTED)
    ),
    "of a payout, what is created alone is certain": Planted(
        "payouts",
        "told wrong",
        (70, 20),
        ((f"{BULK}.claims:_save_results", "result.is_certain", "False"),),
    ),
    "a payment is made that its payout does not list": Planted(
        "payouts",
        "told wrong",
        (420, 20),
        (
            (
                f"{BULK}.payouts:Payouts.unit_results",
                f"if payment is None:\n    return None\nelse:\n    {LISTED}",
                "results.append(Result(RowOutcome.CREATED, None, None, unit=unit))",
            ),
        ),
    ),
    "what a payout rejects is waited for": Planted(
        "payouts",
        "lost: ",
        (0, 60),
        (
            (
                f"{BULK}.payouts:Payouts.unit_results",
                "refusal is not None or payout.status == 'REJECTED'",
                "False",
            ),
        ),
    ),
    "a lost step is taken again at once": Planted(
        "payouts",
        "asked twice: ",
        (100, 60),
        (
            (
                f"{BULK}.reconciliation:Reconciliation._is_over",
                "return now.at_least_since(sent) >= SETTLE_FOR",
                "return True",
            ),
            (
                f"{BULK}.reconciliation:Reconciliation._is_over",
                "return sent.known and now.provider.is_known and least_age >= SETTLE_FOR",
                "return True",
            ),
            (
                f"{BULK}.reconciliation:Reconciliation._look_up_once",
                "all(self._age(sent) >= SETTLE_FOR for sent in without_key)",
                "True",
            ),
        ),
    ),
    "a step is taken however long after it was begun": Planted(
        "payouts",
        "asked twice: ",
        "20261128:32757",
        (
            (
                f"{BULK}.worker:Worker._alone_since",
                "if is_step:\n    return lambda: began",
                "if not self._worker_lock.can_be_lost:\n    return None",
            ),
        ),
    ),
    "a good response of another's is an earlier use of the key": Planted(
        "outbox beside others",
        "told wrong",
        "20261128:25885",
        (
            (
                f"{SETTLEMENT}.flow:_try_once",
                "end.attempts > 1 or not end.is_refused",
                "end.attempts > 1",
            ),
        ),
    ),
    "a lost step is never taken again": Planted(
        "payouts",
        "never ends",
        (0, 60),
        (
            (
                f"{SETTLEMENT}.flow:LookUp.settlement_of",
                "self._settlement_if_lost(done) if done.can_be_sent else None",
                "None",
            ),
        ),
    ),
    "a step that its payout's state rules out is taken": Planted(
        "payouts",
        "is too late",
        (0, 60),
        (
            (
                f"{BULK}.row_kind:LaterStep.send",
                RULED_OUT,
                "",
            ),
        ),
    ),
    "a step that was rejected is never taken again": Planted(
        "payouts",
        "nothing rules it out",
        (50, 10),
        ((f"{BULK}.steps:add_step", "payment.state in _NOT_TAKEN", "False"),),
    ),
    "a lost step that is ruled out stays unknown": Planted(
        "payouts",
        "never ends",
        (0, 60),
        ((f"{SETTLEMENT}.flow:LookUp.settlement_of", "done.is_over", "False"),),
    ),
    "every write is said to have a key": Planted(
        "writes",
        "asked twice",
        (0, 100),
        (
            (
                f"{LOOP}.operations:Operation.promise",
                "if has_key:\n    return Promise.KEYED",
                "return Promise.KEYED",
            ),
        ),
    ),
    "a write settles two entries": Planted(
        "writes",
        "told wrong",
        (350, 40),
        (RIVAL_ENTRIES, ENTRIES_IDS),
    ),
    "a status that no document has is a success": Planted(
        "writes",
        "told wrong",
        (0, 400),
        (
            (
                "victor_ext.runtime.client.prepared_calls:_request_of",
                "json_of if client._resources else None",
                "json_of",
            ),
        ),
    ),
    "an event is known by its content": Planted(
        "deliveries", "lost: ", (0, 60), ((DELIVERY, NONCE, 'f"content {content}"'),)
    ),
    "an event that was sent before is one that came before": Planted(
        "deliveries", "lost: ", (0, 60), ((DELIVERY, NONCE, RESENT_IS_KNOWN),)
    ),
    "each request is another event": Planted(
        "deliveries",
        "twice: ",
        (0, 60),
        (
            (
                "victor_ext.inbox.inboxes:InboxBase._add_id",
                "insert_once(connection, self.table, source=source, **values) is not None",
                "True",
            ),
        ),
    ),
    "a hold marks nothing": Planted(
        RESTORED,
        "asked twice",
        (303, 20),
        (
            (
                f"{HOLDING}._hold",
                "self._mark_all(connection)",
                "0",
            ),
        ),
    ),
    "what is held is taken up": Planted(
        RESTORED,
        "while the outbox was held",
        (24, 20),
        ((f"{HOLDING}._may_work", "sa.not_(sa.exists(held))", "sa.true()"),),
    ),
    "what may have been sent is cancelled": Planted(
        RESTORED,
        "told wrong",
        (258, 20),
        (
            (
                "victor_ext.outbox.by_hand:OutboxByHand.cancel",
                "_NOT_SENT",
                "(EntryState.WAITING, EntryState.SENDING)",
            ),
        ),
    ),
    "what is unclear is forgotten": Planted(
        RESTORED,
        "is not settled",
        (39, 20),
        (
            (
                "victor_ext.outbox.forgetting:Forgetting._is_settled",
                "[EntryState.REJECTED.value, EntryState.REFUSED.value]",
                "[*EntryState]",
            ),
        ),
    ),
    "what was forgotten is of other values": Planted(
        RESTORED,
        "with its own values",
        (0, 20),
        (
            (
                "victor_ext.outbox.digests:is_same_call",
                "row.call == call_digest(row.key, provider, look_up_by, text, with_key)",
                "False",
            ),
        ),
    ),
    "a file is sent again from where it ended": Planted(
        "calls",
        "bytes of the file arrived",
        (0, 80),
        (("kiosk_api.bodies:content", READ_ANEW, ""),),
    ),
    "a new month counts as created": Planted(
        "files",
        "told wrong",
        (8, 1),
        (
            (
                f"{BULK}.deciding:_code_of_created",
                "_is_later(asked.due_date, stored.due_date)",
                "False",
            ),
        ),
    ),
    "other values of what was created are not told": Planted(
        "files",
        "told wrong",
        (5, 1),
        ((f"{BULK}.deciding:_code_of_created", "not has_same_values", "False"),),
    ),
    "what another account was asked counts": Planted(
        "files",
        "another account's",
        (66, 1),
        ((f"{BULK}.deciding:_code_of_created", "stored.account != account", "False"),),
    ),
    "a corrected row keeps its key": Planted(
        "files",
        "its key was spent",
        (12, 1),
        ((f"{BULK}.deciding:_decide_rejected", "stored.again + 1", "stored.again"),),
    ),
    "what is left out is resumed": Planted(
        "files",
        "not in the last file",
        (0, 250),
        (
            (
                f"{BULK}.storing:_leave_out",
                "sa.update(PAYMENTS).where(is_left_out).values(state=LEFT_OUT)",
                "sa.update(PAYMENTS).where(is_left_out).values(state=PAYMENTS.c.state)",
            ),
        ),
    ),
    "the key has the name of the file": Planted(
        "files",
        "asked twice",
        (45, 1),
        (
            (
                f"{BULK}.loading:Loading._validate",
                "self._key_kind",
                "f'{self.batch} {self._key_kind}'",
            ),
        ),
    ),
    "a key that is spelled otherwise is another payment": Planted(
        "files",
        "asked twice",
        (566, 1),
        (
            (
                f"{BULK}.deciding:_is_look_alike",
                "other.skeleton_digest == asked.skeleton_digest",
                "False",
            ),
        ),
    ),
    "what waits keeps its old values": Planted(
        "files",
        "other values than the last file's",
        (33, 1),
        (
            (
                f"{BULK}.deciding:_decide_unsent",
                "Decision(Act.STORE, Code.REPLACED if is_replaced else None, again=stored.again)",
                (
                    "Decision(Act.STORE if has_same_values else Act.KEEP, Code.REPLACED, "
                    "again=stored.again)"
                ),
            ),
        ),
    ),
    "what is pending is asked again": Planted(
        "files",
        "asked twice",
        (5, 1),
        (
            (
                f"{BULK}.asking_again:_why_created_stays",
                "status.lower() in kind.unpaid_end_statuses",
                "status",
            ),
        ),
    ),
    "a step is lost by the earliest time of its sending": Planted(
        "payouts",
        "asked twice",
        "20261130:43826",
        (
            (
                f"{BULK}.reconciliation:Reconciliation._is_over",
                "least_age = self._age(sent) - sent.spread",
                "least_age = self._age(sent)",
            ),
        ),
    ),
}
"""Decisions; without each of them the generator has to find a history that shows it."""


@pytest.mark.parametrize("name", PLANTED)
def test_the_decision_that_a_mistake_takes_back_is_in_the_code(name: str) -> None:
    kiosk("bodies")
    with ExitStack() as stack:
        for change in PLANTED[name].changes:
            stack.enter_context(planted(*change))


@pytest.mark.nightly
@pytest.mark.parametrize("name", PLANTED)
def test_the_generator_notices(name: str) -> None:
    kind, complaint, numbers, changes = PLANTED[name]
    kiosk("bodies")
    if isinstance(numbers, str):
        histories = [draw(numbers)]
        assert histories[0].kind == kind
    else:
        first, most = numbers
        histories = [draw(f"planted:{number}", kind) for number in range(first, first + most)]
    with ExitStack() as stack:
        for change in changes:
            stack.enter_context(planted(*change))
        shows_it = next(
            (each for each in histories if any(complaint in wrong for wrong in run(each))), None
        )
    assert shows_it is not None
    assert run(shows_it) == []


def test_a_history_is_the_same_each_time() -> None:
    for number in range(40):
        history = draw(f"again:{number}", [*KINDS][number % 4])
        assert draw(f"again:{number}", history.kind) == history
        assert run(history) == run(history)
