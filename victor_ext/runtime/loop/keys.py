"""Making idempotency keys: one key per payment, kept for every retry of it."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

from victor_ext.errors import InvalidRequest, Problem

_PLAIN_EXPONENT = 100
_COMPACT_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
# Fixed for ever: the same facts must give the same key in every release.
_NAMESPACE = uuid.UUID("8f1a9a52-6c0e-5d53-9d7c-3b6f3a0c9e71")

Fact = str | int | Decimal | date | datetime | uuid.UUID


def idempotency_key_for(*facts: Fact) -> str:
    """The key of a business fact: the same in every process, on every machine and after every crash.

    Pass what identifies the payment, and nothing that changes between two tries (no clock, no attempt number, no
    token): `idempotency_key_for("invoice", 1042)`.

    Equal facts of different types give one key: the number 1042 and the text "1042", `Decimal("44.20")` and
    `Decimal("44.2")`, one moment in two zones. Text is taken as it is: "01042" is another fact. Facts are kept apart:
    `("a", "bc")` and `("ab", "c")` give different keys.

    Args:
        facts: Text that is not empty, int, finite Decimal, date, datetime or UUID, or an Enum of these.

    Returns:
        A UUID (version 5) as text, 36 characters.

    Raises:
        InvalidRequest: No fact, or one of a type whose text may differ between processes (a float, say).
    """
    if not facts:
        raise _bad_fact("name at least one fact, such as idempotency_key_for('invoice', 1042).")
    spelled = [_spelled(fact) for fact in map(_plain, facts)]
    return str(uuid.uuid5(_NAMESPACE, _COMPACT_JSON(spelled)))


def _plain(fact: object) -> object:
    return fact.value if isinstance(fact, Enum) else fact


def _spelled(fact: object) -> str:
    """The text of a fact. Its type is not part of it: a number here may be text in another program."""
    if isinstance(fact, str):
        if not fact.strip():
            raise _bad_fact("a fact is empty text, so different payments would share one key.")
        return str.__str__(fact)
    if isinstance(fact, int) and not isinstance(fact, bool):
        try:
            return int.__repr__(fact)
        except ValueError:
            raise _bad_fact("a fact is a whole number of thousands of digits: name the payment by less.") from None
    if isinstance(fact, Decimal) and fact.is_finite():
        return _shortest(fact)
    if isinstance(fact, datetime):
        try:
            return (fact if fact.utcoffset() is None else fact.astimezone(UTC)).isoformat()
        except OverflowError:
            raise _bad_fact("a fact is a datetime outside of the years 1 to 9999 in UTC.") from None
    if isinstance(fact, date):
        return fact.isoformat()
    if isinstance(fact, uuid.UUID):
        return str(fact)
    raise _bad_fact(
        f"a fact of type {type(fact).__name__} may read differently in another process; "
        "pass str, int, a finite Decimal, date, datetime or UUID."
    )


def _shortest(number: Decimal) -> str:
    # By its digits: `normalize` rounds to the precision of the current context.
    sign, digits, exponent = number.as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    moved = int(exponent) + len(digits) - len(kept)
    shortest = Decimal(f"{'-' if sign else ''}{kept}E{moved}") if kept else Decimal(0)
    return f"{shortest:f}" if abs(moved) <= _PLAIN_EXPONENT else str(shortest)


def _bad_fact(what: str) -> InvalidRequest:
    return InvalidRequest.of([Problem("facts", "invalid", what)], doing="idempotency_key_for")


def new_key() -> str:
    """A random key (UUID version 4), for a payment without a fact that identifies it."""
    return str(uuid.uuid4())
