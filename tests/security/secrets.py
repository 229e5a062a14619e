"""What must not be seen, in all the ways it may be written; and every place where a failure can be
looked at.
"""

import base64
import copy
import logging
import pickle
import pprint
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

import httpx
from rich.pretty import pretty_repr
from rich.traceback import Traceback

import victor_ext
from tests.frames import OURS, chain, locals_of, places

LOOKED_AT = (*OURS, str(Path(httpx.__file__).parent))
"""The HTTP library's frames hold what it was called with: the JSON of the request, and where it
connects.
"""
ACCOUNT = "071204958836"
SENTRY_DEPTH = 5


@dataclass
class Secrets:
    """Credentials of one test, the tokens that were made of them, and the account number of its
    payments.
    """

    private_key: str
    api_key: str = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
    client_id: str = "client-id-0c1f7e55"
    client_secret: str = (
        "client-secret-9d1c44ab/with+odd=characters"
        "&more-than-eighty-of-them-so-that-it-is-cut-short"
    )
    password: str = "password-5b77e1"
    tokens: list[str] = field(default_factory=list)

    @property
    def secrets(self):
        """By name; a key and a token are known by each of their parts."""
        lines = self.private_key.splitlines()[2:-2]
        parts = {f"line {number} of the key": line for number, line in enumerate(lines)}
        parts["the key without line breaks"] = "".join(lines)[50:120]
        for number, token in enumerate(self.tokens):
            for place, part in enumerate(token.partition(" ")[2].split(".")):
                if place or "." not in token:  # the head of a JWT is the same for everybody
                    parts[f"part {place} of token {number}"] = part
        named = {
            "the API key": self.api_key,
            "the client's secret": self.client_secret,
            "the password": self.password,
        }
        return {**named, **parts}

    def found(self, text, *, accounts=True):
        """The names of what can be seen in a text."""
        seen = [
            name
            for name, secret in self.secrets.items()
            if any(way in text for way in _ways(secret))
        ]
        if accounts and (ACCOUNT in text or ACCOUNT.lstrip("0") in text):
            seen.append("the account number")
        return seen

    def found_in_bytes(self, data, *, accounts=True):
        """The same of bytes, in whichever of the usual encodings."""
        return [
            name
            for encoding in ("latin-1", "utf-16-le")
            for shift in (data, data[1:])
            for name in self.found(shift.decode(encoding, "replace"), accounts=accounts)
        ]

    def check(self, places):
        for place, text in places:
            assert self.found(text) == [], f"{place}: {text[:3000]}"


@cache
def _ways(secret):
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        raw.hex(),
        base64.b64encode(raw).decode(),
        repr(secret)[1:-1],
    }


def of_error(error):
    """Where an error, and those that led to it, can be looked at."""
    yield from places(error, files=())
    for step in chain(error):
        if isinstance(step, victor_ext.VictorError):
            bare = copy.copy(step)
            # The provider's own words are for the caller, and are said to be so.
            bare.response = None
            yield "pickle", pickle.dumps(bare).decode("latin-1")
        yield from of_frames(step)


def of_frames(error, files=LOOKED_AT):
    """The locals of our frames, as three kinds of reporters show them."""
    shown = Traceback.extract(Exception, Exception(), error.__traceback__, show_locals=True)
    for frame in shown.stacks[0].frames:
        if frame.filename.startswith(files):
            for name, node in (frame.locals or {}).items():
                yield (
                    f"{name} in {frame.name}, by rich",
                    node.render(max_width=200, expand_all=True),
                )
    yield from ((f"{where}, by repr", text) for where, text in locals_of(error, files))
    yield from (
        (f"{where}, by Sentry", text) for where, text in locals_of(error, files, _as_sentry_does)
    )


def of_value(name, value):
    """Where a value that a user holds can be looked at, without asking it for its data."""
    yield f"{name}, by repr", repr(value)
    yield f"{name}, by str", str(value)
    yield f"{name}, by pprint", pprint.pformat(value)
    yield f"{name}, by rich", pretty_repr(value, max_string=80)
    yield f"{name}, by Sentry", _as_sentry_does(value)


def _as_sentry_does(value, depth=0):
    """Its serialiser goes into dicts, lists and tuples, and takes the repr of everything else."""
    if depth == SENTRY_DEPTH or not isinstance(value, Mapping | list | tuple | set | frozenset):
        return repr(value)
    names, inner = (value, value.values()) if isinstance(value, Mapping) else ((), value)
    return "\n".join([*map(str, names), *(_as_sentry_does(each, depth + 1) for each in inner)])


def of_logs(records):
    """Each line as it is written, and what is attached to it for those who do not write lines."""
    formatter = logging.Formatter()
    for record in records:
        yield f"the log {record.name}", formatter.format(record)
        yield f"the arguments of the log {record.name}", repr(record.args)
