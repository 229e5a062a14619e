"""The fast decoder and that of Python read the same value of the same bytes, or refuse them."""

import os
from random import Random

from victor_ext._runtime.core.json_values import json_text, parsed

COUNT = 1_000_000 if "VICTOR_SEARCH" in os.environ else 20_000
BODIES = (
    b'{"page": 0, "results": [{"id": "RFP-1", "amount": "44.23", "fee": 1.10, "ok": true}]}',
    b'{"id": 12345678901234567890123, "at": 1795694370000, "note": "M\xc3\xa4rz", "x": null}',
    b"[0.1, -0, 1E-400, 1e400, 5e-324, 0.12345678901234567890, 18446744073709551616]",
    b'{"a": {"b": {"c": [[], {}, [{"d": "\\u00fc\\n\\"\\\\\\/"}]]}}}',
)
PIECES = (
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b" ",
        b"\n",
        b"\t",
        b"\x00",
        b"\x0b",
        b"\x7f",
    ),
    *(b"-", b"+", b".", b"e", b"E", b"0", b"1", b"9" * 20, b"9" * 400, b"1e999999", b"0x1", b"1_0"),
    *(b"NaN", b"Infinity", b"-Infinity", b"null", b"true", b"nul", b"None", b"//", b"/**/", b"'"),
    *(b"\\u0000", b"\\ud83d", b"\\ude00", b"\\ud83d\\ude00", b"\\uFFFF", b"\\u12", b"\\x41"),
    *(
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\x80",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
    ),
    *(b'"id": 1, ', b'"id": "2", ', b"[" * 40, b"]" * 40, b'{"a":' * 30, b"}" * 30),
)
CODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1")


def odd_body(dice):
    """A body of a provider with a few bytes that are not as they should be."""
    content = dice.choice(BODIES)
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(content) + 1)
        gone = dice.choice((0, 0, 1, 1, 2, 8))
        content = content[:at] + dice.choice(PIECES) + content[at + gone :]
    kind = dice.random()
    if kind < 0.05:
        return content[: dice.randrange(len(content) + 1)]
    if kind < 0.15:
        return content.decode("utf-8", "replace").encode(dice.choice(CODINGS), "replace")
    return content + content if kind < 0.17 else content


def shape(value):
    """A value with the types of all that is in it, and the order of its members."""
    if isinstance(value, dict):
        return [(name, shape(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__, repr(value)


def no_constant(word):
    raise AssertionError(f"{word} was written")


def test_a_json_value_is_written_with_the_digits_that_were_read():
    dice = Random(f"written {os.environ.get('VICTOR_SEARCH', '')}")
    written = 0
    for _ in range(COUNT // 5):
        content = odd_body(dice)
        try:
            value = parsed(content)
        except ValueError:
            continue
        again = parsed(json_text(value).encode(), parse_constant=no_constant)
        assert shape(again) == shape(value), content
        written += 1
    assert written > COUNT / 50
