"""What an operation is: one row for each in a table of its system, found by method and path
template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cache
from typing import Any, NamedTuple, TypeAlias, TypeGuard
from urllib.parse import unquote

import httpx
from msgspec import field
from msgspec.structs import replace

from victor_ext.errors import Problem, VictorError
from victor_ext.flows import Calls
from victor_ext.opaque import FrozenStruct, repr_without
from victor_ext.privacy import one_line
from victor_ext.runtime.core.comparing import (
    Likeness,
    Values,
    about_another,
    cannot_be_read,
    of_another,
)
from victor_ext.runtime.core.json_values import id_or_empty, member_at, object_of, text_or_empty

from .evidence import (
    READER,
    SAFE_METHODS,
    Declared,
    Evidence,
    Members,
    Problems,
    document_complaint,
    lists_declared_errors,
)
from .idempotency_keys import (
    NO_KEY,
    PLACES,
    BodyKey,
    HeaderKey,
    KeyForm,
    KeyPlace,
    KeyRule,
    NoKey,
)
from .proven_work import proves_declared_work
from .retry import asked_url

DeclaredKey: TypeAlias = Any
"""What a document says of a key: an object of the generated class `Key`, which each package has."""
Says: TypeAlias = Callable[[httpx.Response], str | None]


class AskedPayment(NamedTuple):
    """A payment that a request asks for, as a book names it: the amount is in major units.

    `has_id`: whether the id of what the request makes is that of the payment.
    """

    reference: str | None
    amount: str
    currency: str
    has_id: bool = True


Whether: TypeAlias = Callable[[httpx.Response], bool]


class Effect(Enum):
    """What a call does.

    All but reads are repeated only with a key, or if they were certainly not done.
    """

    READS = auto()
    SETS = auto()  # harmless if done twice
    MAKES = auto()
    MOVES_MONEY = auto()


class Promise(Enum):
    """What keeps a write from being done twice by a process that may be killed at any moment."""

    KEYED = "keyed"  # it is sent again with its key while the provider keeps that, then looked up
    LOOKED_UP = "looked up"  # it is sent once, and then reads show whether it was done
    # it is sent once; where the response is lost, nothing shows whether it was done
    AT_MOST_ONCE = "at most once"


TIMES_DIFFER = timedelta(seconds=10)
"""By how much the time of what was made may precede that of its sending: `Date` has whole seconds,
comes late, differs between hosts."""
READ_EARLIER = timedelta(minutes=5)
"""How far before the time of sending reads begin: they show what else it may be."""
_HOW_TO_SAY = "write Done(id, created_at=..., compared=call.compared_with(what was read))"


class Done(FrozenStruct, frozen=True):
    """A write that was done, by its response or by what reads have shown.

    What reads have shown is the write's own only if it was made since the write was sent, and has
    the values that were sent: another program may use the same reference. So a proof says both, or
    that it has found a state.

    Attributes:
        id: The id of what it made; that in its path, if it makes nothing. None: it is not known.
        status: The provider's word for the state of that, if it said one.
        body: The JSON that says so; None without any.
        response: The response to the write itself; None if reads have shown that it was done.
        is_final: Whether a later read has shown that the status no longer changes.
        created_at: When it was made, by the provider's clock; aware.
        compared: What the reads say of each value that was sent, by its name: see
            `PreparedCall.compared_with`. A value that they never say is left out.
        is_state: Whether it is a state that what the path names keeps, whoever brought it there.
            Then neither its time nor its values are compared.
    """

    id: str | None = None
    status: str | None = None
    body: Any = None
    response: httpx.Response | None = None
    is_final: bool = False
    created_at: datetime | None = None
    compared: Mapping[str, Likeness] = field(default_factory=dict[str, Likeness])
    is_state: bool = False

    def __repr__(self) -> str:
        return repr_without(self, "body", "response")

    def doubt(self, sent_at: datetime, times_differ: timedelta = TIMES_DIFFER) -> str:
        """Why this is no proof of a write that was first sent then, as a sentence; empty: it is.

        Args:
            sent_at: The earliest moment at which it may have been sent, by the provider's clock.
            times_differ: By how much `created_at` may precede that.
        """
        if self.is_state:
            return ""
        what = one_line(self.id) if self.id else "What was found"
        for likeness, words in _NOT_ITS_OWN.items():
            names = [name for name, is_like in self.compared.items() if is_like is likeness]
            if names:
                return f"{what} {words} {_first(names)}: it may be another's."
        if not self.compared:
            return f"{what} was not compared with what was sent: {_HOW_TO_SAY}."
        if not _is_aware(self.created_at):
            return f"{what} has what was sent, and does not say when it was made."
        if self.created_at < sent_at - times_differ:
            made, sent = (_in_seconds(moment) for moment in (self.created_at, sent_at))
            return (
                f"{what} has what was sent, but was made earlier ({made}; it was sent at {sent} or "
                "later): it may be another's."
            )
        return ""


def _is_aware(moment: object) -> TypeGuard[datetime]:
    """Whether it is a moment: a proof of the caller's may have any value, such as `UNSET`."""
    return isinstance(moment, datetime) and moment.utcoffset() is not None


