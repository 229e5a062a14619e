"""Where a good response has the id of what was made or read, and its state: where only one place
can be it.
"""

from victor_spec.requests import Result
from victor_spec.tree import Operation, Tree, is_json, mapping_at, operations, resolve

from .base import Log
from .keys import words_of
from .serialization import is_object, members_of, types_in

_Path = tuple[str, ...]

_WRAPPERS = frozenset(
    {"data", "result", "results", "response", "payload", "body", "item", "object", "resource"}
)
"""The names of members that hold what was made, whatever it is."""
_WORK = frozenset(
    {"transaction", "payment", "order", "transfer", "payout", "charge", "resource", "object"}
)
"""What the id of what was made may be called after, whatever the path calls it."""
_IDS = frozenset(
    {"id", "identifier", "reference", "ref", "token", "uuid", "guid", "number", "code"}
)
_UNIQUE_IDS = _IDS - {"number", "code"}
"""Those that name something by themselves."""
_STATES = ("status", "state")


def record_results(document: Tree, log: Log) -> None:
    """Record where the responses of each operation have an id and a state."""
    every = operations(document)
    reads = {each.path for each in every if each.method == "get"}
    for operation in every:
        result = _Responses(document, operation, reads).result()
        if result != Result():
            log.requests.request(operation.tree).result = result
            places = " and ".join(filter(None, result))
            log("record-results", f"{operation.where}: {places}")


class _Responses:
    """The good responses of an operation."""

    def __init__(self, document: Tree, operation: Operation, reads: set[str]) -> None:
        self._document = document
        self._words = _resource_words(operation.path)
        self._placeholder = _placeholder_of_read(operation, reads)
        self._in_path = {_joined(words_of(name)) for name in _placeholders(operation.path)}
        self._sent: set[str] = set()
        """The names of the members that a request has."""
        body = resolve(document, mapping_at(operation.tree, "requestBody"))
        for schema in _schemas(mapping_at(body, "content")):
            self._sent |= {path[-1] for path in self._members(schema)}
        self._top: dict[_Path, Tree] = {}
        """The members of the responses themselves."""
        for content in _good_contents(document, operation):
            for schema in _schemas(content):
                self._top = self._members(schema) | self._top
        self._wrapper = self._only_wrapper()
        self._known = {**self._top}
        """These, and those of the wrapper and of its `attributes`."""
        for above in (self._wrapper, (*self._wrapper, "attributes")):
            inner = self._members(self._known[above]) if above in self._known else {}
            for path, member in inner.items():
                self._known[*above, *path] = member

    def _members(self, schema: Tree) -> dict[_Path, Tree]:
        """The direct members of an object, by their path of one step."""
        return dict(members_of(self._document, schema, 1))

    def result(self) -> Result:
        """The places of the id and of the state; an empty text for one that is not told."""
        id = self._id()
        status = self._status(id[:-1] if id else self._wrapper)
        return Result(".".join(id), ".".join(status))

    def _id(self) -> _Path:
        """The place of the id; empty where the document does not tell it."""
        # First the member by which the path of a read names what was made.
        read_by = [path for path in self._scalars() if self._is_read_by(path[-1])]
        for above in ((), self._wrapper):
            own = [path for path in read_by if path[:-1] == above]
            if len(own) == 1:
                return own[0]
        # Then `id`: of the response itself, or in its wrapper if no other id is beside that.
        if ("id",) in self._top:
            return ("id",)
        wrapped = (*self._wrapper, "id")
        if self._wrapper and wrapped in self._known and not self._ids_beside(()):
            return wrapped
        # At last a name such as `paymentReference`, where it is the only one.
        for above in ((), self._wrapper):
            beside = self._ids_beside(above)
            if beside:
                return beside[0] if len(beside) == 1 else ()
        return ()

    def _is_read_by(self, name: str) -> bool:
        """Whether what was made is read by the member of this name, by the path of that read:
        `reference` for `/payments/{reference}`, and `token` for `/cards/{card_token}`.
        """
        placeholder = words_of(self._placeholder)
        words = words_of(name)
        # Any `id` is called so; a name of marks alone has no word.
        if not words or placeholder in ([], ["id"]):
            return False
        if placeholder == words:
            return True
        if words == ["id"] or words[-1] not in _IDS:
            return False
        resource, rest = placeholder[: -len(words)], placeholder[-len(words) :]
        return rest == words and _joined(resource) in self._words

    def _ids_beside(self, above: _Path) -> list[_Path]:
        """The members that may be the id of what was made: not what was sent, nor what the path
        names.
        """
        paths = [path for path in self._scalars() if path[:-1] == above]
        return [path for path in paths if self._may_be_id(path[-1])]

    def _may_be_id(self, name: str) -> bool:
        """Whether a name can be that of the id of what was made."""
        words = words_of(name)
        if name in self._sent or _joined(words) in self._in_path:
            return False
        # A name of marks alone has no word.
        if not words or words[-1] not in _UNIQUE_IDS:
            return False
        before = words[:-1]
        return all(word in _WORK or word in self._words for word in before)

    def _scalars(self) -> list[_Path]:
        """The places of members that may be ids: texts and integers."""
        return self._without({"object", "array", "boolean", "number"})

    def _texts(self) -> list[_Path]:
        """The places of members that may be states."""
        return self._without({"object", "array", "boolean", "number", "integer"})

    def _without(self, unwanted: set[str]) -> list[_Path]:
        """The places of members that have none of these types."""
        return [
            path
            for path, member in self._known.items()
            if not types_in(self._document, member) & unwanted
        ]

    def _only_wrapper(self) -> _Path:
        """The one member that holds what was made; empty without one."""
        objects = [path for path, member in self._top.items() if is_object(self._document, member)]
        wrappers = [path for path in objects if self._wraps(path[-1])]
        return wrappers[0] if len(wrappers) == 1 else ()

    def _wraps(self, name: str) -> bool:
        """Whether a name is that of a member that holds what was made."""
        joined = _joined(words_of(name))
        return joined in _WRAPPERS or joined in self._words

    def _status(self, above: _Path) -> _Path:
        """The place of the state beside the id, or in the `attributes` there."""
        for place in (above, (*above, "attributes")):
            paths = [path for path in self._texts() if path[:-1] == place]
            for is_state in (_is_status, _is_plain_state, self._is_state):
                found = [path for path in paths if is_state(words_of(path[-1]))]
                if len(found) == 1:
                    return found[0]
        return ()

    def _is_state(self, words: list[str]) -> bool:
        """Whether a member is the state of the whole: `transactionStatus`, and no `pinStatus`."""
        if not words or words[-1] not in _STATES:
            return False
        own = _WORK | self._words | {"current"}
        return all(word in own for word in words[:-1])


