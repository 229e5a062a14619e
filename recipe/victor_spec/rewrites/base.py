"""What every rewrite uses: the operations, schemas and references of a document, and the log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from victor_spec.requests import Requests
from victor_spec.tree import Operation, Tree, list_at, mapping_at, operations, resolve

MAX_PLACES = 20
MAX_NAMED = 3
"""The places that a comment names."""
LISTS = ("allOf", "oneOf", "anyOf", "prefixItems")
SINGLE = {"items": "[]", "additionalProperties": ".*", "not": "(not)"}
HOLDERS = frozenset({"properties", *LISTS, *SINGLE})
"""The keywords with schemas that a schema consists of."""


@dataclass
class Log:
    """What the rewrites did."""

    applied: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The places where each rewrite was applied, by its name."""
    left_out: list[str] = field(default_factory=list[str])
    """Parts of the document that no rewrite can keep."""
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    """The words of openapi-python-client for what it cannot generate, by the entry of `left_out`.
    """
    content_types: dict[str, str] = field(default_factory=dict[str, str])
    """Content types that the generator does not know, each with a known one that is read in the
    same way.
    """
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    """The names of schemas in the document, by those that they have now, where that is another one.
    """
    decimals: tuple[str, ...] = ()
    """The places whose numbers are read as Decimal, such as `Card.price`; `*` is any text."""
    floats: list[str] = field(default_factory=list[str])
    """The places of amounts that are read as float."""
    untold: list[str] = field(default_factory=list[str])
    """The webhooks that not every body selects: `read_webhook` needs their names."""
    plain: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The places that are read and sent as plain JSON, by why they are."""
    differing: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The places that are read otherwise than they say, by how they are."""
    requests: Requests = field(default_factory=Requests)
    """How each request is sent."""

    def __call__(self, rewrite: str, where: str) -> None:
        self.applied.setdefault(rewrite, []).append(where)

    def note(self, where: str, why: str) -> None:
        """Note a place that is read and sent as plain JSON, as a whole or in part."""
        self.plain.setdefault(why, []).append(where)

    def notes(self) -> list[str]:
        """One line for each place that is read and sent as plain JSON, and why it is."""
        return [f"{place}: {why}" for why, places in self.plain.items() for place in places]

    def differ(self, where: str, how: str) -> None:
        """Note a place that is read otherwise than it says, with its type."""
        self.differing.setdefault(how, []).append(where)

    def differences(self) -> list[str]:
        """One line for each place that is read otherwise than it says, and how it is."""
        return [f"{place}: {how}" for how, places in self.differing.items() for place in places]

    def comments(self) -> Iterator[str]:
        """One line for each reason, with the first places: without control characters, which could
        end a comment.
        """
        of_kinds = (("Plain JSON, exactly", self.plain), ("Read otherwise", self.differing))
        for kind, noted in of_kinds:
            for why, places in noted.items():
                rest = len(places) - MAX_NAMED
                more = f" and {rest} more (victor-spec check --verbose)" if rest > 0 else ""
                line = f"{kind} ({why}): {', '.join(places[:MAX_NAMED])}{more}"
                yield "".join(letter if letter.isprintable() else " " for letter in line)

    def lose(self, loss: str, reason: str) -> None:
        """Note a part that openapi-python-client cannot generate, with its own words."""
        self.left_out.append(loss)
        self.reasons[loss] = reason

    def lines(self) -> Iterator[str]:
        """One line for each place, or a single line for a rewrite with more than MAX_PLACES."""
        for name, places in self.applied.items():
            if len(places) > MAX_PLACES:
                yield f"{name}: {len(places)} places, the first is {places[0]}"
            else:
                yield from (f"{name}: {place}" for place in places)


def leave_out(operation: Operation, why: str, log: Log) -> None:
    """Take an operation out of the document, and say why the package does not have it."""
    *above, name = operation.step.split(".", 1)
    holder = operation.item
    for step in above:
        holder = holder[step]
    del holder[name]
    log.left_out.append(f"{operation.where}: {why}")


