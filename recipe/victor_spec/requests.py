"""What the templates must know of an operation: how its requests are sent (the generator drops it),
and its members.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.strings import PythonIdentifier

from .members import Kind, errors_of, model_of, results_of
from .tree import DEFAULT_STYLES, EXPLODED, Tree

PREFIX = "field_"
"""What the generator puts before a name that does not begin with a letter."""

Tagged = tuple[str, str]
"""The tag and the name of an operation, as the generator writes them."""


class Style(NamedTuple):
    """How a parameter is sent."""

    location: str
    style: str
    explode: bool
    reserved: bool

    def call(self, name: str, value: str) -> str:
        """The arguments of the function in `serializing` that writes the parameter; both are Python
        expressions.
        """
        if self.location == "cookie":
            return f"{name}, {value}"
        style = "" if self.style == DEFAULT_STYLES[self.location] else f', "{self.style}"'
        explode = f", explode={self.explode}" if self.explode != EXPLODED[self.location] else ""
        return f"{name}, {value}{style}{explode}{', reserved=True' if self.reserved else ''}"


class Offered(NamedTuple):
    """The content types (and ranges: `image/*`) of an answer that are read as text, and as bytes;
    whether it comes as JSON, too, and whether this can be a text."""

    text: tuple[str, ...]
    file: tuple[str, ...]
    json: bool
    json_text: bool


class Key(NamedTuple):
    """A parameter or a text in a body that is an idempotency key, or a header with an id that may
    be one: the arguments of the generated `Key`.
    """

    place: str
    """`header`, `query`, `cookie` or `body`."""
    name: str
    """On the wire; that of a member of a body with those around it, `meta.key`."""
    is_key: bool
    """Whether the document says that it is a key."""
    format: str = ""
    pattern: str = ""
    min_length: int = 0
    max_length: int = 0
    argument: str = ""
    """The argument of the function; empty for a member of a body."""


class Result(NamedTuple):
    """Where a good response has the id of what it is about, and its state: `data.id`; empty where
    the document does not tell.
    """

    id: str = ""
    status: str = ""


@dataclass
class Request:
    """One operation."""

    method: str = ""
    """In lower case."""
    path: str = ""
    """The path of the document; the generator may know the operation by another one."""
    parameters: dict[tuple[str, str], Style] = field(default_factory=dict[tuple[str, str], Style])
    """By the location in the prepared document, and the name."""
    encodings: dict[str, dict[str, list[str]]] = field(
        default_factory=dict[str, dict[str, list[str]]]
    )
    """By content type: the arguments of each `Encoding`, with the fields that have it."""
    answers: dict[str, Offered] = field(default_factory=dict[str, Offered])
    """By status: the answers that come as JSON or as something else."""
    may_be_empty: set[str] = field(default_factory=set[str])
    """The statuses of the answers whose content types have no schema: they promise no body."""

    keys: list[Key] = field(default_factory=list[Key])
    """Where it takes a key."""
    result: Result = field(default_factory=Result)

    def style(self, location: str, name: str) -> Style:
        """How a parameter is sent; `location` is the one in the prepared document."""
        style = DEFAULT_STYLES[location]
        usual = Style(location, style, explode=EXPLODED[location], reserved=False)
        return self.parameters.get((location, name), usual)

    def has(self, location: str) -> bool:
        return any(style.location == location for style in self.parameters.values())


class Declared(NamedTuple):
    """The members of a generated `Operation`: its function, and what its requests may have."""

    name: str
    method: str
    path: str
    headers: tuple[str, ...]
    members: tuple[str, ...]
    keys: tuple[Key, ...] = ()
    result_id: str = ""
    result_status: str = ""
    results: Mapping[int, str] = {}
    result_members: tuple[str, ...] = ()
    errors: Mapping[str, tuple[Kind, ...]] = {}
    body: str = ""


HOOKS = "x hooks"
"""The tag of the operations that stand for webhooks and callbacks."""


@dataclass
class Requests:
    """All operations, and the servers of the document."""

    servers: list[str] = field(default_factory=list[str])
    """The absolute URLs of its servers, with the defaults of their variables."""
    decimals: bool = False
    """Whether a number is read as a Decimal: then all are read with their digits."""
    base_path: str | None = None
    """The path of its server, when that is a relative URL."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    """The names on the wire of the parameters and properties that have another one for the
    generator, by that one."""
    hooks: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """The names of webhooks and callbacks, by the method and the path that stand for each."""
    hook_endpoints: list[Endpoint] = field(default_factory=list[Endpoint])
    """What the generator made of these paths."""
    of: dict[Tagged, Request] = field(default_factory=dict[Tagged, Request])

    def request(self, operation: Tree) -> Request:
        return self.of.setdefault(key(operation), Request())

    def request_of(self, endpoint: Endpoint) -> Request:
        return self.of.get((str(endpoint.tags[0]), str(endpoint.name)), Request())

    def hook_of(self, endpoint: Endpoint) -> str:
        """The name of the webhook or callback that an endpoint stands for."""
        return self.hooks[endpoint.method, endpoint.path.get_untrusted_value()]

    def declared(self, endpoint: Endpoint) -> Declared:
        """What is declared of an operation in the generated table."""
        request = self.request_of(endpoint)
        arguments = self._arguments_by_place(endpoint)
        keys = [
            key._replace(argument=arguments.get((key.place, key.name), "")) for key in request.keys
        ]
        declared = Declared(
            name=str(PythonIdentifier(endpoint.name, PREFIX)),
            method=endpoint.method.upper(),
            path=path_of(endpoint),
            headers=tuple(each.name.get_untrusted_value() for each in endpoint.header_parameters),
            members=_all_members(endpoint.bodies),
            keys=tuple(keys),
            result_id=request.result.id,
            result_status=request.result.status,
            results=results_of(endpoint),
            errors=errors_of(error_answers(endpoint)),
            body=model_of(endpoint.bodies),
        )
        if declared.method in _READS:  # only a write has to prove its work
            return declared
        return declared._replace(result_members=_all_members(good_answers(endpoint)))

    def _arguments_by_place(self, endpoint: Endpoint) -> dict[tuple[str, str], str]:
        """The arguments of the function, by where each is sent and its name on the wire."""
        request = self.request_of(endpoint)
        arguments: dict[tuple[str, str], str] = {}
        for location, parameter in endpoint.iter_all_parameters():
            name = parameter.name.get_untrusted_value()
            place = request.style(str(location), name).location
            arguments.setdefault((place, name), str(parameter.python_name))
        return arguments

    def arguments(self, endpoint: Endpoint) -> str:
        """What is declared of it, as arguments of a call in Python."""
        declared = self.declared(endpoint)
        arguments = _arguments(declared._replace(keys=()))
        if not declared.keys:
            return arguments
        keys = ", ".join(f"Key({_arguments(key)})" for key in declared.keys)
        return f"{arguments}, keys=({keys},)"


_READS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})


def _arguments(record: Declared | Key) -> str:
    """The arguments of a call that makes this record; what has its default is left out."""
    defaults = record._field_defaults
    written: list[str] = []
    for name, value in record._asdict().items():
        if name not in defaults or value != defaults[name]:
            written.append(f"{name}={value!r}")
    return ", ".join(written)


def key(operation: Tree) -> Tagged:
    """The key of an operation, whose id is unique in its tag."""
    [tag, *_] = operation.get("tags") or ["default"]
    name = PythonIdentifier(operation["operationId"], PREFIX)
    return str(PythonIdentifier(tag, "tag")), str(name)


def path_of(endpoint: Endpoint) -> str:
    """The path of an operation, without the mark of one that stands for another method."""
    return endpoint.path.get_untrusted_value().partition("#")[0]


def good_answers(endpoint: Endpoint) -> list[Any]:
    """The documented answers to a call that succeeds."""
    good = [answer for answer in endpoint.responses if _first_status(answer) // 100 == 2]
    return good or [answer for answer in endpoint.responses if answer.is_default()]


def _first_status(answer: Any) -> int:
    """The status of an answer, or the first one of its range; 0 for the default."""
    return (answer.status_code.range or (0,))[0]


def error_answers(endpoint: Endpoint) -> list[Any]:
    """The documented answers to a call that fails."""
    good = {id(answer) for answer in good_answers(endpoint)}
    others = [answer for answer in endpoint.responses if id(answer) not in good]
    return [answer for answer in others if answer.is_default() or _first_status(answer) >= 400]


def _all_members(bodies: Iterable[Any]) -> tuple[str, ...]:
    """The members of the objects that these bodies, or answers, may be, each once."""
    names = [name for each in bodies for name in members(each.prop)]
    return tuple(dict.fromkeys(names))


def members(body: Any, levels: int = 1) -> Iterator[str]:
    """The names of the members of a body, on the wire, and of the objects in it; those of each of
    its kinds.
    """
    for inner in getattr(body, "inner_properties", ()):
        yield from members(inner, levels)
    for kind in ("required_properties", "optional_properties") if levels else ():
        for each in getattr(body, kind, None) or ():
            yield each.name.get_untrusted_value()
            yield from members(each, levels - 1)
