"""Files that operators send on ordinary bad days: renamed, corrected, cut, merged, re-saved by a
spreadsheet, of the next month, by two operators; with lost responses, days that pass, restores and
rotated keys and secrets.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.histories.calls import BASE
from tests.histories.files_bulk import (
    OTHER_STORAGE_KEY,
    STORAGE_KEY,
    FileRow,
    NoticeOfRow,
    RealBulk,
    Report,
    Terms,
)
from tests.histories.files_edits import DAMAGES, Desk
from tests.histories.files_oracle import MAY_EXIST, Truth
from tests.histories.files_provider import (
    OVER,
    STILL_THERE,
    WRONG_PAYER,
    FilesNetwork,
    Ledger,
)
from tests.histories.provider import Rules
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth, idempotency_key_for

EDITS = (
    ("same", 4), ("rename", 4), ("amount", 3), ("reference", 1), ("due", 2), ("add", 3),
    ("remove", 3), ("cut", 2), ("merge", 2), ("resave", 4), ("next month", 2),
    ("correct the rejected", 3), ("old", 2), ("reorder", 1),
)  # fmt: skip
COMMANDS = (
    ("send", 14), ("resume", 4), ("drop", 2), ("ask again", 4), ("status", 1), ("resolve", 1),
    ("restore", 2), ("rotate", 2), ("rekey", 1), ("forget", 2),
    ("decline", 3), ("service", 1), ("days pass", 2),
)  # fmt: skip
SLIPS: tuple[tuple[str, int], ...] = (("", 18), ("no key", 1), ("twice", 2), ("other kind", 3))
"""What is wrong with a file once."""
KINDS_OF_KEYS = ("00{}", "{}", "INV-{}")
DATABASES: dict[str, str] = {}
"""The URL of the `state` of each next history, if it is not a file."""
ROUNDS = 5
"""How often the last file is sent at the end, until nothing is left."""


@dataclass(frozen=True)
class Move:
    """What an operator does, or what happens."""

    what: str
    edit: str = ""
    place: int = 0
    share: float = 0.0
    is_down: bool = False
    is_rejected: bool = False
    """Whether the provider rejects all that is asked meanwhile, as over a limit."""
    account: str = "A"
    damage: str = ""
    slip: str = ""
    second: str = ""
    """What a second operator sends meanwhile: the same file, renamed or corrected."""

    def calmer(self) -> list[Move]:
        """The same with nothing odd in it, or with less."""
        quiet = replace(self, share=0.0, is_down=False, is_rejected=False)
        calm = replace(quiet, account="A", slip="", second="")
        only_file = replace(self, slip="", second="")
        moves = [calm, only_file, replace(calm, second=self.second), replace(calm, slip=self.slip)]
        return [move for move in moves if move != self]

    def __repr__(self) -> str:
        """Without what says nothing of this move."""
        of_files = ("edit", "damage", "slip", "second") if self.what == "send" else ()
        names = ("place", "share", "is_down", "is_rejected", "account", *of_files)
        default = Move(self.what)
        told = {name: getattr(self, name) for name in names}
        told = {name: value for name, value in told.items() if value != getattr(default, name)}
        return f"Move({', '.join([repr(self.what), *(f'{n}={v!r}' for n, v in told.items())])})"


def draw_move(dice: Random) -> Move:
    move = Move(
        dice.choices(*zip(*COMMANDS, strict=True))[0],
        edit=dice.choices(*zip(*EDITS, strict=True))[0],
        place=dice.randrange(12),
        share=dice.choice([0.0, 0.0, 0.0, 0.4, 0.8]),
        is_down=dice.random() < 0.08,
        account=dice.choice("AAAAAAAB"),
        damage=dice.choice(DAMAGES),
        slip=dice.choices(*zip(*SLIPS, strict=True))[0],
        second=dice.choice(["", "", "", "", "same", "renamed", "amount"]),
    )
    own = Random(repr(move))
    is_renumbered = move.edit == "same" and own.random() < 0.2
    edit = "renumber" if is_renumbered else move.edit
    return replace(move, edit=edit, is_rejected=own.random() < 0.06)


def _with_what_tells(move: Move) -> list[Move]:
    """A move beside the one that shows what it has done."""
    if move.what == "drop":
        return [move, Move("resume")]
    if move.what == "restore":
        return [replace(move, what="send"), Move("days pass"), move]
    return [move]


class Files:
    """Operators who send files of a few invoices."""

    def __init__(
        self,
        moves: list[Move],
        form: str,
        rules: Rules,
        is_monthly: bool,
        has_storage_key: bool,
        seed: int,
        share_of_anothers: float = 0.0,
    ) -> None:
        self.moves = moves
        self.ledger = Ledger(rules)
        self.network = FilesNetwork(self.ledger, Random(seed), share_of_anothers)
        has_one_account = all(move.account == "A" for move in moves)
        self.truth = Truth(self.ledger, is_monthly, has_one_account=has_one_account)
        self.network.observer = self.truth
        self.surface: RealBulk
        # A due date may be a day ahead at most, and the next month's is later.
        first_day = date(datetime.now(UTC).year - 1, 3, 10)
        is_restored = any(move.what == "restore" for move in moves)
        self.desk = Desk(self.truth, form, first_day, is_monthly, is_restored)
        for _ in range(3):
            self.desk.add()
        if Random(seed).random() < 0.4:
            self.desk.rows[1] = replace(self.desk.rows[1], payer=f"{WRONG_PAYER}12")
        self._terms = Terms(storage_key=STORAGE_KEY if has_storage_key else None)
        self.backup: Any = None
        self.known_to_backup = self.truth.known()
        self.stale: set[str] = set()
        """Batches of which nobody knows what a restored state has."""

    @classmethod
    def draw(cls, dice: Random, *, most: int = 4) -> dict[str, Any]:
        first = replace(draw_move(dice), what="send", edit="same", account="A")
        moves = [draw_move(dice) for _ in range(dice.randrange(1, most + 1))]
        if dice.random() < 0.3:
            moves = [each for move in moves for each in _with_what_tells(move)]
        # After a restore nobody can know what another account has made of a new row.
        if any(move.what == "restore" for move in moves):
            moves = [replace(move, account="A") for move in moves]
        # What a service has asked for is known by its key alone, while the provider keeps it.
        if any(move.what == "service" for move in moves):
            moves = [move for move in moves if move.what not in ("days pass", "restore")]
            moves = [replace(move, account="A") for move in moves]
        return {
            "moves": [first, *moves],
            "form": dice.choice(KINDS_OF_KEYS),
            "rules": Rules(conflict=dice.choice(["replay", "409", "bare 409"])),
            "is_monthly": dice.random() < 0.5,
            "has_storage_key": dice.random() < 0.7,
            "seed": dice.randrange(10**6),
            "share_of_anothers": dice.choice([0.0, 0.0, 0.0, 0.5]),
        }

    @property
    def name(self) -> str:
        return self.desk.name

    @property
    def rows(self) -> list[FileRow]:
        return self.desk.rows

    @property
    def terms(self) -> Terms:
        return replace(self._terms, key_kind=self.desk.key_kind)

    # The history

    def play(self) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            self.surface = RealBulk(Path(folder), self.network, DATABASES.get("state", ""))
            self.network.taken = self.truth.settles
            for move in self.moves:
                self._let_happen(move)
            self._end()
        return self.truth.wrong

    def _let_happen(self, move: Move) -> None:
        self.network.share, self.network.is_down = move.share, move.is_down
        self.network.rejects = self.truth.is_limited = move.is_rejected
        getattr(self, f"_{move.what.replace(' ', '_')}")(move)
        self.network.share, self.network.is_down = 0.0, False
        self.network.rejects = self.truth.is_limited = False

    def _end(self) -> None:
        """People go on until all is done; what is still unknown they look up themselves."""
        report = Report(0)
        for _ in range(ROUNDS):
            report = self._send_file(self.name, self.rows, self.terms)
            if report.is_refusal:
                self._do_as_a_refusal_says(report)
                continue
            if report.exit_status in (0, 1):
                break
            self._resolve(Move("resolve"))
        self.truth.lost(self.rows, report)

    def _do_as_a_refusal_says(self, report: Report) -> None:
        """A file is refused as a whole for blanks in its keys, for the account of its batch, or for
        another batch with its rows, which is to go on.
        """
        self.desk.rows = [replace(row, key=row.key.strip()) for row in self.rows]
        if report.is_of_another_account:
            account = "B" if self._terms.account == "A" else "A"
            self._terms = replace(self._terms, account=account)
        if report.other_batch:
            self._resume_batch(report.other_batch, self.terms)

    # Files

    def _send(self, move: Move) -> None:
        self.desk.edit(move.edit, move.place, move.damage)
        rows, asking, kind = self.desk.once(move.slip, move.place, move.damage)
        terms = replace(self.terms, account=move.account, key_kind=kind)
        if not move.slip:
            self.desk.old.append(list(self.rows))
        if not move.second:
            self._send_file(self.name, rows, terms, asking=asking)
            return
        name = f"copy of {self.name}" if move.second == "renamed" else self.name
        second = list(self.rows)
        if move.second == "amount" and self.desk.has_one_key(second[0]) and not move.slip:
            second[0] = replace(second[0], amount=f"{second[0].number}.90")

        def of_the_second() -> None:
            self._send_file(
                name, second, replace(terms, key_kind=self.desk.key_kind), "second operator"
            )

        with self.surface.between(of_the_second):
            self._send_file(self.name, rows, terms, asking=asking)

    def _send_file(
        self,
        name: str,
        rows: list[FileRow],
        terms: Terms,
        why: str = "send",
        asking: list[FileRow] | None = None,
    ) -> Report:
        if self.backup is None and self.truth.latest:
            self.backup, self.known_to_backup = self.surface.copy(), self.truth.known()
        asking = rows if asking is None else asking
        with self.truth.command(why, asking, terms):
            report = self.surface.send(terms, name, rows)
            # With other credentials an export may say nothing of another account's rows.
            lines = self.surface.export(terms, name)
            self.truth.accepted(name, asking, report)
            self.truth.told(asking, report, lines)
        self.truth.exported(why, lines, [] if report.stopped else asking)
        if not report.is_refusal:
            self.stale.discard(name)
        return report

    # Other commands

    def _command(
        self,
        name: str,
        rows: list[FileRow],
        terms: Terms,
        call: Callable[[], Report] | None = None,
        *,
        is_read: bool = False,
    ) -> Report:
        """Let a command run, that of this name or another call; `is_read`: its report says how the
        rows are.
        """
        with self.truth.command(name, rows, terms):
            report = self.surface.do(terms, self.name, name) if call is None else call()
            lines = self.surface.export(terms, self.name)
            if is_read:
                self.truth.told(rows, report, lines)
        self.truth.exported(name, lines, [])
        return report

    def _resume(self, move: Move) -> None:
        if self.name not in self.stale:
            self._resume_batch(self.name, replace(self.terms, account=move.account))

    def _resume_batch(self, name: str, terms: Terms) -> None:
        rows = self.truth.may_resume(name)

        def resume() -> Report:
            return self.surface.do(terms, name, "resume")

        self._command("resume", rows, terms, resume, is_read=True)

    def _status(self, _move: Move) -> None:
        """What is read of a batch is as its export has it."""
        report = self.surface.do(self.terms, self.name, "status")
        lines = self.surface.export(self.terms, self.name)
        is_unknown = any(line.outcome in MAY_EXIST for line in lines)
        if report.exit_status == 0 and is_unknown:
            self.truth.complain("told wrong: status ends with 0 beside what is unknown")

    def _drop(self, _move: Move) -> None:
        report = self._command("drop", [], self.terms)
        if not report.stopped:
            self.truth.dropped(self.name)

    def _ask_again(self, move: Move) -> None:
        """Ask again for what is over, or was refused; if there is none, for what is not."""
        over = [row for row in self.rows if self.truth.is_over(row)]
        alike = [row for row in self.rows if "looks_like" in self._notices(row)]
        choice = over or alike or self.rows
        row = choice[move.place % len(choice)]
        self.truth.approve(row)
        rows, key, terms = list(self.rows), row.key.strip(), self.terms
        works = self.truth.made(self.truth.fact(row))
        is_owed = self.truth.is_over(row) and len(works) == 1
        report = self._command(
            "ask again",
            rows,
            terms,
            lambda: self.surface.ask_again(terms, self.name, rows, key),
        )
        self.truth.accepted(self.name, rows, report)
        if not report.stopped and NoticeOfRow("looks_like", key) in report.notices:
            self.truth.complain(f"lost: {key} was to be asked again, and is refused")
        if not report.stopped:
            self.truth.forget_rejection(row)
        if is_owed and report.exit_status == 0 and not report.stopped:
            self.truth.owed_again.add(self.truth.fact(row))

    def _notices(self, row: FileRow) -> set[str]:
        return self.truth.notices.get(row.key.strip(), set())

    def _resolve(self, _move: Move) -> None:
        """Operators read the provider, and say what is so."""
        for line in self.surface.export(self.terms, self.name):
            row = next((each for each in self.rows if each.number == line.number), None)
            if line.outcome not in MAY_EXIST or row is None:
                continue
            works = self.ledger.of(line.key)
            is_other = not any(self.truth.is_line_of(line, work) for work in works)
            if is_other and (works or self.truth.made(self.truth.fact(row))):
                continue  # it has other values, or another key: the provider is asked
            outcome = "created" if works else "not-created"
            report = self.surface.resolve(self.terms, self.name, row.key.strip(), outcome)
            if not report.stopped:
                self.truth.resolved(row, self.desk.key_kind)
        self._resolve_what_is_known()

    def _resolve_what_is_known(self) -> None:
        """Somebody takes the wrong line. What was created stays so: of a restored one it is said
        that there is no other.
        """
        for line in self.surface.export(self.terms, self.name):
            row = next((each for each in self.rows if each.number == line.number), None)
            if line.outcome == "created" and row is not None:
                key = row.key.strip()
                report = self.surface.resolve(self.terms, self.name, key, "not-created")
                present = self.surface.export(self.terms, self.name)
                stays = any(one.key == line.key and one.outcome == "created" for one in present)
                if not report.stopped and not stays:
                    self.truth.complain(f"told wrong: {key} is resolved, and was created")
                return

    def _forget(self, _move: Move) -> None:
        forget = partial(self.surface.do, self.terms, self.name, "forget", older_than=0)
        self._command("forget", [], self.terms, forget)

    # The state and its keys

    def _restore(self, move: Move) -> None:
        """The state is one of the past; the order of a restore is kept, or it is not released."""
        if self.backup is None:
            return
        self.surface.restore(self.terms, self.name, self.backup)
        self.truth.restored(self.known_to_backup)
        self.backup = None
        self.stale = set(self.truth.batches)
        if move.place % 3 == 0:
            self._must_stop("a restore that is not released", self.terms, self.name, move.place)
        self.surface.do(self.terms, self.name, "release")
        # What waits in a backup is looked up: nothing is sent.
        resume = partial(self.surface.do, self.terms, self.name, "resume")
        self._command("resume after a restore", [], self.terms, resume)
        self._send_file(self.name, list(self.rows), self.terms, why="send after a restore")

    def _must_stop(self, why: str, terms: Terms, name: str, place: int) -> None:
        """A command that has to be refused as a whole."""
        rows = list(self.rows)
        commands = ["send", "resume", *(["status"] if terms != self.terms else [])]
        command = commands[place % len(commands)]
        with self.truth.command(why, rows, terms):
            if command == "send":
                report = self.surface.send(terms, name, rows)
            else:
                report = self.surface.do(terms, name, command)
        if not report.is_refusal:
            self.truth.complain(f"told wrong: {why} does not stop a {command}")
            if command == "send":
                self.truth.accepted(name, rows, report)

    def _other_key(self) -> str:
        return OTHER_STORAGE_KEY if self._terms.storage_key == STORAGE_KEY else STORAGE_KEY

    def _rotate(self, move: Move) -> None:
        """The provider's secret is another one now, or somebody has the wrong storage key."""
        name = f"after {self.name}" if move.place % 2 else self.name
        old, new = self._terms, replace(self._terms, secret=f"{self._terms.secret}-2")
        if old.storage_key is not None and move.place % 4 < 2:
            self._terms = new
            self._send_file(name, list(self.rows), self.terms)
            return
        if not self.truth.batches:
            return
        wrong = replace(old, storage_key=self._other_key()) if old.storage_key else new
        wrong = replace(wrong, key_kind=self.desk.key_kind)
        self._must_stop("another storage key", wrong, name, move.place // 4)
        if old.storage_key is None:
            self._rekey(move)
            if self._terms.storage_key is not None:
                self._terms = replace(self._terms, secret=new.secret)

    def _rekey(self, _move: Move) -> None:
        new = self._other_key()
        rekey = partial(self.surface.do, self.terms, self.name, "rekey", new)
        report = self._command("rekey", [], self.terms, rekey)
        if not report.stopped:
            self._terms = replace(self._terms, storage_key=new)
            self.backup = None

    # Others

    def _decline(self, move: Move) -> None:
        """Customers answer, or do not: two in three are over."""
        if self.ledger.done:
            work = self.ledger.done[move.place % len(self.ledger.done)]
            statuses = STILL_THERE if move.place % 3 == 0 else OVER
            self.ledger.statuses.setdefault(work.id, statuses[move.place // 3 % len(statuses)])

    def _days_pass(self, _move: Move) -> None:
        """The provider keeps no key as long."""
        self.ledger.let_days_pass()

    def _service(self, move: Move) -> None:
        """A service asks for one of the invoices, with the key that every service would have."""
        row = self.rows[move.place % len(self.rows)]
        if not self.desk.has_one_key(row) or row.payer.startswith(WRONG_PAYER):
            return
        if self.truth.made(self.truth.fact(row)) or "looks_like" in self._notices(row):
            return
        key = idempotency_key_for(self.desk.key_kind, row.key.strip())
        values = {"payer_counterparty_id": row.payer, "amount": row.amount, "due_date": row.due}
        arguments: dict[str, Any] = {**BASE, **values, "client_reference_id": row.reference}
        client = Victor(
            VictorOAuth("A", self._terms.secret),
            transport=self.network,
            base_url="https://victor.test",
            retry=RetryPolicy(max_attempts=1),
        )
        with self.truth.command("service", [row], self.terms), suppress(VictorError), client:
            client.payment_requests.create(**arguments, idempotency_key=key)
