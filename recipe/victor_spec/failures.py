"""What openapi-python-client cannot generate: a named schema becomes plain JSON, and anything else
is left out as a whole.
"""

import re
from collections.abc import Iterable

from openapi_python_client.parser.errors import GeneratorError

from .rewrites import Log
from .rewrites.base import drop
from .tree import Tree, named_schemas

_SCHEMA = re.compile(r"/components/schemas/([^:\s]+)")
_OPERATION = re.compile(r"parsing (\S+ \S+) within")
_MISSING = "Could not find reference"
"""In the words of a failure that another one causes."""


def lose(error: GeneratorError, log: Log) -> None:
    """Note what the package lacks for an error, with the words of openapi-python-client."""
    words = " ".join(f"{error.header} {error.detail or ''}".split())
    match = _OPERATION.search(error.header)
    where = match[1] if match else "The document"
    log.lose(f"{where}: the generator cannot express it: call it by a request of your own", words)


def mend(tree: Tree, errors: Iterable[GeneratorError], log: Log) -> bool:
    """Replace the named schemas that fail by "anything", and note them; whether any was replaced.
    One that fails because of another one is left alone as long as there is another one.
    """
    named = named_schemas(tree)
    failed: dict[str, bool] = {}
    for error in errors:
        match = _SCHEMA.search(error.header)
        if match and named.get(match[1], {}).keys() - {"description"}:
            failed[match[1]] = _MISSING in f"{error.header} {error.detail}"
    for name in [each for each, follows in failed.items() if not follows] or [*failed][:1]:
        drop(named[name], *(named[name].keys() - {"description"}))
        log.note(name, "the generator cannot express its type")
    return bool(failed)
