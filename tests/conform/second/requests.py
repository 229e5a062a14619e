"""The payment requests that the second provider keeps, and how each is written in an answer."""

from __future__ import annotations

import dataclasses
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from tests.conform.second import people
from tests.conform.second.manners import Manners

STATUSES = (
    *("created", "pending", "processing", "needs-review", "accepted"),
    *("declined", "completed", "expired", "failed"),
)
PENDING = ("created", "pending", "processing", "needs-review")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass
class Kept:
    """A payment request as the provider keeps it."""

    id: str
    direction: str
    created: float
    amount: Decimal
    status: str
    payer: str
    payee: str
    reference: str | None = None
    notes: str | None = None
    creditor: str | None = None
    due_date: str = "2026-01-01"
    may_change: bool = False
    parent: str | None = None
    child: str | None = None
    answer: dict[str, object] | None = None
    original: Decimal | None = None
    error: str | None = None
    more: dict[str, object] = dataclasses.field(default_factory=dict)
    is_theirs: bool = False
    """Whether others made it."""
    number: int = 0


def an_id(choices: random.Random) -> str:
    return "".join(choices.choice(LETTERS) for _ in range(10))


def of_others(count: int, now: float, choices: random.Random) -> list[Kept]:
    """Requests from before, with all that others wrote into them."""
    ages = [choices.uniform(5, 3_000_000) for _ in range(count)]
    return [_of_another(number, now - age, choices) for number, age in enumerate(ages)]


def _of_another(number: int, created: float, choices: random.Random) -> Kept:
    status = choices.choice(STATUSES)
    return Kept(
        id=an_id(choices) if choices.random() < 0.9 else f"HILDEGARD{number}",
        direction=choices.choice(["inbound", "outbound"]),
        created=created,
        amount=Decimal(choices.randrange(1, 900_000)) / 100,
        status=status,
        payer=an_id(choices),
        payee=choices.choice(people.ACCOUNTS),
        reference=choices.choice([None, f"INV {choices.choice(people.NAMES)}", "4711"]),
        notes=choices.choice([None, people.sentence(choices)]),
        creditor=choices.choice([None, choices.choice(people.NAMES)]),
        error=people.sentence(choices) if status == "failed" else None,
        answer={"status": "Accepted", "notes": people.sentence(choices)}
        if status == "accepted"
        else None,
        more=people.members_of(choices),
        is_theirs=True,
        number=number,
    )


