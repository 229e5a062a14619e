"""Writes that are built and checked now, and sent later, by any process: `client.prepare` and
`client.send`.

`PreparedCall` is what is stored. `prepare_call` makes it of the first request of a method, and
`send_prepared` sends it.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from types import ModuleType
from typing import Any, Self, TypeAlias, cast
from urllib.parse import parse_qsl, unquote

import httpx
import msgspec
from msgspec.structs import asdict, replace

from victor_ext._privacy import kind_of
from victor_ext._runtime.core.card_data import card_problems
from victor_ext._runtime.core.comparing import Likeness, compared_leaves
from victor_ext._runtime.core.json_values import (
    id_or_empty,
    is_list,
    is_object,
    member_at,
    object_of,
    parsed,
)
from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.http.connections import origin_of
from victor_ext._runtime.loop.evidence import READER, Declared, Reader, Tables, reader_of
from victor_ext._runtime.loop.idempotency_keys import HeaderKey, KeyPlace, key_problem, rule_of
from victor_ext._runtime.loop.operations import (
    AskedPayment,
    Behaviour,
    Done,
    Operation,
    Promise,
    key_of,
)
from victor_ext._values.ids import is_same_id
from victor_ext._values.opaque import FrozenStruct, repr_without
from victor_ext.errors import ConfigurationError, InvalidRequest, Problem

from .resources import Resource, Shared
from .runners import Begun, FirstRequest, FlowRunner, OperationFlow
from .transport import BuildingClient

AnyOperation: TypeAlias = str | ModuleType | Callable[..., Any]
"""A method of a client by its name, or a generated operation: its module, or one of the module's
functions.
"""

_KEY = "idempotency_key"
_FORM = "application/x-www-form-urlencoded"
_SENDERS_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent"}
)
"""Headers of the process that sends."""


class ComparedValues(dict[str, Likeness]):
    """What `compared_with` returns, with the values that were read."""

    def __init__(self, said: Mapping[str, Likeness], read: Mapping[str, Any]) -> None:
        super().__init__(said)
        self.read = read


class PreparedCall(FrozenStruct, frozen=True, kw_only=True):
    """A write as it will be sent: its bytes. It can be stored as text, and holds no credentials.

    Attributes:
        name: What you called it by: `payouts.instruct`, or the name of the generated function.
        operation: Its method and its path with unnamed placeholders, `POST /v3/payouts/{}`.
        promise: What keeps it from being done twice.
        look_up_needs: What `look_up` needs beside the request, such as `payor_id`. None: no read
            shows what was done.
        subject: What the request calls what it makes or changes, such as its references: a read
            cannot tell two writes with the same apart. None: nothing that a look-up needs.
        is_found_by_subject: Whether a read compares the whole subject.
        payments: The payments that it asks for: of each its reference or None, the amount, the
            currency, and whether the id of what it makes is the payment's.
        is_followed: Whether `read_state` reads what it made or changed.
        idempotency_key: The key in the request, if the operation takes one.
        untaken_key: A key that the document says the operation takes, and of which the client was
            not told: `HeaderKey('Idempotency-Key')`. Empty: none.
        module: The module of the generated operation, which reads the response.
        method: The HTTP method.
        url: The path and the query below the base URL.
        headers: The headers, without the credentials and what belongs to a connection.
        content: The body.
    """

    name: str
    operation: str
    promise: Promise
    look_up_needs: tuple[str, ...] | None = None
    subject: str | None = None
    is_found_by_subject: bool = False
    payments: tuple[AskedPayment, ...] = ()
    is_followed: bool = False
    idempotency_key: str | None = None
    untaken_key: str = ""
    module: str = ""
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        return repr_without(self, "headers", "content")

    @property
    def ids(self) -> tuple[str, ...]:
        """The values of the placeholders of its path, in order."""
        template = self.operation.partition(" ")[2].split("/")
        if "{}" not in template:
            return ()
        path = httpx.URL(self.url).raw_path.partition(b"?")[0].decode("ascii").split("/")
        pairs = zip(template, path[-len(template) :], strict=False)
        return tuple(unquote(part) for placeholder, part in pairs if placeholder == "{}")

    @property
    def body(self) -> Any:
        """The JSON of the body; None if it is none."""
        try:
            return parsed(self.content)
        except ValueError:
            return None

    @property
    def values(self) -> Any:
        """The values that it sends: the JSON of the body, or the fields of a form."""
        if not self.headers.get("content-type", "").startswith(_FORM):
            return self.body
        return dict(parse_qsl(self.content.decode("ascii", "replace"), keep_blank_values=True))

    def makes(self, id: str) -> bool:
        """Whether the id of a response is that of what this call made. An id that the request has
        in its path, or as the text of a member such as `orderId`, is of what was there before,
        unless it is the reference of a payment that is asked for.
        """
        if self.method != "POST" or any(is_same_id(id, named) for named in self.ids):
            return False
        references = {payment.reference for payment in self.payments}
        return id in references or not _names(self.values, id)

    def compared_with(
        self, found: Mapping[str, Any], *, unsaid: Collection[str] = ()
    ) -> dict[str, Likeness]:
        """Compare each value that was sent with what was read, for `Done(compared=...)`.

        A value is compared by the kind that the document declares for it. A number has any
        spelling, also as text (`44.2` and `"44.20"`), and a word of an enum any letter case. A text
        is a text: `"1042.1"` is another one than `"1042.10"`, and `"INV-a"` than `"INV-A"`; white
        space makes no difference. What is not said confirms nothing, so that the write is not taken
        for done.

        Args:
            found: What was read, by the names that the request has for it.
            unsaid: The names of values that no read ever says, such as `card`; of a member in an
                object `card.number`. They are left out.

        Returns:
            What is said of each value, by its name.
        """
        kind, tables = _declared_body(self.module)
        said = {
            name: likeness
            for name, likeness in compared_leaves(self.values, dict(found), "", kind, tables)
            if not any(
                name == place or name.startswith((f"{place}.", f"{place}[")) for place in unsaid
            )
        }
        return ComparedValues(said, dict(found))

    def is_like(self, other: PreparedCall, compared: Mapping[str, Likeness]) -> bool:
        """Whether what was read for this call may be that of another one: nothing that was compared
        tells the two apart. Of a name that is no value of a call, nothing is known.

        Args:
            other: A call of the same operation.
            compared: What `compared_with` has returned for this call. Of another mapping, the names
                are compared in both requests.
        """
        if self.ids != other.ids:
            return False
        read = compared.read if isinstance(compared, ComparedValues) else self.values
        said = other.compared_with(read) if is_object(read) else {}
        return not any(said.get(name) is Likeness.OTHER for name in compared)

    def to_text(self) -> str:
        """The call as JSON text, for a column of a table. It has what was passed, account numbers
        included.

        Raises:
            InvalidRequest: It has the number or the verification code of a card, which must not be
                stored: call with a token of it.
        """
        if problems := card_problems(self.url, self.content):
            raise InvalidRequest.of(problems, doing=f"{self.name} was not stored")
        content = base64.b64encode(self.content).decode("ascii")
        return json.dumps({**asdict(self), "promise": self.promise.value, "content": content})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The call that `to_text` wrote. Raises `ValueError` for any other text."""
        return msgspec.json.decode(text, type=cls)


