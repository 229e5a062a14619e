"""What in a document will hurt its client: the rules, why each hurts, and what the recipe does about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from victor_ext.spec.components import Components
from victor_ext.spec.document import load
from victor_ext.spec.tree import Tree, list_at, mapping_at, mappings_at, trees_at

from .subject import Finding, Subject, refused_example, unquoted_value

__all__ = ("RULES", "Finding", "findings")


Look = Callable[[Subject], Iterator[Finding]]
RULES: list[Rule] = []
"""All rules, in the order of their findings."""


class Rule(NamedTuple):
    """A rule: its name, why its findings hurt, and what the recipe does about them."""

    name: str
    why: str
    recipe: str
    look: Look


def findings(
    file: Path, *, skip: frozenset[str] = frozenset(), copies: Mapping[str, Path] | None = None
) -> Mapping[str, list[Finding]]:
    """The findings of each rule, by its name. Raises DocumentError when the document cannot be read."""
    subject = Subject(file, Components(load(file, copies)))
    return {rule.name: list(rule.look(subject)) for rule in RULES if rule.name not in skip}


def _rule(why: str, recipe: str) -> Callable[[Look], Look]:
    """Make a rule of a function; its name is that of the function."""

    def add(look: Look) -> Look:
        RULES.append(Rule(look.__name__.strip("_").replace("_", "-"), why, recipe, look))
        return look

    return add


_rule(
    "One of them is wrong, and a strict client crashes on the provider's own answers.",
    "A value of another type is kept in `additional_properties`, and the call succeeds.",
)(refused_example)
_rule(
    "Leading zeros of account numbers are lost, and dates change their type, in readers of YAML 1.1.",
    "The document is read with the types of JSON: these values stay text.",
)(unquoted_value)


# ---- Schemas ----


@_rule("What the reference stands for is not known, so it has no type.", "It is left out by name, or holds anything.")
def _missing_target(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts.all():
        reference = part.tree.get("$ref")
        if isinstance(reference, str) and "$ref" in subject.parts.resolve(part.tree):
            yield Finding(part.place, f"{reference} points to nothing in this file")


_DATE_NAME = re.compile(r"(?i)(?:^|[_-])(?:date|time|timestamp|datetime)$|(?:_at|_on|_until|_since)$")
_DATE_CAMEL = re.compile(r"[a-z](?:At|On|Date|Time|Timestamp|DateTime)$")
_DATE_VALUE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?|YYYY-MM-DD.*", re.IGNORECASE)


@_rule(
    "Callers get text, and each parses it in a way of its own.",
    "It stays text; nothing is guessed. Parse it where the provider's format is known.",
)
def _date_without_format(subject: Subject) -> Iterator[Finding]:
    for place, name, child in subject.declared:
        if child.get("type") != "string" or child.get("format") or child.get("enum") or child.get("pattern"):
            continue
        example = str(child.get("example", ""))
        words = str(child.get("description", "")).lower()
        is_named = bool(_DATE_NAME.search(name) or _DATE_CAMEL.search(name))
        if _DATE_VALUE.fullmatch(example) or "iso 8601" in words or (is_named and not example):
            yield Finding(place, "it seems to be a date or a time, and has no format")


@_rule(
    "A word that the provider adds breaks clients with closed enums.",
    "Enums stay open: an unknown word becomes a member of its own, and known ones match in any letter case.",
)
def _enum_in_answer(subject: Subject) -> Iterator[Finding]:
    for part in subject.schemas:
        words = [value for value in list_at(part.tree, "enum") if value is not None]
        if part.received and len(words) > 1:
            yield Finding(
                part.place, f"an answer may have one of {len(words)} words, and a later one is not among them"
            )


@_rule(
    "A float does not hold every decimal amount, and sums of floats are wrong by cents.",
    "`format: decimal` in the document, or `--decimals PLACE`, reads it as Decimal with all its digits.",
)
def _amount_as_number(subject: Subject) -> Iterator[Finding]:
    for place, name, child in subject.declared:
        if child.get("type") == "number" and re.search(r"(?i)amount|price|balance|total|fee$", name):
            yield Finding(place, "an amount is a number, which readers take for a float")


@_rule("Tools disagree on whether they read it.", "The reference counts, as OpenAPI 3.0 says.")
def _sibling_of_reference(subject: Subject) -> Iterator[Finding]:
    if subject.parts.version_31:
        return
    for part in subject.parts.all():
        siblings = sorted(part.tree.keys() - {"$ref", "description", "summary"}) if "$ref" in part.tree else []
        if siblings:
            yield Finding(part.place, f"{', '.join(siblings)} beside $ref: OpenAPI 3.0 ignores it")


@_rule("Stock generators drop the properties without a word.", "The rewrite `merge-allof-siblings` keeps them.")
def _sibling_of_allof(subject: Subject) -> Iterator[Finding]:
    for part in subject.schemas:
        if trees_at(part.tree, "allOf") and (part.tree.get("properties") or part.tree.get("required")):
            yield Finding(part.place, "properties or required beside allOf: stock generators drop them")


@_rule(
    "Which of the classes an answer is has to be guessed.",
    "The member that fits best is taken: fewest unknown fields, then fewest missing ones.",
)
def _union_without_discriminator(subject: Subject) -> Iterator[Finding]:
    for part in subject.schemas:
        for key in ("oneOf", "anyOf"):
            objects = [each for each in trees_at(part.tree, key) if subject.properties(each)]
            if len(objects) > 1 and not mapping_at(part.tree, "discriminator"):
                yield Finding(part.place, f"a union of {len(objects)} objects has no discriminator")


# ---- Operations ----

_PAGING = re.compile(
    r"(?i)^(?:page(?:_?(?:number|no|token))?|offset|skip|start|cursor|(?:starting_|ending_)?(?:after|before)|from)$"
)
_END = re.compile(
    r"(?i)has_?more|next|total|last_?page|page_?count|is_?last|cursor|links?$|count$|paging|pagination|^meta$|^page$"
)


@_rule(
    "A client that trusts the page size stops too early, or never.",
    "Functions read one page. The walks of `victor_ext` end with an empty page, and refuse repeated ones.",
)
def _pages_without_end(subject: Subject) -> Iterator[Finding]:
    for operation in subject.operations:
        queries = [tree for tree in subject.parameters(operation) if tree.get("in") == "query"]
        names = {str(tree.get("name")) for tree in queries}
        names |= {name for tree in queries for name in subject.properties(mapping_at(tree, "schema"))}
        paging = sorted(name for name in names if _PAGING.match(name))
        if not operation.name.startswith("get ") or not paging:
            continue
        answers = list(subject.success(operation))
        outer = [item for schema in answers for item in subject.properties(schema).items()]
        members = {name for name, _ in outer}  # and those of objects: `{"albums": {"next": ...}}`
        members |= {name for _, child in outer for name in subject.properties(child)}
        members |= {name for _, each in subject.responses(operation) for name, _ in mappings_at(each, "headers")}
        if answers and not any(_END.search(name) for name in members if name not in paging):
            pages = f"a list is read in pages ({', '.join(paging)})"
            yield Finding(operation.place, f"{pages}, and nothing in its answer says which page is the last")


@_rule(
    "A strict client raises on the first expired token or failing server as on an unknown answer.",
    "Clients of `victor_ext` raise `AuthenticationError` and `ServerError` by status, with the outcome.",
)
def _undocumented_failure(subject: Subject) -> Iterator[Finding]:
    for operation in subject.operations:
        statuses = {status.lower() for status, _ in subject.responses(operation)}
        if "default" in statuses:
            continue
        secured = operation.tree.get("security") != []  # without a word on it, it is most likely not open
        missing = ["401"] if secured and not statuses & {"401", "4xx"} else []
        missing += [] if any(status.startswith("5") for status in statuses) else ["5xx"]
        if missing:
            yield Finding(operation.place, f"no answer is documented for {' and '.join(missing)}")


@_rule("Its function gets a name from its path, which changes with it.", "The rewrite `unique-operation-id` makes one.")
def _operation_without_id(subject: Subject) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for operation in subject.operations:
        name = operation.tree.get("operationId")
        if not isinstance(name, str) or not name:
            yield Finding(operation.place, "it has no operationId, and its function is named after its path")
        elif known.setdefault(name, operation.name) != operation.name:
            yield Finding(operation.place, f"its operationId {name} is that of {known[name]} too")


_KEY_WORDS = re.compile(
    r"(?is)idempot"
    r"|\bunique(?:ly)?\b.{0,60}\b(?:per|for each|for every)\b.{0,20}\b"
    r"(?:request|call|transaction|transfer|payment|payout)\b"
    r"|\bunique(?:ly)?\b.{0,10}\brequest (?:id|identifier|key)\b"
    r"|\b(?:prevent|avoid|detect)\w*\b.{0,30}\bduplicate"
)
"""What a description says of a key: `unique identifier per transfer request`, `prevents duplicate payments`.

