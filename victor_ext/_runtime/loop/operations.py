"""What the operations of a system are: one row for each in its table, found by method and path
template.

`Operation` is a row. `Operations` is the table, which the attempt loop asks: rows of the document,
with rows by hand on top. `Behaviour` has the table, and how else the provider's API behaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias, TypeGuard
from urllib.parse import unquote

import httpx
from msgspec import field
from msgspec.structs import replace

from victor_ext._flows import Calls
from victor_ext._privacy import one_line
from victor_ext._runtime.core.comparing import (
    Comparisons,
    Likeness,
    mismatch,
    same,
)
from victor_ext._runtime.core.json_values import (
    id_or_empty,
    member_at,
    object_of,
    text_or_empty,
)
from victor_ext._runtime.core.response import OPERATION, Response
from victor_ext._values.clocks import TIMES_DIFFER
from victor_ext._values.ids import says_nothing
from victor_ext._values.opaque import FrozenOpaque, FrozenStruct, repr_without
from victor_ext.errors import ConfigurationError, Problem, VictorError

from .evidence import (
    SAFE_METHODS,
    Declared,
    Evidence,
    Members,
    Problems,
    Tables,
    document_complaint,
    lists_declared_errors,
    reader_of,
)
from .idempotency_keys import (
    MADE,
    NO_KEY,
    PLACES,
    TAKEN,
    BodyKey,
    HeaderKey,
    KeyForm,
    KeyPlace,
    KeyRule,
    NoKeys,
)
from .refusals import DeclaredErrors

DeclaredKey: TypeAlias = Any
"""What a document says of a key: an object of the generated class `Key`, which each package has."""
Says: TypeAlias = Callable[[httpx.Response], str | None]
Confirm: TypeAlias = Callable[
    [Response, str | None, Callable[[], float | None]], Generator[Any, Any, "Done | None"]
]
"""Checks that a response is about its write: see `Operation.confirm`. It is a flow of the client's
operations.
"""


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
        undecided: Why the response does not show what became of it, as a sentence: reads have to.
            Empty: it does, or names what can be read.
    """

    id: str | None = None
    status: str | None = None
    body: Any = None
    response: httpx.Response | None = None
    is_final: bool = False
    created_at: datetime | None = None
    compared: Mapping[str, Likeness] = field(default_factory=dict[str, Likeness])
    is_state: bool = False
    undecided: str = ""

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


class Absent(str):
    """A text that says that reads have found nothing which may be what was sent."""

    __slots__ = ()