def _declared_of(module: str) -> Declared | None:
    """What the document declares of a generated operation; None of one that this release does not
    have.
    """
    with suppress(ImportError, AttributeError, ValueError):
        return importlib.import_module(module).OPERATION
    return None


def _declared_body(module: str) -> tuple[str, Tables]:
    """The model of the body of a generated operation, and the members of all models; empty for an
    operation that this release does not have.
    """
    declared = _declared_of(module)
    if declared is None:
        return "", {}
    package = module.partition(".api.")[0]
    return declared.body, importlib.import_module(f"{package}.members").MEMBERS


_NAME_OF_ID = re.compile(r"(?:.*[^A-Za-z])?ids?|.*I[Dd]s?")
"""The name of a member that has ids: `id`, `order_id`, `orderId`, `order_ids`; not `paid`."""


def _names(values: object, id: str, member: str = "") -> bool:
    """Whether JSON, the value of this `member`, has an id somewhere where ids are texts."""
    if is_object(values):
        return any(_names(value, id, name) for name, value in values.items())
    if is_list(values):
        return any(_names(value, id, member) for value in values)
    if not isinstance(values, str) or not _NAME_OF_ID.fullmatch(member):
        return False
    return is_same_id(values, id)


def _prepare_request(
    request: httpx.Request, behaviour: Behaviour, base_url: httpx.URL, *, name: str, key: str | None
) -> PreparedCall:
    """Return the request of a write in the form in which it is stored, to be sent later. `name` is
    that of the method or generated function that made it, `key` the idempotency key of the caller.

    Raises `ConfigurationError` if the request only reads.
    """
    row = request.extensions[OPERATION] = behaviour.operations.of(request)
    if row.reads:
        raise ConfigurationError(
            f"{name} begins with a read, so it cannot be stored: prepare the write alone."
        )
    content = request.read()
    sent_key = _key_of(behaviour.key_place, request, name, key)
    reader = reader_of(request)
    declared: Declared | None = None if reader is None else reader.declared
    proof = row.proof
    subject = _subject_of(row, request, name)
    headers = request.headers.items()
    return PreparedCall(
        name=name,
        operation=behaviour.operations.name(request),
        promise=row.promise(has_key=sent_key is not None, subject=subject),
        look_up_needs=None if proof is None or subject == "" else proof.needs,
        subject=subject,
        is_found_by_subject=proof is not None and proof.finds_subject,
        payments=() if row.payments is None else tuple(row.payments(request)),
        is_followed=row.follow is not None,
        idempotency_key=sent_key,
        untaken_key=row.untaken_key,
        module="" if declared is None else declared.parse.__module__,
        method=request.method,
        url=_relative_url(base_url, request.url),
        headers={name: value for name, value in headers if name not in _SENDERS_HEADERS},
        content=content,
    )


