"""What is new or changed of what a caller can send and no argument sends: headers, cookies and
queries beside a body, and members that no check knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from victor_spec.rewrites.keys import READING, is_key
from victor_spec.rewrites.operations import OF_TRANSPORT
from victor_spec.tree import Tree, mapping_at, parameters, resolve
from victor_spec.typed.arguments import operations_by_id
from victor_spec.typed.checks import snake

from .changes import HAND, LIMITS, Signature, changes_of, declared_of

BESIDE_QUERY = ("header", "cookie")
BESIDE_BODY = ("query", *BESIDE_QUERY)
"""Where the parameters stand that are no arguments: of lists and calls, and of operations that send
an object.
"""
KEY = "without a row by hand, a client with this key sends a random one, the same in all attempts"
BY_OTHERS = frozenset({"accept", "authorization", "content-type", *OF_TRANSPORT})
"""Headers that are no parameters (OpenAPI 3, Parameter Object), or that httpx writes."""


def news_of_others(
    operation_id: str,
    function: str,
    before: Tree,
    after: Tree,
    locations: Collection[str],
    by_hand: Collection[str] = (),
) -> Iterator[str]:
    """What is new or changed of the parameters in these locations, which are no arguments.

    `by_hand` are the arguments that code by hand checks and sends.
    """
    old, new = (_others(each, operation_id, locations) for each in (before, after))
    for key, parameter in new.items():
        what, name = key
        place = f"{what} `{name}` in `{function}`"
        declared = declared_of(after, parameter)
        is_by_hand = snake(name) in by_hand
        if key in old:
            who = HAND if locations == BESIDE_BODY else "no argument sends it"
            decided = dict.fromkeys((*LIMITS, "enum"), who)
            for change in changes_of(declared_of(before, old[key]), declared, may_be_left_out=True):
                yield change.line(place, decided)
            continue
        required = ["required", "breaking"] if declared.is_required else []
        how = "code by hand sends it"
        if not is_by_hand:
            method = operations_by_id(after)[operation_id].method
            how = f"no argument: {_sent_by(after, parameter, method)}"
        yield ": ".join([f"new: {place} ({declared.text()})", *required, how])


def _others(
    document: Tree, operation_id: str, locations: Collection[str]
) -> dict[tuple[str, str], Tree]:
    """The parameters in these locations, by what they are called and their names."""
    operation = operations_by_id(document).get(operation_id)
    written = {} if operation is None else parameters(document, operation.item, operation.tree)
    found: dict[tuple[str, str], Tree] = {}
    for parameter in (resolve(document, each) for each in written.values()):
        location, name = str(parameter.get("in")), str(parameter.get("name"))
        if location in locations and (location != "header" or name.lower() not in BY_OTHERS):
            found["query parameter" if location == "query" else location, name] = parameter
    return found


def _sent_by(document: Tree, parameter: Tree, method: str) -> str:
    """What sends a parameter that is no argument."""
    if parameter.get("in") != "header":
        return "the generated function alone sends it"
    name, description = str(parameter.get("name")), str(parameter.get("description", ""))
    if is_key(document, name, mapping_at(parameter, "schema"), description):
        return "a read sends no key" if method in READING else KEY
    return "`with_options(headers=...)` sends it"


def news_of_untyped(
    places: Iterable[str], where: str, old: Signature | None, new: Signature, instead: str
) -> Iterator[str]:
    """What is new of parameters and members that are no arguments, for no check knows their types.

    `instead` says how they are sent.
    """
    for place in places:
        before, after = (old or {}).get(place), new[place]
        said = f"`{place}` in `{where}`"
        if before is None:
            yield f"new: {said} ({after.type}): no argument: {instead}"
        elif before.type != after.type:
            is_now = f"{after.type}, and not {before.type}"
            yield f"other type: {said}: {is_now}: no argument: {instead}: breaking"


def required_words(old: Signature | None, *, is_required: bool) -> list[str]:
    """What a line says of a member that is new and required. In a new object, it breaks nothing."""
    if not is_required:
        return []
    return ["required"] if old is None else ["required", "breaking"]


def news_of_unchecked(
    decides: Mapping[str, str],
    where: str,
    old: Signature | None,
    new: Signature,
) -> Iterator[str]:
    """What is new or changed of what no generated argument checks; `decides` says what does."""
    for place, who in decides.items():
        said = f"`{place}` in `{where}`"
        before, after = (old or {}).get(place), new[place]
        if before is None:
            required = required_words(old, is_required=after.is_required)
            yield ": ".join([f"new: {said} ({after.text()})", *required, who])
            continue
        decided = dict.fromkeys((*LIMITS, "enum"), who)
        for change in changes_of(before, after, may_be_left_out=True):
            yield change.line(said, decided)