def components(document: Tree) -> Tree:
    """The named schemas, to read and to change."""
    schemas: Tree = document.setdefault("components", {}).setdefault("schemas", {})
    return schemas


def replace(schema: Tree, new: Tree) -> None:
    """Make another schema of one, in its place."""
    schema.clear()
    schema.update(new)


def drop(schema: Tree, *keys: str) -> None:
    """Remove keys that a schema may have."""
    for key in keys:
        schema.pop(key, None)


def children(schema: Tree) -> Iterator[tuple[str, Tree]]:
    """The direct children of a schema, each with its step: `.name`, `[]`, `(oneOf 1)`."""
    if HOLDERS.isdisjoint(schema):
        return
    for name, child in mapping_at(schema, "properties").items():
        yield f".{name}", child
    for key in LISTS:
        if key in schema:
            for number, child in enumerate(list_at(schema, key)):
                yield f"({key} {number + 1})", child
    for key, mark in SINGLE.items():
        if isinstance(schema.get(key), dict):
            yield mark, schema[key]


def below(where: str, schema: Tree) -> Iterator[tuple[str, Tree]]:
    """A schema and its descendants, each with its path; references are not followed."""
    pending = [(where, schema)]
    while pending:
        where, schema = pending.pop()
        yield where, schema
        inner = [(where + step, child) for step, child in children(schema)]
        pending += reversed(inner)


def schemas(document: Tree) -> list[tuple[str, Tree]]:
    """Every schema with its path.

    A list, so that a rewrite can change the tree while it iterates.
    """
    return [match for where, schema in _roots(document) for match in below(where, schema)]


def _roots(document: Tree) -> Iterator[tuple[str, Tree]]:
    """The schemas that are in no other schema, each with its path."""
    yield from components(document).items()
    for operation in operations(document):
        for owner in (operation.item, operation.tree):
            for parameter in list_at(owner, "parameters"):
                if "schema" in parameter:
                    yield place_of_parameter(operation, parameter), parameter["schema"]
        for kind, content_type, medium in media(operation):
            if "schema" in medium:
                yield f"{operation.where} {kind} {content_type}", medium["schema"]


def place_of_parameter(operation: Operation, parameter: Tree) -> str:
    """What to call a parameter: `GET /cards query limit`."""
    return f"{operation.where} {parameter.get('in')} {parameter.get('name')}"


def parameters(document: Tree) -> list[tuple[Operation, Tree]]:
    """Every parameter with its operation: a list, as that of `schemas`."""
    pairs: list[tuple[Operation, Tree]] = []
    for operation in operations(document):
        pairs += [(operation, each) for each in list_at(operation.tree, "parameters")]
    return pairs


def media_types(operation: Operation) -> Iterator[tuple[str, Tree]]:
    """The content of the request ("body") and of each answer (its status)."""
    body = mapping_at(operation.tree, "requestBody")
    if "content" in body:
        yield "body", body["content"]
    yield from answers(operation)


def media(operation: Operation) -> Iterator[tuple[str, str, Tree]]:
    """Each medium: "body" or the status of its answer, its content type, and itself."""
    for kind, content in media_types(operation):
        for content_type, medium in content.items():
            yield kind, content_type, medium


def answers(operation: Operation) -> Iterator[tuple[str, Tree]]:
    """The content of each response that has one, by its status."""
    for status, answer in mapping_at(operation.tree, "responses").items():
        if answer.get("content"):
            yield status, answer["content"]


def _children(schema: Tree) -> list[Tree]:
    return [child for _, child in children(schema)]


def reachable(
    document: Tree,
    schema: Tree,
    seen: set[int],
    inner: Callable[[Tree], list[Tree]] = _children,
) -> Iterator[Tree]:
    """The schemas that a schema consists of, itself first, references followed, each once: those of
    all values that a value of it can contain, or what `inner` has of each. `seen` collects their
    ids.
    """
    pending = [schema]
    while pending:
        whole = resolve(document, pending.pop())
        if id(whole) not in seen:
            seen.add(id(whole))
            yield whole
            pending += reversed(inner(whole))