def _subject_of(row: Operation, request: httpx.Request, name: str) -> str | None:
    """What a request calls what it makes; None: nothing that its proof needs. Raises
    `ConfigurationError` if the function for it fails, or returns no text.
    """
    if row.reference:
        return id_or_empty(member_at(object_of(request), row.reference))
    proof = row.proof
    if proof is None or proof.subject is None:
        return None
    try:
        subject: object = proof.subject(request)
    except Exception as error:
        raise ConfigurationError(
            f"proof.subject failed for {name} ({type(error).__name__}): return a text for each "
            "request, empty if it has none."
        ) from error
    if not isinstance(subject, str):
        raise ConfigurationError(
            f"proof.subject returned {kind_of(subject)} for {name}: return a text, empty if the "
            "request has none."
        )
    return subject


def _key_of(place: KeyPlace, request: httpx.Request, name: str, key: str | None) -> str | None:
    """The key that the request is sent with: the one in it, else the caller's, else one that is
    made; None where the operation takes no key.

    Raises `InvalidRequest` if the request has another key than the caller's.
    """
    # The caller's key is added only where the client would make one. Where only a key in the
    # call's own arguments counts, an added one would make no repeat safe.
    rule = rule_of(request)
    if key is not None and isinstance(place, HeaderKey) and rule.is_made:
        _require(name, key_problem(key, shortest=rule.shortest))
        request.headers.setdefault(place.name, key)
    sent_key = place.prepare(request)
    if sent_key is not None and key is not None:
        _require_one_key(name, key, sent_key)
    return sent_key


def _require(name: str, problem: Problem | None) -> None:
    """Raise `InvalidRequest` if a call has a problem."""
    if problem is not None:
        raise InvalidRequest.of([problem], doing=f"{name} was not stored")


def _require_one_key(name: str, key: str, other: object) -> None:
    """Raise `InvalidRequest` if a call has two keys."""
    if str(other) != key:
        message = (
            f"idempotency_key is {shown(key)}, and the request has another key: pass one of the "
            "two."
        )
        _require(name, Problem(_KEY, "other", message))


def _key_argument(operation: Any, place: KeyPlace) -> str:
    """The name of the argument of a generated function that is the key: at the client's `place`, or
    else where the document says so; empty without such an argument.
    """
    declared: Declared = operation.OPERATION
    own = key_of(declared, place)
    keys = [key for key in declared.keys if key.is_key] if own is None else [own]
    arguments = [str(key.argument) for key in keys if key.argument]
    return arguments[0] if len(arguments) == 1 else ""


def _relative_url(base: httpx.URL, url: httpx.URL) -> str:
    """The path and the query below the base URL, so that another environment can be called; else
    the whole URL.
    """
    path = url.raw_path.decode("ascii")
    root = base.raw_path.decode("ascii").rstrip("/")
    if origin_of(url) == origin_of(base) and path.startswith(f"{root}/"):
        return path[len(root) :]
    return str(url)