_NOT_ITS_OWN = {
    Likeness.OTHER: "has another value than was sent:",
    Likeness.UNREADABLE: "has a value that cannot be read:",
    Likeness.UNSAID: "does not say what was sent:",
}
_MOST_NAMES = 5


def _first(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _in_seconds(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class NotDone(FrozenStruct, frozen=True):
    """A state, as Done's `is_state` is one, in which a write was not done.

    What a list lacks is no state: a text says that.

    Attributes:
        why: What the state is, as a sentence.
        is_over: Whether it can never be done any more, not even by a call that is under way.
        can_be_sent: Whether it leads on from this state, and the provider does it only once however
            often it is sent.
    """

    why: str
    is_over: bool = False
    can_be_sent: bool = False


Finding: TypeAlias = Calls[Done | NotDone | str]
"""Yields calls of the client, whose results may have to be awaited. A text says why they do not
show that it was done. An absence is no proof that it was not: lists lag."""
Findings: TypeAlias = Calls[list[Done | NotDone | str | VictorError]]
"""As `Finding`, for several writes, in their order. An error is that of the reads for one write."""
FindAll: TypeAlias = Callable[[Any, Sequence[tuple[Any, datetime]], Mapping[str, str]], Findings]
"""As `Proof.find_all`."""


class Proof(FrozenStruct, frozen=True):
    """Reads that show that a write was done, whoever asks and however late.

    Attributes:
        find: Makes the reads, with a client, the call, the moment since which they look, and what
            it needs. Only a state that no other call leaves, or a reference that the request itself
            has, shows something: an increment (a partial refund, a funding) looks the same whoever
            made it. What it returns is a proof only where `Done.doubt` is empty.
        needs: Names of what the request does not have and the reads need, such as `payor_id`.
        subject: What a request calls what it makes or changes: of two writes with the same, the
            reads may show the other one. Empty: the request does not say it, so the reads cannot
            show it. None: the requests name nothing.
        times_differ: By how much the provider's times of what was made may precede its `Date`.
            With more, an older payment of another program can be taken for this one.
        find_all: Makes the reads for several writes at once, by one walk of a list, as pairs of a
            call and its moment; what they need is the same. Each has the finding that `find` would
            have. None: there is no such list.
    """

    find: Callable[[Any, Any, datetime, Mapping[str, str]], Finding]
    needs: tuple[str, ...] = ()
    subject: Callable[[httpx.Request], str] | None = None
    times_differ: timedelta = TIMES_DIFFER
    find_all: FindAll | None = None

    @classmethod
    def of_list(
        cls,
        find_all: FindAll,
        needs: tuple[str, ...] = (),
        subject: Callable[[httpx.Request], str] | None = None,
    ) -> Proof:
        """A proof by a list, one walk of which serves several writes. The arguments are those of
        the class.
        """

        def find(client: Any, call: Any, since: datetime, given: Mapping[str, str]) -> Finding:
            (finding,) = yield from find_all(client, [(call, since)], given)
            if isinstance(finding, VictorError):
                raise finding
            return finding

        return cls(find, needs, subject, find_all=find_all)


class Follow(FrozenStruct, frozen=True):
    """How what a write made or changed is read later, until its state is final.

    Attributes:
        read: The call of a client that reads it, with the prepared write and the id.
        final: The words for states that this write leads no further from.
        status: The provider's word for the state, in what was read. None: its attribute `status`.
    """

    read: Callable[[Any, Any, str], Any]
    final: Collection[str]
    status: Callable[[Any], str | None] | None = None

    def done(self, record: Any, id: str) -> Done:
        """What was read, as far as it says something of the write."""
        status = record.status if self.status is None else self.status(record)
        return Done(id, status or None, is_final=status in self.final)


class Shown(Enum):
    """What messages may quote of a response, which may repeat the request."""

    EVERYTHING = auto()
    UNSENT = auto()  # the body only where the request had none; the problems in it always
    NOTHING = auto()


class RepeatsId(FrozenStruct, frozen=True):
    """Where a good response repeats the id that ends the path of the request."""

    what: str  # has the id, for messages
    member: str  # of the body, with the id
    # how a response is about something else although it has this id
    unlike: Says = lambda _response: None
    is_of_reads_alone: bool = (
        True  # no write has this id in its response, which could come late to a read
    )

    def __call__(self, response: httpx.Response) -> str | None:
        """How the response is about something else than was asked for, or None."""
        asked = id_in_path(response.request)
        received = object_of(response).get(self.member)
        return about_another(asked, received, self.what) or self.unlike(response)

    def is_named(self, response: httpx.Response) -> bool:
        """Whether a response that no check refused has the id."""
        return object_of(response).get(self.member) not in (None, "")


class Repeats(FrozenStruct, frozen=True):
    """Which values of the request a good response repeats, and how each is compared."""

    what: str  # has them, for messages
    values: Callable[[httpx.Response], Values]


class Operation(FrozenStruct, frozen=True, kw_only=True, eq=False):
    """What the package knows of an operation. A row states what differs from the defaults.

    Attributes:
        id: How a response shows that it is about another thing than the request: where it repeats
            the id of the path, or a function. Such a response proves nothing about the work.
        repeats: Which other values of the request a response repeats: with another one, it is about
            something else; one that cannot be read confirms nothing.
        proves_work: Whether a response has, under any status, what only work that was done has: an
            id that the request does not have, the word that was meant, the values that were sent.
            None: by what the document declares of good responses, see `proven_work`.
        results: Whether a response with an error status is a result of the call all the same, such
            as a payment that was declined: it is then read and returned like a good response. None:
            no such response is.
        made: The id of what a good response says was made; "" for one without any. None: its member
            `id`.
        said: The provider's word for the state of that in a good response. None: its member
            `status`.
        unlike: How a good response to a write says that something else was done, where its method
            alone compares it. It may read with the client before it says so.
        proof: Reads that show that a write was done, if there are any. `look_up` has them in words.
        follow: How what it made or changed is read later, if it has a state of its own.
        refuses: The provider's words for a rejection with a good status, or None. Only a rejection
            after which nothing was done; a response that leaves a doubt is no evidence.
        unknown_id: Names of fields. A 400 or 422 about them alone says that there is nothing with
            the id that was asked for: `NotFound`. To a write it may be about the state.
        may_list_errors: Whether a good response to a write may have something in `error` or
            `errors`: the reasons of a decision, or what its document declares. No other one is a
            success.
        payments: The payments that a request asks for, for a comparison of books; what has no
            amount is left out. None: it asks for none.
        untaken_key: A key that the document says it takes, and that the client was not told of:
            `HeaderKey('Idempotency-Key')`. Empty: none.
        items_of: The items of a good response to a read that is a page; None: it has no list of
            them. Without items, one that failed (see `is_failed_page`) or hides them (see
            `hidden_items`) is no success: it would be taken for the end of the list.
    """

    effect: Effect
    key: KeyRule | None = (
        NO_KEY  # whether it takes one, and in what form; None: its `KeyPlace` says
    )
    evidence: Evidence = document_complaint  # what a good response must have
    id: RepeatsId | Says | None = None
    repeats: Repeats | None = None
    look_up: str | Callable[[httpx.Request], str] = (
        ""  # how a write is looked for: "with payouts.find(reference)"
    )
    made: Says | None = None
    said: Says | None = None
    unlike: Callable[[Any, httpx.Response], Calls[str | None]] | None = None
    proof: Proof | None = None
    follow: Follow | None = None
    proves_work: Whether | None = None
    results: Whether | None = None
    refuses: Says | None = None
    unknown_id: Collection[str] = ()
    not_found: str = ""  # what a message adds to `NotFound`
    may_list_errors: Whether | None = None
    items_of: Callable[[httpx.Response], Sequence[Any] | None] | None = None
    payments: Callable[[httpx.Request], list[AskedPayment]] | None = None
    untaken_key: str = ""
    shown: Shown | Whether = Shown.EVERYTHING

    @property
    def reads(self) -> bool:
        return self.effect is Effect.READS

    def promise(self, *, has_key: bool, subject: str | None = None) -> Promise:
        """What can be promised of a write, with a key or without one.

        An empty `subject`: its proof cannot find it.
        """
        if has_key:
            return Promise.KEYED
        return Promise.AT_MOST_ONCE if self.proof is None or subject == "" else Promise.LOOKED_UP

    def done(self, response: httpx.Response, ids: Sequence[str]) -> Done:
        """What a good response to a write says that it did; `ids` are those in the path."""
        body = object_of(response)
        made = id_in(response, "id") if self.made is None else self.made(response)
        status = state_in(response, ["status"]) if self.said is None else self.said(response)
        of_path = None if self.effect is Effect.MAKES else next(iter(ids), None)
        return Done(made or of_path, status or None, body or None, response)

    @property
    def is_secret(self) -> bool:
        """Whether its requests or responses hold secrets, so that nothing of them is shown."""
        return self.shown is Shown.NOTHING

    @property
    def is_read_by_id(self) -> bool:
        """Whether it reads what the id in its path names, and its response alone repeats that
        id.
        """
        return self.reads and isinstance(self.id, RepeatsId) and self.id.is_of_reads_alone

    def names_its_subject(self, response: httpx.Response) -> bool:
        """Whether a good response to a read by id names that id.

        Any other may be a late one to an earlier request.
        """
        return isinstance(self.id, RepeatsId) and self.id.is_named(response)

    def mismatch(self, response: httpx.Response) -> str | None:
        """How a good response is about something else than the request, or does not say it; else
        None.
        """
        about_other = None if self.id is None else self.id(response)
        if self.repeats is None:
            return about_other
        values = self.repeats.values(response)
        return of_another(self.repeats.what, values) or about_other or cannot_be_read(values)

    def was_done(self, response: httpx.Response) -> bool:
        """Whether a response to a write proves, whatever its status, that the work was done.

        One that is about something else, or that refuses in the provider's words, does not.
        """
        if self.reads or self.is_secret:
            return False
        # First: the other columns read what has evidence.
        proves_work = proves_declared_work if self.proves_work is None else self.proves_work
        if not proves_work(response) or self._is_about_another(response):
            return False
        return self.refuses is None or self.refuses(response) is None

    def _is_about_another(self, response: httpx.Response) -> bool:
        if self.id is not None and self.id(response) is not None:
            return True
        if self.repeats is None:
            return False
        return of_another("", self.repeats.values(response)) is not None

    def may_quote(self, response: httpx.Response) -> bool:
        """Whether a message may quote the start of a response's body."""
        if callable(self.shown):
            return self.shown(response)
        if self.shown is Shown.UNSENT:
            return not response.request.content
        return self.shown is Shown.EVERYTHING

    def hint(self, request: httpx.Request) -> str:
        """How to find out whether a write was done; empty where nothing is known."""
        return self.look_up(request) if callable(self.look_up) else self.look_up


def id_in(response: httpx.Response, place: str) -> str:
    """The id at this place of a body, `data.id`; empty without one."""
    return id_or_empty(member_at(object_of(response), place))


def state_in(response: httpx.Response, places: Sequence[str]) -> str | None:
    """The word at the first of these places of a body that has one."""
    body = object_of(response)
    words = (text_or_empty(member_at(body, place)) for place in places)
    return next(filter(None, words), None)


def path_of(url: httpx.URL) -> str:
    """The path of a URL as it is sent, with what is percent-encoded."""
    return url.raw_path.partition(b"?")[0].decode("ascii")


def names_only(problems: Sequence[Problem], names: Collection[str]) -> bool:
    """Whether there are problems, and all of them are about a field with one of these names."""
    return bool(problems) and all(problem.field.rpartition(".")[2] in names for problem in problems)


def id_in_path(request: httpx.Request, after: int = 0) -> str:
    """The id that ends the path asked for (not of a redirect), or has some segments after it.

    It may have `%2F`.
    """
    parts = path_of(asked_url(request)).removesuffix("/").rsplit("/", after + 1)
    return unquote(parts[-1 - after]) if len(parts) > after else ""


AN_OBJECT = Members()
TOKEN = Operation(effect=Effect.SETS, shown=Shown.NOTHING, evidence=AN_OBJECT)
"""The row of a request for a token. `OAuthToken` sets it: the endpoint may be anywhere."""


def of_no_table(request: httpx.Request) -> Operation:
    """What holds of an operation of which nothing is known but the method."""
    return _READ if request.method in SAFE_METHODS else _WRITE


def complaint_without_row(response: httpx.Response, problems: Problems) -> str | None:
    """Why a good response to an operation without a row by hand is no success, or None.

    The document knows it, if a generated function was called. By hand, an object or a 204 is a
    success.
    """
    if READER in response.request.extensions:
        return document_complaint(response, problems)
    if response.status_code == 204 and not response.content:
        return None
    return AN_OBJECT(response, problems)


_WRITE = Operation(
    effect=Effect.MOVES_MONEY,
    key=None,
    evidence=complaint_without_row,
    may_list_errors=lists_declared_errors,
    shown=Shown.UNSENT,
)
_READ = replace(_WRITE, effect=Effect.READS)


def declares_key(operation: Declared, place: KeyPlace) -> bool:
    """Whether the document declares the key of this place for the operation.

    Headers have any letter case. Whether the document says that it is a key is another question.
    """
    if isinstance(place, HeaderKey):
        declared = any(header.lower() == place.name.lower() for header in operation.headers)
    else:
        declared = isinstance(place, BodyKey) and place.name in operation.members
    return declared or key_of(operation, place) is not None


def key_of(operation: Declared, place: KeyPlace) -> DeclaredKey | None:
    """What the document says of the key of this place; None where it says nothing."""
    return next((key for key in operation.keys if is_at(place, key)), None)


def is_at(place: KeyPlace, key: DeclaredKey) -> bool:
    """Whether a key of the document is the one of this place."""
    if isinstance(place, NoKey) or not isinstance(place, PLACES[key.place]):
        return False
    if isinstance(place, HeaderKey):
        return bool(place.name.lower() == key.name.lower())
    return bool(place.name == key.name)


def rule_at(operation: Declared, place: KeyPlace, rule: KeyRule) -> KeyRule:
    """The rule of an operation that takes the key of this place, with the form of the key."""
    key = key_of(operation, place)
    return rule if key is None else _with_form(rule, key)


@cache
def _with_form(rule: KeyRule, key: DeclaredKey) -> KeyRule:
    return replace(rule, form=KeyForm(key.format, key.pattern, key.min_length, key.max_length))


def name_of(declared: Declared) -> str:
    """The name of the row of an operation: its method and its path with unnamed placeholders."""
    return f"{declared.method} {unnamed(declared.path)}"


@cache
def unnamed(path: str) -> str:
    """A path template without the names of its placeholders."""
    return re.sub(r"\{[^{}]*\}", "{}", path)
