"""Idempotency keys: one key per payment, kept for every retry of it; and where a provider takes
it.
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import ClassVar

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
    time: "write datetime(2026, 3, 4, 12, 0, tzinfo=UTC)",
    NoneType: "leave it out, or write a word for it",
    list: "pass each of its items as a fact of its own",
    tuple: "pass each of its items as a fact of its own",
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
        field = "idempotency_key"
        if self.format == "uuid" and not re.fullmatch(_UUID, key):
            message = f"{field} must be a UUID: so the document of this operation says."
            hint = "pass idempotency_key_for('invoice', 1042), or str(uuid.uuid4())"
            return Problem(field, "format", message, hint=hint)
        most = self.max_length or len(key)
        if not self.min_length <= len(key) <= most:
            least = f"at least {self.min_length}" if self.min_length else ""
            greatest = f"at most {self.max_length}" if self.max_length else ""
            bounds = " and ".join(filter(None, (least, greatest)))
            message = (
                f"{field} must have {bounds} characters, and has {len(key)}: so the document of "
                "this operation says."
            )
            return Problem(field, "length", message)
        try:
            is_match = not self.pattern or re.search(self.pattern, key) is not None
        except re.error:  # one of ECMAScript that Python does not know: the provider checks it
            is_match = True
        if is_match:
            return None
        message = (
            f"{field} does not match the pattern that the document of this operation has: "
            f"{self.pattern}"
        )
        return Problem(field, "pattern", message)


ANY_FORM = KeyForm()


class KeyRule(FrozenStruct, frozen=True):
    """What an operation says of keys."""

    is_taken: bool = True  # else a key that is there is none: it makes no repeat safe
    is_made: bool = False  # where the caller gives none
    shortest: int | None = (
        None  # the fewest characters of a key; None where its place says what a good one is
    )
    form: KeyForm = ANY_FORM
    is_required: bool = False  # a request without one, where none can be made, is not sent


NO_KEY = KeyRule(is_taken=False)
TAKEN = KeyRule()
MADE = KeyRule(is_made=True)
REQUIRED = KeyRule(is_made=True, is_required=True)


def _checked(key: str, *problems: Problem | None) -> str:
    """The key. Raises `InvalidRequest` for one with a problem."""
    problem = next(filter(None, problems), None)
    if problem is not None:
        raise InvalidRequest.of([problem], doing="Nothing was sent")
    return key


def _made(form: KeyForm) -> str:
    """A random key of the form that the document wants. Raises `InvalidRequest`: none is known."""
    key = new_key()
    for each in (key, key.replace("-", "")):
        if form.problem(each) is None:
            return each
    message = (
        "idempotency_key is missing, and a random UUID has not the form that the document of this "
        "operation wants: pass a key."
    )
    raise InvalidRequest.of(
        [Problem("idempotency_key", "required", message)], doing="Nothing was sent"
    )


@dataclass(eq=False, repr=False)
class HeaderKey:
    """The key is a header.

    Args:
        name: The header's name.
        problem: What is wrong with a key that the caller gave for a request, or None. By default:
            an empty one, and one that is not visible ASCII.

    Raises:
        ConfigurationError: No header can have the name.
    """

    name: str = "Idempotency-Key"
    problem: Callable[[httpx.Request, str], Problem | None] = lambda _request, key: key_problem(
        key, shortest=None
    )

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
        given: str | None = request.headers.get(self.name)
        if given is not None:
            own = rule.shortest
            problem = (
                self.problem(request, given) if own is None else key_problem(given, shortest=own)
            )
            return _checked(given, problem, rule.form.problem(given))
        if not rule.is_made:
            return None
        key = request.headers[self.name] = _made(rule.form)
        return key


@dataclass(eq=False, repr=False)
class _CallersKey:
    """A key that the caller alone sets: without it there is none."""

    name: str

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise ConfigurationError(
                f"{type(self).__name__}: {shown(name)} is no name of a {self._kind}, such as "
                "'idempotencyKey'."
            )

    _kind: ClassVar[str]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def read(self, request: httpx.Request) -> str | None:
        """The key in the request, or None."""
        return self._given(request) or None if rule_of(request).is_taken else None

    def prepare(self, request: httpx.Request) -> str | None:
        """The key in the request, or None. Raises `InvalidRequest` for a key of another form than
        the document wants, and without one where the operation needs it.
        """
        key = self.read(request)
        rule = rule_of(request)
        if key is not None:
            return _checked(key, rule.form.problem(key))
        if rule.is_required:
            raise InvalidRequest.of([self._missing()], doing="Nothing was sent")
        return None

    def _missing(self) -> Problem:
        """What is wrong with a request that needs a key and has none."""
        message = (
            f"{self.name} is missing, or is no text: {self!r} is the idempotency key of this "
            "operation, by takes_key=True. Set it yourself, the same for every repeat."
        )
        hint = "idempotency_key_for('invoice', 1042) makes one"
        return Problem(self.name, "required", message, hint=hint)

    def _given(self, request: httpx.Request) -> str:
        """The key in the request, taken or not; empty without one."""
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class BodyKey(_CallersKey):
    """The key is a member of the JSON body. The body is never changed: without the member there is
    no key.

    Args:
        name: The member's name; that of a member of an object in the body with the names around
            it: `"meta.requestKey"`.
    """

    name: str = "idempotencyKey"
    _kind = "member"

    def _given(self, request: httpx.Request) -> str:
        return text_or_empty(member_at(object_of(request), self.name))


@dataclass(eq=False, repr=False)
class QueryKey(_CallersKey):
    """The key is a parameter of the query. The URL is never changed: without the parameter there is
    no key.

    Args:
        name: The parameter's name.
    """

    name: str = "idempotency_key"
    _kind = "parameter"

    def _given(self, request: httpx.Request) -> str:
        return text_or_empty(request.url.params.get(self.name))


@dataclass(eq=False, repr=False)
class CookieKey(_CallersKey):
    """The key is a cookie. Cookies are never changed: without this one there is no key.

    Args:
        name: The cookie's name.
    """

    name: str = "idempotency_key"
    _kind = "cookie"

    def _given(self, request: httpx.Request) -> str:
        cookies: str = request.headers.get("cookie", "")
        for cookie in cookies.split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == self.name:
                return value
        return ""


def rule_of(request: httpx.Request) -> KeyRule:
    """The rule of the request's operation; without one, a key that the caller gives is taken."""
    rule: KeyRule | None = getattr(request.extensions.get(OPERATION), "key", None)
    return TAKEN if rule is None else rule


class NoKeys:
    """The provider takes no key at all."""

    def read(self, _request: httpx.Request) -> str | None:
        return None

    prepare = read


NamedPlace = HeaderKey | BodyKey | QueryKey | CookieKey
"""A place with a name."""
KeyPlace = NamedPlace | NoKeys
"""Where a provider takes the idempotency key."""

PLACES: dict[str, type[NamedPlace]] = {
    "header": HeaderKey,
    "query": QueryKey,
    "cookie": CookieKey,
    "body": BodyKey,
}
"""The classes of places, by the words of a generated table of operations."""