The unique id of something that exists already is no key."""


@_rule(
    "After a lost answer nobody knows whether it was done, and a repeat may do it twice.",
    "Clients of `victor_ext` never repeat such a call that may have been received, unless you say that it takes a key.",
)
def _write_without_key(subject: Subject) -> Iterator[Finding]:
    # Described as keys, there or wherever else the document has the name.
    keys = {name for _, name, tree in subject.declared for each in (tree, subject.parts.resolve(tree)) if _is_key(each)}
    for operation in subject.operations:
        body = subject.parts.resolve(mapping_at(operation.tree, "requestBody"))
        schemas = [mapping_at(medium, "schema") for _, medium in mappings_at(body, "content")]
        names = {name for schema in schemas for name in subject.properties(schema)}
        headers = [tree for tree in subject.parameters(operation) if tree.get("in") == "header"]
        is_safe = names & keys or any("idempot" in name.lower() for name in names) or any(map(_is_key, headers))
        if operation.name.startswith("post ") and not is_safe:
            what = "no header or field is named after idempotency, and none is described as a unique id of each request"
            yield Finding(operation.place, what)


def _is_key(tree: Tree) -> bool:
    return _KEY_WORDS.search(f"{tree.get('name')}: {tree.get('description')}") is not None


@_rule(
    "Anybody can post to a public address, and a forged notification looks like a payment.",
    "`read_webhook` calls your own `verify` before it reads anything; no signature is guessed.",
)
def _webhook_without_security(subject: Subject) -> Iterator[Finding]:
    for operation in subject.parts.operations.values():
        security = operation.tree.get("security", subject.parts.document.get("security"))
        if operation.incoming and not security:
            yield Finding(operation.place, "nothing says how to tell that the provider sent it")


@_rule("Callers get a dict without types.", "The body is kept as it comes.")
def _answer_without_schema(subject: Subject) -> Iterator[Finding]:
    for operation in subject.operations:
        for status, response in subject.responses(operation):
            for content_type, medium in mappings_at(response, "content"):
                if "json" in content_type and not medium.get("schema"):
                    yield Finding(f"{operation.place}.responses.{status}.content.{content_type}", "it has no schema")


@_rule("Which of them comes depends on the Accept header.", "JSON is read; the others are left out by name.")
def _several_contents(subject: Subject) -> Iterator[Finding]:
    for operation in subject.operations:
        for status, response in subject.responses(operation):
            kinds = sorted(mapping_at(response, "content"))
            if len(kinds) > 1:
                yield Finding(f"{operation.place}.responses.{status}", f"it comes as {', '.join(kinds)}")


@_rule(
    "Callers have to know the URL, or credentials travel in the clear.",
    "`base_url` is the caller's. Clients of `victor_ext` refuse `http` to other machines.",
)
def _server(subject: Subject) -> Iterator[Finding]:
    servers = trees_at(subject.parts.document, "servers")
    if not servers:
        yield Finding("servers", "the document names no server")
    for number, server in enumerate(servers):
        url = str(server.get("url", ""))
        if url.startswith("http://") and not re.match(r"http://(?:localhost|127\.)", url):
            yield Finding(f"servers[{number}].url", f"{url} is not encrypted")
