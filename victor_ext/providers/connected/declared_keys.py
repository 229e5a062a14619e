"""Where the operations of a document take idempotency keys."""

from collections import Counter
from collections.abc import Sequence

from victor_ext.runtime.loop.evidence import SAFE_METHODS, Declared
from victor_ext.runtime.loop.idempotency_keys import PLACES, HeaderKey, KeyPlace, NoKey
from victor_ext.runtime.loop.operations import declares_key, is_at


def said_key(declared: Declared) -> KeyPlace | None:
    """The first place of which the document says that the operation takes a key there."""
    return next((_place(key.place, key.name) for key in declared.keys if key.is_key), None)


def says_key(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether the document says of some operation that this is a key."""
    return any(key.is_key and is_at(place, key) for each in document for key in each.keys)


def key_place(document: Sequence[Declared], name: str | None) -> KeyPlace:
    """Where the writes of a document take the key: a header, a parameter of the query, a cookie, or
    a member that it declares for their bodies.

    Args:
        document: The operations.
        name: The name. None: the place that the document says is one for most writes; headers are
            before others.
    """
    writes = [declared for declared in document if declared.method not in SAFE_METHODS]
    if name is None:
        return _most_common_key(writes)
    for kind in PLACES:
        place = _place(kind, name)
        if declares(writes, place):
            return place
    return HeaderKey(name)


def _most_common_key(writes: Sequence[Declared]) -> KeyPlace:
    counts = Counter[tuple[str, str]]()
    for declared in writes:
        counts.update((key.place, key.name) for key in declared.keys if key.is_key)
    most_first = [place for place, _ in counts.most_common()]
    for wanted in PLACES:
        for kind, name in most_first:
            if kind == wanted:
                return _place(kind, name)
    return NoKey()


def _place(kind: str, name: str) -> KeyPlace:
    place: KeyPlace = PLACES[kind](name)
    return place


def declared_place(document: Sequence[Declared], place: KeyPlace) -> KeyPlace:
    """The key that writes have: this one, if the document says that it is one; else the one of
    which it says so; else this one, if it is declared.
    """
    said = key_place(document, None)
    if says_key(document, place) or (isinstance(said, NoKey) and declares(document, place)):
        return place
    return said


def declares(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether some operation declares what is at this place, key or not."""
    return any(declares_key(each, place) for each in document)
