"""Where the operations of a document take idempotency keys.

A document may declare a parameter or a member at a place (`declares`), and say of it that it is an
idempotency key (`says_key`, `documented_key`): a name alone says little.
"""

from collections import Counter
from collections.abc import Sequence

from victor_ext._runtime.loop.evidence import SAFE_METHODS, Declared
from victor_ext._runtime.loop.idempotency_keys import PLACES, HeaderKey, KeyPlace, NoKeys
from victor_ext._runtime.loop.operations import declares_at, is_at
from victor_ext.errors import ConfigurationError

_READ_OF_OPERATIONS = (
    "keys",
    "result_id",
    "result_status",
    "results",
    "result_members",
    "errors",
    "parse",
)
"""What is read of each operation of a package, and what one of an older generator may lack."""


def require_current(document: Sequence[Declared]) -> None:
    """Raise `ConfigurationError` for the operations of a package of an older generator."""
    for declared in document:
        if not all(hasattr(declared, name) for name in _READ_OF_OPERATIONS):
            raise ConfigurationError(
                "The package was made by an older victor-spec: generate it again."
            )


def documented_key(declared: Declared) -> KeyPlace | None:
    """The first place where the document says that an operation takes a key; None: it says it of no
    place.
    """
    for key in declared.keys:
        if key.is_key:
            return _place(key.place, key.name)
    return None


def says_key(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether the document says of some operation that what is at this place is a key."""
    for declared in document:
        if any(key.is_key and is_at(place, key) for key in declared.keys):
            return True
    return False


def key_place(document: Sequence[Declared], name: str | None) -> KeyPlace:
    """Where the writes of a document take the key: a header, a parameter of the query, a cookie, or
    a member that it declares for their bodies.

    Args:
        document: The operations.
        name: The name of the key. None: the place is that of which the document says for most
            writes that it is a key; a header comes before other places.

    Raises:
        ConfigurationError: They are those of a package of an older generator.
    """
    require_current(document)
    writes = [declared for declared in document if declared.method not in SAFE_METHODS]
    if name is None:
        return _most_common_key(writes)
    for kind in PLACES:
        place = _place(kind, name)
        if declares(writes, place):
            return place
    return HeaderKey(name)


def _most_common_key(writes: Sequence[Declared]) -> KeyPlace:
    """The place of which the document says for most writes that it is a key; of several kinds of
    places, the first in `PLACES`.
    """
    counts = Counter[tuple[str, str]]()
    for declared in writes:
        counts.update((key.place, key.name) for key in declared.keys if key.is_key)
    most_common_first = [place for place, _ in counts.most_common()]
    for wanted_kind in PLACES:
        for kind, name in most_common_first:
            if kind == wanted_kind:
                return _place(kind, name)
    return NoKeys()


def _place(kind: str, name: str) -> KeyPlace:
    place: KeyPlace = PLACES[kind](name)
    return place


def declared_place(document: Sequence[Declared], place: KeyPlace) -> KeyPlace:
    """Where the writes of a document take the key of a caller who names `place`.

    It is `place`, if the document says that a key is there; or else the place of which the document
    says so. Where the document says it of none, it is `place`, if some operation declares something
    there; or else `NoKeys`.
    """
    if says_key(document, place):
        return place
    documented = key_place(document, None)
    if isinstance(documented, NoKeys) and declares(document, place):
        return place
    return documented


def declares(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether some operation declares what is at this place, key or not."""
    return any(declares_at(each, place) for each in document)
