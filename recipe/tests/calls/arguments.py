"""Which argument of a function goes where, and what a caller passes for a value.

Each argument is given a text of its own, which is looked for in the request.
"""

import contextlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

from victor_spec.tree import EXPLODED_STYLES, is_mapping

from .comparison import Comparison
from .expected import Request, short, text
from .operations import Medium, Operation, Parameter
from .package import (
    Caller,
    Function,
    NoArgumentError,
    build,
    enum_values,
    is_model,
    misfit,
    options,
)
from .schemas import Node, Shape, bare


class Probe:
    """A function, and where its arguments go; `request` is None when the call is refused."""

    def __init__(self, function: Function, caller: Caller) -> None:
        self.function = function
        self.selector = _selector(function)
        """The argument that chooses the content type of the body."""
        names = [name for name in function.hints if name != self.selector]
        markers = {f"~{number}~": name for number, name in enumerate(names)}
        arguments: dict[str, Any] = {}
        for marker, name in markers.items():
            hint = function.hints[name]
            arguments[name] = _first_of(hint, marker, [marker], {marker: marker})
        if "body" in arguments and (self.selector or _is_body(function.hints["body"])):
            arguments["body"] = _first_of(function.hints["body"], {}, b"", [])
        self.request: Request | None = None
        # a call that is refused is reported with the values of the document
        with contextlib.suppress(Exception):
            self.request = caller.request(function, arguments)
        self.in_path = re.findall(r"{([^{}]+)}", function.path)
        """The arguments in the path, in order."""
        self.sent: dict[tuple[str, str], list[str]] = defaultdict(list)
        """The arguments by place and name in the request; `*` for a marker, `filter` for
        `filter[0][~1~]`.
        """
        fields = {} if self.request is None else self.request.fields
        for location, pairs in fields.items():
            for name, value in pairs:
                passed = [markers[marker] for marker in re.findall(r"~\d+~", name + value)]
                if passed:
                    self.sent[location, _without_marker(name)] += passed

    @property
    def body(self) -> str | None:
        """The argument of the body; None when there is none, or when a parameter has its name."""
        is_parameter = any("body" in arguments for arguments in (self.in_path, *self.sent.values()))
        return "body" if "body" in self.function.hints and not is_parameter else None

    def named(self, location: str, name: str) -> str | None:
        """The argument that has the name of a parameter."""
        wanted = {_letters(name), _letters(f"{name}_{location}")}
        return next((each for each in self.function.hints if _letters(each) in wanted), None)


def _selector(function: Function) -> str | None:
    """The argument of a function whose values are content types."""
    for name in ("body_content_type", "content_type"):
        values = enum_values(function.hints[name]) if name in function.hints else set[Any]()
        if any("/" in str(value) for value in values):
            return name
    return None


def _without_marker(name: str) -> str:
    """The name of a field without the markers in it, and without what they are put into."""
    plain = re.sub(r"(\[0\])?(\[~.*)?$", "", name)
    return re.sub(r"~\d+~", "*", plain)


def shape(path: str) -> str:
    """A path without the names of its parameters, and without a fragment."""
    return re.sub(r"{[^{}]+}", "{}", path).replace("{{", "{").replace("}}", "}").partition("#")[0]


