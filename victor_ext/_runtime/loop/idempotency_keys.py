"""Idempotency keys: one key per payment, kept for every retry of it; and where a provider takes
it.
"""

import json
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType

import httpx

from victor_ext._runtime.core.headers import is_scheme
from victor_ext._runtime.core.json_values import member_at, object_of, text_or_empty
from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.core.validation import is_encodable, moment_problem, shown
from victor_ext._values.ids import (
    HALF_CHARACTER,
    guid_digits,
    in_one_form,
    unseen_in,
    without_unseen,
)
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import ConfigurationError, InvalidRequest, Problem

_PLAIN_EXPONENT = 100
_COMPACT_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
# Fixed for ever: the same facts must give the same key in every release.
_NAMESPACE = uuid.UUID("8f1a9a52-6c0e-5d53-9d7c-3b6f3a0c9e71")

LONGEST_WITH_KEY = 86_400.0 - 300.0
"""Seconds after which a call sends its key no more, whatever its deadline is: a day, for which
providers keep keys if they say how long, less a margin for clocks that differ."""

Fact = str | int | Decimal | date | datetime | uuid.UUID


def idempotency_key_for(*facts: Fact) -> str:
    """The key of a business fact: the same in every process, on every machine and after every
    crash.

    Pass what identifies the payment, and nothing that changes between two tries (no clock, no
    attempt number, no token): `idempotency_key_for("invoice", 1042)`.

    Equal facts of different types give one key: the number 1042 and the text "1042",
    `Decimal("44.20")` and `Decimal("44.2")`, one moment in two zones, a UUID and its text in any
    letter case, with or without hyphens and braces, a member of an Enum and its value, one text in
    two Unicode forms (an `ü` of one character or of two). So do subclasses of these types. Else
    text is taken as it is: "01042" and "44.20" are other facts than "1042" and "44.2". A date and
    the moment at which it begins are two facts. Facts are kept apart: `("a", "bc")` and
    `("ab", "c")` are two keys.

    Refused is what may read differently in another process, or after a database has stored it: a
    naive datetime (SQLite gives back an aware one without its zone), a time, a float, a bool,
    bytes, None, and numbers of other libraries. So is text that begins or ends with a space, or
    has a character that cannot be seen. The error says what to write instead.

    Args:
        facts: Text that is not empty, int, finite Decimal, date, aware datetime or UUID, or a
            member of an Enum of these (the numbers of `auto()` change when a member is added).

    Returns:
        A UUID (version 5) as text, 36 characters.

    Raises:
        InvalidRequest: No fact, or one that may read differently in another process.
    """
    if not facts:
        raise _bad_fact("name at least one fact, such as idempotency_key_for('invoice', 1042).")
    spelled = [_spelled(fact.value if isinstance(fact, Enum) else fact) for fact in facts]
    return str(uuid.uuid5(_NAMESPACE, _COMPACT_JSON(spelled)))


def _spelled(fact: object) -> str:
    """The text of a fact.

    Its type is not part of it: a number here may be text in another program.
    """
    if isinstance(fact, str):
        return _spelled_text(str.__str__(fact))
    if isinstance(fact, int) and not isinstance(fact, bool):
        try:
            return int.__repr__(fact)
        except ValueError:
            raise _bad_fact(
                "a fact is a whole number of thousands of digits: name the payment by less."
            ) from None
    if isinstance(fact, Decimal) and fact.is_finite():
        return _shortest(fact)
    if isinstance(fact, datetime):
        problem = moment_problem("a fact", fact)
        if problem is not None:
            raise _bad_fact(problem.message)
        return datetime.isoformat(fact.astimezone(UTC))
    if isinstance(fact, date):
        return date.isoformat(fact)
    if isinstance(fact, uuid.UUID):
        return str(uuid.UUID(int=fact.int))
    advice = next((text for kind, text in _INSTEAD.items() if isinstance(fact, kind)), _ACCEPTED)
    raise _bad_fact(
        f"a fact of type {type(fact).__name__} may read differently in another process; {advice}."
    )