Finding: TypeAlias = Calls[Done | NotDone | str]
"""Yields calls of the client, whose results may have to be awaited. A text says why they do not
show that it was done. An absence is no proof that it was not: lists lag."""
Findings: TypeAlias = Calls[list[Done | NotDone | str | VictorError]]
"""Yields calls of the client, for the findings of several writes in their order. An error is that
of the reads for one write.
"""
FindAll: TypeAlias = Callable[[Any, Sequence[tuple[Any, datetime]], Mapping[str, str]], Findings]
"""Makes the reads for several writes at once: see `Proof.find_all`."""


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
        finds_subject: Whether the reads compare the whole subject, so that what they show is of no
            write with another one. False: of two writes of different subjects that may have been
            done, those whose other values are alike are not settled by a look-up.
        find_all: Makes the reads for several writes at once, by one walk of a list, as pairs of a
            call and its moment; what they need is the same. Each has the finding that `find` would
            have. None: there is no such list.
    """

    find: Callable[[Any, Any, datetime, Mapping[str, str]], Finding]
    needs: tuple[str, ...] = ()
    subject: Callable[[httpx.Request], str] | None = None
    times_differ: timedelta = TIMES_DIFFER
    find_all: FindAll | None = None
    finds_subject: bool = False

    @classmethod
    def of_list(
        cls,
        find_all: FindAll,
        needs: tuple[str, ...] = (),
        subject: Callable[[httpx.Request], str] | None = None,
        *,
        finds_subject: bool = False,
    ) -> Proof:
        """A proof by a list, one walk of which serves several writes. The arguments are those of
        the class.
        """

        def find(client: Any, call: Any, since: datetime, given: Mapping[str, str]) -> Finding:
            (finding,) = yield from find_all(client, [(call, since)], given)
            if isinstance(finding, VictorError):
                raise finding
            return finding

        return cls(find, needs, subject, find_all=find_all, finds_subject=finds_subject)


class Follow(FrozenStruct, frozen=True):
    """How what a write made or changed is read later, until its state is final.

    Attributes:
        read: The call of a client that reads it, with the prepared write and the id.
        final: The words for states that this write leads no further from.
        status: The provider's word for the state, in what was read. None: its attribute `status`.
        ends: Whether what was read says that its state is final. None: by the words in `final`.
    """

    read: Callable[[Any, Any, str], Any]
    final: Collection[str]
    status: Callable[[Any], str | None] | None = None
    ends: Callable[[Any], bool] | None = None

    def done(self, record: Any, id: str) -> Done:
        """What was read, as far as it says something of the write."""
        status = record.status if self.status is None else self.status(record)
        is_final = status in self.final if self.ends is None else self.ends(record)
        return Done(id, status or None, is_final=is_final)


class Shown(Enum):
    """What messages may quote of a response, which may repeat the request."""

    EVERYTHING = auto()
    UNSENT = auto()  # the body only where the request had none; the problems in it always
    NOTHING = auto()


class RepeatsId(FrozenStruct, frozen=True):
    """Where a good response repeats the id that ends the path of the request."""

    what: str  # has the id, for messages
    member: str  # of the body, with the id
    is_of_reads_alone: bool = (
        True  # no write has this id in its response, which could come late to a read
    )

    def __call__(self, response: httpx.Response) -> str | None:
        """How the response is about something else than was asked for, or None."""
        asked = id_in_path(response.request)
        named = same(asked, object_of(response).get(self.member), "id")
        return mismatch(self.what, {self.member: named})


class Repeats(FrozenStruct, frozen=True):
    """Which values of the request a good response repeats, and how each is compared."""

    what: str  # has them, for messages
    compare: Callable[[httpx.Response], Comparisons]


class Operation(FrozenStruct, frozen=True, kw_only=True, eq=False):
    """What the package knows of an operation. A row states what differs from the defaults.

    Attributes:
        id: How a response shows that it is about another thing than the request: where it repeats
            the id of the path, or a function. Such a response proves nothing about the work.
        repeats: Which other values of the request a response repeats: with another one, it is about
            something else; one that cannot be read confirms nothing.
        proves_work: Whether a response has, under any status, what only work that was done has: an
            id that the request does not have, the word that was meant, the values that were sent.
            None: no response does.
        results: Whether a response with an error status is a result of the call all the same, such
            as a payment that was declined: it is then read and returned like a good response. None:
            no such response is.
        made: The id of what a good response says was made; "" for one without any. None: its member
            `id`.
        said: The provider's word for the state of that in a good response. None: its member
            `status`.
        confirm: Raises the error of a good response to a write that is not known to be about it,
            or that says something else: where comparing takes more than the response, such as a
            read. It gets the key, and a function that returns the seconds that are left (None: no
            bound). Returns what the read has shown in place of the response, or None.
        proof: Reads that show that a write was done, if there are any. `look_up` has them in words.
        follow: How what it made or changed is read later, if it has a state of its own.
        refuses: The provider's words for a rejection with a good status, or None. Only a rejection
            after which nothing was done; a response that leaves a doubt is no evidence.
        undecided: Why a response that the provider wrote, under any status, does not say whether
            the work was done, as a sentence; or None. It refuses nothing, and reads have to show
            what became of the write.
        unknown_id: Names of fields. A 400 or 422 about them alone says that there is nothing with
            the id that was asked for: `NotFound`. To a write it may be about the state.
        may_list_errors: Whether a good response to a write may have something in `error` or
            `errors`: the reasons of a decision, or what its document declares. No other one is a
            success.
        payments: The payments that a request asks for, for a comparison of books; what has no
            amount is left out. None: it asks for none.
        reference: Where the JSON of a request has the caller's reference of what it makes:
            `meta.orderId`. Empty: its proof says what a request calls that.
        untaken_key: A key that the document says it takes, and that the client was not told of:
            `HeaderKey('Idempotency-Key')`. Empty: none.
        items_of: The items of a good response to a read that is a page; None: it has no list of
            them. Without items, one that failed (see `is_failed_page`) is no success: it would be
            taken for the end of the list.
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
    confirm: Confirm | None = None
    proof: Proof | None = None
    follow: Follow | None = None
    proves_work: Whether | None = None
    results: Whether | None = None
    refuses: Says | None = None
    undecided: Says | None = None
    unknown_id: Collection[str] = ()
    not_found: str = ""  # what a message adds to `NotFound`
    may_list_errors: Whether | None = None
    items_of: Callable[[httpx.Response], Sequence[Any] | None] | None = None
    payments: Callable[[httpx.Request], list[AskedPayment]] | None = None
    reference: str = ""
    untaken_key: str = ""
    shown: Shown = Shown.EVERYTHING

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
        why = None if self.undecided is None else self.undecided(response)
        return Done(made or of_path, status or None, body or None, response, undecided=why or "")

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
        id = self.id
        return isinstance(id, RepeatsId) and object_of(response).get(id.member) not in (None, "")

    def mismatch(self, response: httpx.Response) -> str | None:
        """How a good response is about something else than the request, or does not say it; else
        None.
        """
        about_other = None if self.id is None else self.id(response)
        if about_other is not None or self.repeats is None:
            return about_other
        return mismatch(self.repeats.what, self.repeats.compare(response))

    def was_done(self, response: httpx.Response) -> bool:
        """Whether a response to a write proves, whatever its status, that the work was done.

        One that refuses in the provider's words does not.
        """
        if self.proves_work is None or self.reads or not self.proves_work(response):
            return False
        return self.refuses is None or self.refuses(response) is None

    def may_quote(self, response: httpx.Response) -> bool:
        """Whether a message may quote the start of a response's body."""
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
    """The id that ends the path of a request, or has some segments after it.

    It may have `%2F`.
    """
    parts = path_of(request.url).removesuffix("/").rsplit("/", after + 1)
    return unquote(parts[-1 - after]) if len(parts) > after else ""