class Writer:
    """Writes what is kept as the provider does."""

    def __init__(self, manners: Manners, choices: random.Random) -> None:
        self.manners = manners
        self.choices = choices

    def receipt(self, kept: Kept) -> dict[str, object]:
        """As lists and creates have it."""
        written = self._common(kept) | {
            "status": self.status(kept.status),
            "payment_network": f"RTP, {people.NAMES[0]}" if kept.is_theirs else "RTP",
            "victor_payment_request_parent_id": kept.parent
            if self.manners["links"] != "child"
            else None,
            "victor_payment_request_child_id": kept.child
            if self.manners["links"] != "parent"
            else None,
            "payment_request": {
                "payee": self._payee(kept),
                "payer": {"victor_counterparty_id": kept.payer},
                "payment_details": self._details(kept),
                "created_at": self.time(kept),
                "approved_at": self.time(kept) if kept.answer else None,
            },
        }
        return self._without_nulls(written)

    def listed(self, kept: Kept) -> dict[str, object]:
        written = self.receipt(kept)
        if kept.is_theirs:
            written["victor_payment_request_id"] = self.form_of_id(self.manners["listed-id"], kept)
        if self.manners["NaN"] == "in lists" and kept.is_theirs:
            written["fee"] = float("nan")
        return written | kept.more

    def made(self, kept: Kept) -> dict[str, object]:
        """As the answer to a create has it."""
        written = self.receipt(kept)
        written.pop("victor_payment_request_id", None)
        form = self.manners["create-id"]
        if form == "elsewhere":
            return written | {"data": {"id": kept.id}}
        if form == "missing":
            return written
        return written | {"victor_payment_request_id": self.form_of_id(form, kept)}

    def single(self, kept: Kept) -> dict[str, object]:
        """As get has it."""
        payer: dict[str, object] = {"victor_counterparty_id": kept.payer}
        if kept.direction == "inbound":
            name = people.NAMES[1] if kept.is_theirs else "Victor Doe"
            payer = {"account_number": kept.payee, "routing_number": "011401533", "name": name}
        details: dict[str, object] = {
            "payee": self._payee(kept),
            "payer": payer,
            "payment_details": self._details(kept),
        }
        if kept.direction == "inbound":
            details["payment_request_response"] = self.response(kept)
        written = self._common(kept) | {
            "status": self._status_of_get(kept),
            "payment_request": details,
        }
        return self._without_nulls(written)

    def response(self, kept: Kept) -> dict[str, object]:
        if not kept.answer:
            return {}
        amounts = {
            name: self.amount(value) if isinstance(value, Decimal) else value
            for name, value in kept.answer.items()
        }
        return {"victor_payment_request_id": kept.id} | amounts

    def status(self, status: str) -> object:
        plain = status.replace("-", " ")
        return {
            "documented": status,
            "title": plain.title(),
            "upper": plain.upper().replace(" ", "_"),
            "other": f"{plain}, see {people.NAMES[2]}",
            "number": 100 + STATUSES.index(status),
        }[self.manners["status-words"]]

    def _status_of_get(self, kept: Kept) -> object:
        return {
            "documented": "Error" if kept.status in ("failed", "expired") else "Pending",
            "listed": self.status(kept.status),
            "other": "OK",
        }[self.manners["get-status"]]

    def amount(self, amount: Decimal) -> object:
        return {
            "plain": f"{amount:.2f}",
            "comma": f"{amount:.2f}".replace(".", ","),
            "number": float(amount),
            "NaN": float("nan"),
        }[self.manners["amounts"]]

    def time(self, kept: Kept) -> object:
        seconds = shown_time(self.manners, kept.created)
        moment = datetime.fromtimestamp(seconds, UTC)
        form = self.manners["times"]
        if form == "mixed":
            form = "zulu" if kept.number % 2 else "seconds"
        number = int(seconds) if seconds == int(seconds) else seconds
        forms: dict[str, Callable[[], object]] = {
            "seconds": lambda: number,
            "milliseconds": lambda: round(seconds * 1000, 3),
            "microseconds": lambda: round(seconds * 1_000_000),
            "text": lambda: str(number),
            "zulu": lambda: moment.isoformat().replace("+00:00", "Z"),
            "offset": lambda: moment.astimezone(timezone(timedelta(hours=2))).isoformat(),
            "naive": lambda: moment.replace(tzinfo=None).isoformat(),
        }
        return forms[form]()

    def form_of_id(self, form: str, kept: Kept) -> object:
        number = zlib.crc32(kept.id.encode())
        forms = {"plain": kept.id, "object": {"value": kept.id}, "number": number}
        return forms[form]

    def _common(self, kept: Kept) -> dict[str, object]:
        return {
            "victor_payment_request_id": kept.id,
            "client_reference_id": kept.reference if self._has("reference", kept) else None,
            "error_message": kept.error,
        } | self._direction(kept)

    def _direction(self, kept: Kept) -> dict[str, object]:
        words = {
            "documented": kept.direction,
            "upper": kept.direction.upper(),
            "other": f"{kept.direction} ({people.NAMES[0]})",
            "absent": None,
        }
        word = words[self.manners["directions"]]
        return {} if word is None else {"direction": word}

    def _has(self, member: str, kept: Kept) -> bool:
        return kept.is_theirs or self.manners[member] == "shown"

    def _payee(self, kept: Kept) -> dict[str, object]:
        return {"account_number": kept.payee, "ultimate_creditor": kept.creditor}

    def _details(self, kept: Kept) -> dict[str, object]:
        return {
            "amount": self.amount(kept.amount),
            "biller_type": "BUSINESS",
            "due_date": kept.due_date,
            "amount_modification_allowed": kept.may_change,
            "notes": kept.notes if self._has("notes", kept) else None,
            "original_amount": self.amount(kept.original) if kept.original else None,
            "approval_notes": kept.answer.get("notes") if kept.answer else None,
        }

    def _without_nulls(self, written: dict[str, object]) -> dict[str, object]:
        manner = self.manners["nulls"]
        if manner == "true":
            return written
        kept = {"error_message"} if manner == "some" else set()
        return {
            name: self._without_nulls(value) if isinstance(value, dict) else value
            for name, value in written.items()
            if value is not None or name in kept
        }


def shown_time(manners: Manners, created: float) -> float:
    """The time that an answer shows, in seconds."""
    if manners["precision"] == "hidden":
        return float(int(created * 1000)) / 1000
    return created


def kept_time(manners: Manners, moment: float) -> float:
    """The time that is kept, and compared with the ends of a window."""
    places = {"micro": 6, "hidden": 6, "milli": 3, "whole": 0}[manners["precision"]]
    scale = 10**places
    return int(moment * scale) / scale