def _letters(name: str) -> str:
    """A name in small letters and digits, to compare it with another spelling."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def likeness(function: Function, operation: Operation) -> int:
    """How much the name of a function is that of an operation: of its id, or of its method and
    path.
    """
    name = _letters(function.name)
    path = _letters(f"{operation.method}{operation.path}")
    points = 2 if name.endswith(path) else 0
    if name == _letters(operation.identity):
        points += 1
    return points


def _first_of(hint: Any, *values: Any) -> Any:
    """The first of some JSON values that a type holds, as its value; the first one as it is when it
    holds none.
    """
    [first, *_] = [*_first_built(hint, [*values]), values[0]]
    return first


def _is_flat(parameter: Parameter) -> bool:
    """Whether the properties of an object are fields by themselves."""
    is_exploded = parameter.style in EXPLODED_STYLES and parameter.explode
    return parameter.style == "deepObject" or is_exploded


def _is_body(hint: Any) -> bool:
    """Whether an argument takes an object or a file, as no parameter but one of the name `body`
    does.
    """
    for option in options(hint):
        if is_model(option) or getattr(option, "__name__", "") == "File":
            return True
    return False


Arguments = dict[str, Any]


class CallValues(NamedTuple):
    """The values of one call: those of its parameters, and that of its body in a content type."""

    parameters: list[tuple[Parameter, Any]]
    medium: Medium | None
    body: Any


@dataclass
class OperationArguments:
    """The arguments of one operation. Reports the parameters and enum values that have none."""

    operation: Operation
    probe: Probe
    caller: Caller
    comparison: Comparison

    def __post_init__(self) -> None:
        self.schemas = self.comparison.schemas
        self.verdict = self.comparison.verdict
        self.sinks: dict[str, dict[str | None, str]] = {}
        """By place, the argument of a parameter, under None; or those of its properties, if it is
        taken apart.
        """
        names = re.findall(r"{([^{}]+)}", self.operation.path)
        self._in_path = dict(zip(names, self.probe.in_path, strict=False))
        for parameter in self.operation.parameters:
            self._find_sink(parameter)

    def wrong(self, what: str) -> None:
        """Report what is wrong with the operation as a whole."""
        self.verdict.wrong(self.operation.place, what)

    def missing(self, place: str, what: str, *words: str) -> None:
        """Report a part of the operation that the package lacks."""
        self.verdict.missing(place, what, self.operation.title, *words)

    def is_required(self, parameter: Parameter) -> bool:
        """Whether the document, or the function, requires the parameter."""
        taken = self.sinks[parameter.place].values()
        return parameter.required or not self.probe.function.required.isdisjoint(taken)

    def value_with_arguments(self, parameter: Parameter, value: Any) -> Any:
        """The value without the properties that no argument takes: they are reported as missing."""
        sink = self.sinks[parameter.place]
        if None in sink or not is_mapping(value):
            return value
        return {name: member for name, member in value.items() if name in sink}

    def _find_sink(self, parameter: Parameter) -> None:
        """Find the argument of a parameter, or those of its properties; report what has none."""
        properties = self._flat_properties(parameter)
        sink = self._argument_of_whole(parameter) or self._arguments_of_properties(
            parameter, properties
        )
        self.sinks[parameter.place] = sink
        parts: list[tuple[str | None, Node]] = [(None, parameter.schema)]
        if properties and None not in sink:
            parts = [*properties.items()]
        for part, schema in parts:
            place = f"{parameter.place}.{part}" if part else parameter.place
            word = part or parameter.name
            if part not in sink:
                self.missing(place, "no argument of the function sends it", word)
            elif not parameter.content_type:
                self._check_words(place, schema, sink[part])
        self._check_name(parameter, sink)

    def _flat_properties(self, parameter: Parameter) -> dict[str, Node]:
        """The properties of an object whose fields stand in the query by themselves."""
        if parameter.location != "query" or not _is_flat(parameter):
            return {}
        first, *others = self.schemas.shapes(parameter.schema.tree) or [Shape({})]
        return {
            name: Node(self.schemas.whole(parts), f"{parameter.place}.{name}")
            for name, parts in first.properties.items()
            if all(name in other.properties for other in others)
        }

    def _arguments_of_properties(
        self, parameter: Parameter, properties: dict[str, Node]
    ) -> dict[str | None, str]:
        """The arguments of the properties of a parameter."""
        sink: dict[str | None, str] = {}
        for name in properties:
            wire = name if parameter.style == "form" else f"{parameter.name}[{name}]"
            sent = self.probe.sent.get((parameter.location, wire))
            if sent:
                sink[name] = sent[0]
        return sink

    def _argument_of_whole(self, parameter: Parameter) -> dict[str | None, str]:
        """The argument of a parameter as a whole; none where it is taken apart, or is not sent."""
        location = parameter.location
        name = parameter.name.lower() if location == "header" else parameter.name
        named = self.probe.named(location, parameter.name)
        direct = self.probe.sent.get((location, name), [])
        if location == "path" and name in self._in_path:
            direct = [self._in_path[name]]
        if direct:
            return {None: direct[0]}
        exploded = self.probe.sent.get((location, "*"), []) if _is_flat(parameter) else []
        if exploded:
            return {None: named if named in exploded else exploded[0]}
        if self.probe.request is None and named is not None:
            return {None: named}
        return {}

    def _check_name(self, parameter: Parameter, sink: dict[str | None, str]) -> None:
        """The argument with the name of a parameter sends it, and not another one."""
        named = self.probe.named(parameter.location, parameter.name)
        if None not in sink or named is None or named == sink[None]:
            return
        own: list[str] = []
        for (location, name), arguments in self.probe.sent.items():
            if location == parameter.location and named in arguments:
                own.append(_letters(name))
        if own and _letters(named) not in own:
            what = f"the argument {sink[None]} sends it, and not {named}"
            self.verdict.wrong(parameter.place, what)

    def _check_words(self, place: str, schema: Node, argument: str) -> None:
        """Every value of an enum is a member of an enum in the type of the argument."""
        known = enum_values(self.probe.function.hints[argument])
        for each in self.schemas.shapes(schema.tree):
            owner = each if each.items is None else self.schemas.shapes(each.items)[0]
            lost = [repr(value) for value in owner.words() if value not in known]
            if lost:
                self.verdict.plain.add(f"{place}: no enum value {', '.join(lost)}")

    def arguments(self, call: CallValues, body: Arguments) -> Arguments:
        """The arguments of a call. Raises NoArgumentError, which names the parameter."""
        arguments: Arguments = {}
        hints = self.probe.function.hints
        for parameter, value in call.parameters:
            for name, argument in self.sinks[parameter.place].items():
                if name is None or (is_mapping(value) and name in value):
                    own = value if name is None else value[name]
                    arguments[argument] = self._argument(parameter, hints[argument], own)
        for name in self.probe.function.required - {self.probe.body} - arguments.keys():
            arguments[name] = (
                "text"  # a parameter that must be ignored, or one of another operation
            )
        return {**arguments, **body}

    def _argument(self, parameter: Parameter, hint: Any, value: Any) -> Any:
        """The value of an argument. Raises NoArgumentError, which names the parameter."""
        try:
            return build(hint, value)
        except NoArgumentError:
            if parameter.content_type is not None and str in options(hint):
                return text(value)
            raise NoArgumentError(
                f"{parameter.place}: the type of its argument cannot hold {short(value)}"
            ) from None

    def body_options(self, call: CallValues) -> list[Arguments]:
        """The ways to pass a body: one for each type of the argument.

        Raises NoArgumentError when it needs one.
        """
        medium = call.medium
        selector = self.probe.selector
        if medium is None or self.probe.body is None:
            return [{}]
        hints = self.probe.function.hints
        bodies = self._bodies(medium, bare(call.body))
        chosen: Arguments = {}
        if selector is not None:
            chosen[selector] = medium.content_type
            if medium.content_type not in enum_values(hints[selector]):
                bodies = []
        if not bodies and self.probe.body in self.probe.function.required:
            raise NoArgumentError(
                f"{medium.place}: the type of the argument body cannot hold {short(call.body)}"
            )
        return [{"body": body, **chosen} for body in bodies] or [{}]

    def _bodies(self, medium: Medium, body: Any) -> list[Any]:
        """The values of the argument for a body, those first that fit it best."""
        in_parts = medium.bare.startswith("multipart/")
        values = [body, body.encode()] if isinstance(body, str) else [body]
        bodies: list[Any] = []
        for option in options(self.probe.function.hints["body"]):
            for built in _first_built(option, values):
                # the caller writes the parts, and what is between them
                if in_parts and type(built).__name__ == "File":
                    built.mime_type = f"{medium.content_type}; boundary=between"
                bodies.append(built)
        # A file, which has a content type, comes before bytes.
        return sorted(
            bodies, key=lambda each: (in_parts and isinstance(each, bytes), *misfit(each))
        )


def _first_built(hint: Any, values: list[Any]) -> list[Any]:
    """The first of some JSON values that a type holds, as its value; nothing when it holds none."""
    for value in values:
        with contextlib.suppress(NoArgumentError):
            return [build(hint, value)]
    return []