def _spelled_text(text: str) -> str:
    if text.isascii() and text.isprintable() and text and text == text.strip():
        return _one_spelling_of_guid(text)  # none of the faults below is possible
    if not text.strip():
        raise _bad_fact("a fact is empty text, so different payments would share one key.")
    if not is_encodable(text):
        raise _bad_fact(f"a fact {HALF_CHARACTER}.")
    unseen = unseen_in(text)
    if unseen:
        instead = without_unseen(text)
        advice = f"write {instead!r}" if instead else "name the payment by something else"
        raise _bad_fact(f"a fact {unseen}; {advice}.")
    return _one_spelling_of_guid(in_one_form(text))


def _one_spelling_of_guid(text: str) -> str:
    """Return a GUID in small letters with its hyphens, and any other text as it is: databases and
    programs give back another spelling of a GUID than was written.
    """
    digits = guid_digits(text)
    return text if digits is None else str(uuid.UUID(digits))


_ACCEPTED = "pass str, int, a finite Decimal, date, aware datetime or UUID"
_INSTEAD: dict[type[object], str] = {
    float: "write its text, '44.20', or Decimal('44.20')",
    bool: "write a word for it, such as 'final' or 'partial'",
    Decimal: "it is not finite: name the payment by something else",
    bytes: "write its text, such as value.decode() or value.hex()",
    NoneType: "leave it out, or write a word for it",
}
"""What to write instead of a fact of this type."""


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
    """A random key, for a payment without a fact that identifies it."""
    return str(uuid.uuid4())


MIN_KEY_LENGTH = 20
MAX_KEY_LENGTH = 128
_VISIBLE_ASCII = re.compile(r"[!-~]+")


def key_problem(key: object, *, shortest: int | None = MIN_KEY_LENGTH) -> Problem | None:
    """What is wrong with a caller's key, or None.

    `shortest`: the fewest characters it may have; None: any number.
    """
    field = "idempotency_key"
    if not isinstance(key, str):
        message = f"{field} must be text, not {type(key).__name__}."
        return Problem(field, "type", message, hint="pass idempotency_key_for(...)")
    if shortest is not None and not shortest <= len(key) <= MAX_KEY_LENGTH:
        message = (
            f"{field} must have {shortest} to {MAX_KEY_LENGTH} characters, and has {len(key)}."
        )
        return Problem(
            field, "length", message, hint="idempotency_key_for('invoice', 1042) makes a valid one"
        )
    if _VISIBLE_ASCII.fullmatch(key):
        return None
    message = (
        f"{field} must be visible ASCII characters only, without spaces or line breaks, and "
        "not empty."
    )
    return Problem(field, "characters", message)


_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class KeyForm(FrozenStruct, frozen=True):
    """What the document says of the form of a key; empty and 0 where it says nothing."""

    format: str = ""
    pattern: str = ""
    min_length: int = 0
    max_length: int = 0

    def problem(self, key: str) -> Problem | None:
        """What is wrong with a key of another form, or None."""
        wanted: list[str] = []
        if self.format == "uuid" and not re.fullmatch(_UUID, key):
            wanted.append("be a UUID")
        if len(key) < self.min_length:
            wanted.append(f"have at least {self.min_length} characters")
        if 0 < self.max_length < len(key):
            wanted.append(f"have at most {self.max_length} characters")
        # A pattern of ECMAScript that Python does not know is the provider's to check.
        with suppress(re.error):
            if self.pattern and not re.search(self.pattern, key):
                wanted.append(f"match {self.pattern}")
        if not wanted:
            return None
        message = f"idempotency_key must {' and '.join(wanted)}: so the document says."
        return Problem("idempotency_key", "format", message)


ANY_FORM = KeyForm()


class KeyRule(FrozenStruct, frozen=True):
    """What an operation says of keys."""

    is_taken: bool = True  # else a key that is there is none: it makes no repeat safe
    is_made: bool = False  # where the caller gives none
    shortest: int | None = None  # the fewest characters of a key; None: any number
    form: KeyForm = ANY_FORM
    is_required: bool = False  # a request without one, where none can be made, is not sent


