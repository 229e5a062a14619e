"""A plugin of pytest that closes every shortcut past a public way of httpx or h11, as a new release
may close it.

python -m pytest -p tests.public_ways tests/journeys
"""

import re

from victor_ext._runtime.client import transport
from victor_ext._runtime.http import httpx_internals, parser

NOTHING = re.compile("(?!)")


def close(module, name, way):
    assert hasattr(module, name), f"{module.__name__} has no {name}: the shortcut has moved"
    setattr(module, name, way)


close(httpx_internals, "_AS_IT_IS", NOTHING)  # httpx reads each URL
close(transport, "_is_plain", lambda *_: False)  # httpx's client sends each request
close(parser, "_usual_method", NOTHING)  # h11 writes each request
close(parser, "_usual_head", re.compile(b"(?!)"))  # and reads each response