def prepare_call(
    client: Any,
    operation: AnyOperation,
    key: str | None,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> PreparedCall:
    """Return the write that a method of a client, or a generated operation, would send.

    The arguments are those of `client.prepare`. Nothing is sent or awaited.
    """
    config: Any = client._config  # noqa: SLF001 - a part of every client
    behaviour: Behaviour = config.loop.behaviour
    if isinstance(operation, str):
        name = operation
        request = _request_of_method(client, name, key, args, dict(kwargs))
    else:
        module = sys.modules[operation.__module__] if inspect.isfunction(operation) else operation
        name = module.__name__.rpartition(".")[2]
        request = _request_of_function(client, module, name, key, args, dict(kwargs))
    return _prepare_request(request, behaviour, config.base_url, name=name, key=key)


def _request_of_method(
    client: Any, name: str, key: str | None, args: tuple[Any, ...], arguments: dict[str, Any]
) -> httpx.Request:
    """The first request of a method. Raises `ConfigurationError` if it sends none."""
    own: FlowRunner = client._shared.runner  # noqa: SLF001 - a part of every client
    method = _method_of(
        client, name, FirstRequest(own.api, own.build_request, own.attempts, own.take)
    )
    if key is not None and _takes_key(getattr(method, "__func__", method)):
        arguments.setdefault(_KEY, key)
    request: httpx.Request | None = None
    try:
        result = method(*args, **arguments)
        if inspect.iscoroutine(result):
            result.send(None)
    except Begun as begun:
        request = begun.request
    if request is None:
        raise ConfigurationError(f"{name} sends nothing, so there is nothing to store.")
    return request


@lru_cache(maxsize=1_000)
def _takes_key(function: Callable[..., Any]) -> bool:
    """Whether a method has an argument for a key."""
    return _KEY in inspect.signature(function).parameters


def _request_of_function(
    client: Any,
    operation: Any,
    name: str,
    key: str | None,
    args: tuple[Any, ...],
    arguments: dict[str, Any],
) -> httpx.Request:
    """The request of a generated operation, which its function makes. Raises `ConfigurationError`
    if it is none of the client's package.
    """
    function: Callable[..., httpx.Request] | None = getattr(operation, "sync_detailed", None)
    package = client._generated.__module__.rpartition(".")[0]  # noqa: SLF001 - as above
    if not callable(function) or not operation.__name__.startswith(f"{package}.api."):
        raise ConfigurationError(
            f"{shown(operation)} is neither a method's name nor an operation of {package}. For "
            "another package, make a client: connect(its Client, base_url=..., auth=...)."
        )
    if "client" in arguments:
        raise ConfigurationError(
            f"{name}: leave out client=, and pass the other arguments of {name} alone."
        )
    behaviour: Behaviour = client._config.loop.behaviour  # noqa: SLF001 - a part of every client
    argument = _key_argument(operation, behaviour.key_place)
    if argument and key is not None:
        arguments.setdefault(argument, key)
        _require_one_key(name, key, arguments[argument])
        _require(name, key_problem(key, shortest=None))
    runner: FlowRunner = client._shared.runner  # noqa: SLF001 - as above
    return function(*args, client=BuildingClient(runner.api, runner.build_request), **arguments)


def _method_of(client: Any, name: str, runner: FirstRequest) -> Callable[..., Any]:
    """The method of a client with this name, run by this runner.

    Raises `ConfigurationError` if there is none.
    """
    resources: Mapping[str, type[Resource]] = client._resources  # noqa: SLF001 - as above
    wanted, _, method = name.rpartition(".")
    shared = replace(client._shared, runner=runner)  # noqa: SLF001 - as above
    for resource, kind in resources.items():
        # The methods of a resource without a public name are those of the client.
        is_wanted = resource == wanted or (not wanted and resource.startswith("_"))
        if is_wanted and not method.startswith("_") and callable(getattr(kind, method, None)):
            return cast("Callable[..., Any]", getattr(kind(shared), method))
    raise ConfigurationError(
        f"{shown(name)} is no method of this client: write its name behind that of its resource, "
        "or pass a generated operation."
    )


def _request_of(client: Any, call: PreparedCall) -> httpx.Request:
    """The request of a call, as a client sends it.

    The generated operation reads its response, if this release still has that operation. The
    attempt loop then signs, repeats and classifies it as if it were made now.
    """
    runner: FlowRunner = client._shared.runner  # noqa: SLF001 - as above
    extensions: dict[str, Any] = {}
    declared = _declared_of(call.module)
    # None is of an earlier document, which had it: the provider's table still says what it is.
    if declared is not None:
        # A status that the document does not list is a success where the provider's own table says
        # what one is.
        has_own_rules = bool(client._resources)  # noqa: SLF001 - as above
        extensions = {READER: Reader(runner.api, declared, has_own_rules=has_own_rules)}
    return runner.build_request(
        method=call.method,
        url=call.url,
        headers=dict(call.headers),
        content=call.content,
        extensions=extensions,
    )


def send_prepared(client: Any, call: PreparedCall) -> OperationFlow[Done]:
    """Send a prepared write, and return what it did. Raises as `Operation.confirm` does."""
    shared: Shared = client._shared  # noqa: SLF001 - a part of every client
    seconds_left = shared.clock.countdown(shared.deadline)
    runner: FlowRunner = shared.runner
    response = yield from runner.attempts(_request_of(client, call), None)
    row: Operation = response.request.extensions[OPERATION]
    done = None
    if row.confirm is not None:
        done = yield from row.confirm(response, call.idempotency_key, seconds_left)
    return row.done(response, call.ids) if done is None else done