AN_OBJECT = Members()
TOKEN = Operation(effect=Effect.SETS, shown=Shown.NOTHING, evidence=AN_OBJECT)
"""The row of a request for a token. `OAuthToken` sets it: the endpoint may be anywhere."""


def declares_at(operation: Declared, place: KeyPlace) -> bool:
    """Whether the document declares something at this place for the operation, also where it does
    not say that it is a key. Headers have any letter case.
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
    if isinstance(place, NoKeys) or type(place) is not PLACES.get(key.place):
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


_STATES = ("status", "state")
"""The names of members that usually have a state."""


class Operations:
    """The table of a system for one client: the rows of its document, with those by hand on top.

    A row by hand is whole: nothing of the document's is added to it. An operation without one is
    what the document says. A read is safe. A write is sent again only with the key that the
    document declares for it at `place`; without one, it is sent once.

    Rows are named by method and path template with unnamed placeholders:
    `"POST /v3/payouts/{}"`.

    Args:
        document: All operations of the generated package.
        base_url: What requests made by hand have before the path.
        place: Where writes take the key.
        rows: By hand, of operations of the document.
        members: The kinds of the members of its models: `MEMBERS` of the package. Empty: what an
            error of the provider is, `problems` alone decides.
        elsewhere: By hand, of operations that this document does not have.
        results: Of an operation without a row by hand.

    Raises:
        ConfigurationError: One of `rows` leads to no operation of the document.
    """

    def __init__(
        self,
        document: Sequence[Declared],
        base_url: httpx.URL,
        place: KeyPlace,
        rows: Mapping[str, Operation] | None = None,
        *,
        members: Tables | None = None,
        elsewhere: Mapping[str, Operation] | None = None,
        results: Whether | None = None,
    ) -> None:
        rows = rows or {}
        self.errors = DeclaredErrors(document, members or {})
        self._by_name = {name_of(declared): declared for declared in document}
        for name in rows:
            if name not in self._by_name:
                raise no_operation(name, self._by_name)
        self._rows: Mapping[str, Operation] = {**rows, **(elsewhere or {})}
        self._names = self._rows.keys() | self._by_name.keys()
        self._document = document
        self._base_url = base_url
        self._base = path_of(base_url).rstrip("/")
        self._place = place
        self._results = results

    def of_attempt(self, request: httpx.Request) -> Operation:
        """The row of a request that is sent: the one that its call has found, once."""
        row: Operation | None = request.extensions.get(OPERATION)
        return self.of(request) if row is None else row

    def of(self, request: httpx.Request) -> Operation:
        """The row of a request. The attempt loop asks once for each call, and keeps it as an
        extension.
        """
        reader = reader_of(request)
        name = self._name_below(request) if reader is None else name_of(reader.declared)
        row = self._rows.get(name)
        return self.row_of_document(request, self.declared_of(request)) if row is None else row

    def declared_of(self, request: httpx.Request) -> Declared | None:
        """What the document declares of a request's operation; None: it does not have it."""
        reader = reader_of(request)
        return self._by_name.get(self._name_below(request)) if reader is None else reader.declared

    def row_of_document(self, request: httpx.Request, declared: Declared | None) -> Operation:
        """The row of an operation without one by hand. None: the document does not have it."""
        name = "" if declared is None else name_of(declared)
        reads = request.method in SAFE_METHODS
        key = NO_KEY if reads else self._key(request, declared)
        if reads:
            effect = Effect.READS
        elif name and self._makes(name):
            effect = Effect.MAKES
        else:  # a write of which little is known may move money
            effect = Effect.MOVES_MONEY
        return Operation(
            effect=effect,
            key=key,
            evidence=self.complaint,
            look_up=lambda _request: self._hint(declared, key),
            made=lambda response: self._id_in(response, declared),
            said=lambda response: state_in(response, self._state_places(name)),
            proof=self.proof_of(name),
            follow=self.follow_of(name),
            proves_work=partial(self._names_result, declared=declared),
            results=self._results,
            may_list_errors=partial(lists_declared_errors, of_errors=self.errors.kinds.keys()),
            untaken_key=self._untaken_key(declared),
            shown=self._shown(declared),
        )

    # The columns of a row of the document. `connect` adds what its caller says.

    def complaint(self, response: httpx.Response, problems: Problems) -> str | None:
        """Why a good response to an operation without a row by hand is no success, or None.

        The document knows it, if a generated function was called. By hand, an object or a 204 is a
        success.
        """
        if reader_of(response.request) is not None:
            return document_complaint(response, problems)
        if response.status_code == 204 and not response.content:
            return None
        return AN_OBJECT(response, problems)

    def _shown(self, _declared: Declared | None, /) -> Shown:
        """What a message may show of a response."""
        return Shown.UNSENT

    def _key(self, _request: httpx.Request, declared: Declared | None, /) -> KeyRule | None:
        """Whether a write takes the key, and in what form; None: its place says it."""
        if declared is None or not self._takes(declared):
            return NO_KEY
        rule = MADE if isinstance(self._place, HeaderKey) else TAKEN
        return rule_at(declared, self._place, rule)

    def _takes(self, declared: Declared) -> bool:
        """Whether an operation takes the key by the document."""
        return declares_at(declared, self._place)

    def _untaken_key(self, _declared: Declared | None, /) -> str:
        """A key that an operation takes by the document, and that is not the client's."""
        return ""

    def _hint(self, declared: Declared | None, _key: KeyRule | None, /) -> str:
        """Where a person looks for what a write may have done."""
        look_up = self._look_up(declared)
        if look_up is None:
            return "at the provider"
        return f"with {look_up}, if that shows it, or at the provider"

    def _id_place_by_hand(self, _name: str, /) -> str:
        """Where a response has its id, by a person's word; empty: the document decides."""
        return ""

    def _look_up(self, declared: Declared | None) -> str | None:
        """The function that reads the object that the path of a write begins with; None: there is
        no such read, or the write makes an object of its own.
        """
        if declared is None:
            return None
        name = name_of(declared)
        path = "" if self._makes(name) else self._read_above(name)
        return self._by_name[f"GET {path}"].name if path else None

    def _id_in(self, response: httpx.Response, declared: Declared | None) -> str:
        """The id of what was made, from the place that a person or the document names.

        Without such a place, it is `id`, or the end of a `Location` (RFC 9110, 10.2.2) that is the
        address of the read of what was made.
        """
        name = "" if declared is None else name_of(declared)
        place = self._place_of_id(name, declared)
        if place:
            return id_in(response, place)
        return id_in(response, "id") or self._id_in_location(response, name)

    def _names_result(self, response: httpx.Response, declared: Declared | None) -> bool:
        """Whether a response has the id of what was made, at a place that no error has."""
        place = self._place_of_id("" if declared is None else name_of(declared), declared)
        id = id_in(response, place) if place else ""
        if says_nothing(id) or id in path_of(response.request.url).split("/"):
            return False
        return place.partition(".")[0] not in self.errors.kinds

    def _place_of_id(self, name: str, declared: Declared | None) -> str:
        """Where a response has its id; empty: neither a person nor the document says it."""
        by_document = "" if declared is None else declared.result_id
        return self._id_place_by_hand(name) or by_document

    def _id_in_location(self, response: httpx.Response, name: str) -> str:
        """The id at the end of the `Location`, if that is the path of the write with the id after
        it; else empty.
        """
        if not self._makes(name):
            return ""
        try:
            path = httpx.URL(response.headers.get("location", "")).path.rstrip("/")
        except httpx.InvalidURL:
            return ""
        above, _, id = path.rpartition("/")
        parts = map(re.escape, name.partition(" ")[2].split("{}"))
        own_path = re.escape(self._base) + "[^/]+".join(parts)
        return id if re.fullmatch(own_path, above) else ""

    def _state_places(self, name: str) -> list[str]:
        """Where a response may have the state of what it is about; the first place counts that has
        one.
        """
        declared = self._by_name.get(name)
        above = self._place_of_id(name, declared).rpartition(".")[0]
        beside_id = [f"{above}.{word}" if above else word for word in _STATES]
        by_document: list[str] = []
        if declared is not None and declared.result_status:
            by_document.append(declared.result_status)
        if self._id_place_by_hand(name):  # a person's word is before the document's
            return [*beside_id, *by_document]
        return [*by_document, *beside_id]

    def _makes(self, name: str) -> bool:
        """Whether a write makes an object: the document has a read of it below the same path."""
        return f"GET {name.partition(' ')[2]}/{{}}" in self._by_name

    def _read_above(self, name: str) -> str:
        """The path of the read of the object that the path of a write begins with; empty: there is
        no such read.
        """
        path = name.partition(" ")[2]
        while path and f"GET {path}" not in self._by_name:
            path = path.rpartition("/")[0]
        return path if path.endswith("{}") else ""

    # What a client asks of the table as a whole.

    def name(self, request: httpx.Request) -> str:
        """The name of the operation of a request: of its row, or as the document declares it."""
        reader = reader_of(request)
        name = self._name_below(request) if reader is None else name_of(reader.declared)
        return name or f"{request.method} {path_of(request.url)}"

    def reads(self) -> list[str]:
        """The names of the operations that only read, with GET."""
        by_hand = [name for name, row in self._rows.items() if row.reads]
        by_document = [name for name in self._by_name if name not in self._rows]
        return [name for name in (*by_hand, *by_document) if name.startswith("GET ")]

    def proof_of(self, name: str) -> Proof | None:
        """The reads that show that the write with this name was done, if there are any."""
        row = self._rows.get(name)
        return None if row is None else row.proof

    def follow_of(self, name: str) -> Follow | None:
        """How what the write with this name made is read later, if it is."""
        row = self._rows.get(name)
        return None if row is None else row.follow

    def final_words(self) -> set[str]:
        """The words for the states in which what the writes make ends."""
        follows = (row.follow for row in self._rows.values())
        return {word for follow in follows if follow is not None for word in follow.final}

    def _name_below(self, request: httpx.Request) -> str:
        """The name of the operation of a request that was made by hand; empty if none fits."""
        path = path_of(request.url)
        if not path.startswith(f"{self._base}/"):
            return ""
        return _fitting(self._names, request.method, path[len(self._base) :])