NO_KEY = KeyRule(is_taken=False)
TAKEN = KeyRule()
MADE = KeyRule(is_made=True)
REQUIRED = KeyRule(is_made=True, is_required=True)


def _refusal(problem: Problem) -> InvalidRequest:
    return InvalidRequest.of([problem], doing="Nothing was sent")


def _made(form: KeyForm) -> str:
    """A random key. Raises `InvalidRequest`: the document wants another form."""
    key = new_key()
    if form.problem(key) is None:
        return key
    message = "idempotency_key is missing: pass one of the form that the document wants."
    raise _refusal(Problem("idempotency_key", "required", message))


@dataclass(frozen=True)
class HeaderKey:
    """The key is a header.

    Args:
        name: The header's name.

    Raises:
        ConfigurationError: No header can have the name.
    """

    name: str = "Idempotency-Key"

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not is_scheme(name):
            raise ConfigurationError(
                f"HeaderKey: {shown(name)} is no name of a header, such as 'Idempotency-Key'."
            )

    def __repr__(self) -> str:
        return f"HeaderKey({self.name!r})"

    def read(self, request: httpx.Request) -> str | None:
        """The key in the header, or None."""
        return request.headers.get(self.name) or None if rule_of(request).is_taken else None

    def prepare(self, request: httpx.Request) -> str | None:
        """The key in the header, or None. A request whose operation takes a key gets one first, if
        it has none.

        Raises `InvalidRequest` for a key that the operation does not take.
        """
        rule = rule_of(request)
        if not rule.is_taken:
            return None
        key: str | None = request.headers.get(self.name)
        if key is not None:
            problem = key_problem(key, shortest=rule.shortest) or rule.form.problem(key)
            if problem is not None:
                raise _refusal(problem)
            return key
        if not rule.is_made:
            return None
        key = request.headers[self.name] = _made(rule.form)
        return key


@dataclass(frozen=True)
class BodyKey:
    """The key is a member of the JSON body. The body is never changed: without the member there is
    no key.

    Args:
        name: The member's name; that of a member of an object in the body with the names around
            it: `"meta.requestKey"`.

    Raises:
        ConfigurationError: No member can have the name.
    """

    name: str = "idempotencyKey"

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise ConfigurationError(
                f"BodyKey: {shown(name)} is no name of a member, such as 'idempotencyKey'."
            )

    def __repr__(self) -> str:
        return f"BodyKey({self.name!r})"

    def read(self, request: httpx.Request) -> str | None:
        """The key in the body, or None."""
        if not rule_of(request).is_taken:
            return None
        return text_or_empty(member_at(object_of(request), self.name)) or None

    def prepare(self, request: httpx.Request) -> str | None:
        """The key in the body, or None. Raises `InvalidRequest` for a key of another form than the
        document wants, and without one where the operation needs it.
        """
        key = self.read(request)
        rule = rule_of(request)
        if key is None and rule.is_required:
            message = (
                f"{self.name} is missing, or is no text: {self!r} is the idempotency key of this "
                "operation, by takes_key=True. Set it yourself, the same for every repeat."
            )
            hint = "idempotency_key_for('invoice', 1042) makes one"
            raise _refusal(Problem(self.name, "required", message, hint=hint))
        problem = None if key is None else rule.form.problem(key)
        if problem is not None:
            raise _refusal(problem)
        return key


def rule_of(request: httpx.Request) -> KeyRule:
    """The rule of the request's operation."""
    rule: KeyRule | None = getattr(request.extensions.get(OPERATION), "key", None)
    return TAKEN if rule is None else rule


class NoKeys:
    """The provider takes no key at all."""

    def read(self, _request: httpx.Request) -> str | None:
        return None

    prepare = read


NamedPlace = HeaderKey | BodyKey
"""A place with a name."""
KeyPlace = NamedPlace | NoKeys
"""Where a provider takes the idempotency key."""

PLACES: dict[str, type[NamedPlace]] = {"header": HeaderKey, "body": BodyKey}
"""The classes of places, by the words of a generated table of operations."""