def _is_status(words: list[str]) -> bool:
    """Whether these are the words of the name `status`."""
    return words == ["status"]


def _is_plain_state(words: list[str]) -> bool:
    """Whether these are the words of the name `state`."""
    return words == ["state"]


def _good_contents(document: Tree, operation: Operation) -> list[Tree]:
    """The contents of the responses to a call that succeeds; of the default where none is named."""
    responses = mapping_at(operation.tree, "responses")
    good = [each for status, each in responses.items() if str(status).startswith("2")]
    if not good and "default" in responses:
        good = [responses["default"]]
    return [mapping_at(resolve(document, response), "content") for response in good]


def _schemas(content: Tree) -> list[Tree]:
    """The schemas of what is JSON in a `content`."""
    return [mapping_at(medium, "schema") for kind, medium in content.items() if is_json(str(kind))]


def _placeholders(path: str) -> list[str]:
    """The names of the parameters in a path."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{") and part.endswith("}")]


def _placeholder_of_read(operation: Operation, reads: set[str]) -> str:
    """The parameter of the read of what a write makes, or of the path itself; empty without one."""
    below = [path for path in reads if _is_item(path) and _above(path) == operation.path]
    path = below[0] if len(below) == 1 else operation.path
    names = _placeholders(path)
    return names[-1] if names and _is_item(path) else ""


def _is_item(path: str) -> bool:
    """Whether a path ends with a parameter: the path of one thing."""
    return path.endswith("}")


def _above(path: str) -> str:
    """A path without its last segment."""
    return path.rpartition("/")[0]


def _resource_words(path: str) -> set[str]:
    """What a path calls the things in it, in the singular: `payment` and `domesticpayment` for
    `/domestic-payments`.
    """
    literal = [part for part in path.split("/") if part and not part.startswith("{")]
    names = [words_of(part) for part in literal[-1:]]
    singular = [[*words[:-1], _singular(words[-1])] for words in names if words]
    return {word for words in singular for word in (*words, _joined(words))}


def _singular(word: str) -> str:
    """An English word in the singular, by its ending."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word.removesuffix("s")


def _joined(words: list[str]) -> str:
    """Words as one, to compare `request-id` with `requestId`."""
    return "".join(words)
