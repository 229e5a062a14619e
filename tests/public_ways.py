"""A plugin of pytest that closes every shortcut past a public way of httpx or h11, as a new release
may close it.

python -m pytest -p tests.public_ways tests/journeys
"""

import re

from victor_ext.runtime.client import transport
from victor_ext.runtime.http import httpx_internals, parser

NOTHING = re.compile("(?!)")

vars(httpx_internals)["_AS_IT_IS"] = NOTHING  # httpx reads each URL
vars(transport)["_is_plain"] = lambda *_: False  # httpx's client sends each request
vars(parser)["_usual_method"] = NOTHING  # h11 writes each request
vars(parser)["_usual_head"] = re.compile(b"(?!)")  # and reads each response