def no_operation(row: str, known: Iterable[str]) -> ConfigurationError:
    """The error of a row that leads to no operation; it names those known."""
    names = ", ".join(known) or "none"
    return ConfigurationError(f"rows: {row!r} is no operation of the document. It has: {names}.")


def _fitting(names: Collection[str], method: str, path: str) -> str:
    """The name of the row with the fewest placeholders that fits a path; empty if none fits, or
    several fit as well.
    """
    asked = f"{method} {path.removesuffix('/')}"
    fits = [name for name in names if _pattern(name).fullmatch(asked)]
    fewest = min((name.count("{}") for name in fits), default=0)
    best = [name for name in fits if name.count("{}") == fewest]
    return best[0] if len(best) == 1 else ""


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """What the name of a row fits. An id is percent-encoded, and so is a slash in it."""
    literals = map(re.escape, name.removesuffix("/").split("{}"))
    return re.compile("[^/]+".join(literals))


class Behaviour(FrozenOpaque, frozen=True):
    """How one provider's API behaves.

    Attributes:
        waits_for_conflicts: Whether a conflict that says nothing more is waited for, as one that
            says "in progress". It always is where an earlier attempt may have begun the work: it
            may be about that attempt.
        request_id_headers: Headers that may carry the provider's id of an exchange, the best one
            first.
        request_id_in_body: Reads that id from the body of a response whose headers carry none.
        refused_credentials: Statuses that say that the credentials are not accepted. A replaced
            secret is tried after them, and the `authentication_hint` ends their message.
    """

    name: str  # of the provider, in messages
    operations: Operations
    environment: str = ""  # in messages; empty where there is only one
    base_url: httpx.URL | None = (
        None  # set where tokens may come from another host, which messages then name
    )
    key_place: KeyPlace = field(default_factory=NoKeys)
    waits_for_conflicts: bool = False
    # in the provider's error bodies
    problems: Callable[[httpx.Response], Sequence[Problem]] = lambda _response: ()
    request_id_headers: tuple[str, ...] = (
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "apigw-requestid",
    )
    request_id_in_body: Callable[[httpx.Response], str | None] | None = None
    refused_credentials: frozenset[int] = frozenset({401})
    authentication_hint: str = "Check the credentials."  # {host} is that of the request

    def who(self, request: httpx.Request) -> str:
        """The provider, with its environment or the other host that a request went to, for a
        message.
        """
        where = self.environment
        if self.base_url is not None and request.url.netloc != self.base_url.netloc:
            where = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        return f"{self.name} ({where})" if where else self.name
