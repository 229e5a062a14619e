"""JSON is refused for its depth where a plain count of its levels says so, whatever its texts hold,
and soon.
"""

import json
import os
import sys
import time
from contextlib import suppress
from functools import cache
from random import Random

import pytest

from tests.frames import found_in
from tests.tiers import borders
from victor_ext._privacy import SecretBuffer, SecretBytes
from victor_ext._runtime.core import json_values
from victor_ext._runtime.core.json_values import TooDeepError, parsed, readable_members

COUNT = 30_000 if "VICTOR_SEARCH" in os.environ else 600
IN_TEXTS = (
    *("[", "]", "{", "}", "[[[[", "]]]]", "{}", "[]", "}{", "][", ",", ":", "a", "1", " "),
    *(r"\"", r"\\", r"\\\"", r"\"[", r"\\]", r"\\\\", r"\n", r"\/", r"\u005b", r"\u0022"),
    *(r"\u005c", r"\ud83d\ude00", r"\ud83d", "\u00fc", "\u5b5d", "\u7b7d", "\U0001f600", "\u2028"),
)
"""Pieces of texts as JSON has them, which look like levels or like the ends of texts."""
SCALARS = ("0", "-1.5e3", "1e400", "true", "null", '""', '"a"')
CODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")


def levels_of(text):
    """The most levels that are open anywhere in JSON, by one character after another."""
    most = level = 0
    is_text = is_escaped = False
    for character in text:
        if is_text:
            if is_escaped:
                is_escaped = False
            elif character == "\\":
                is_escaped = True
            elif character == '"':
                is_text = False
        elif character == '"':
            is_text = True
        elif character in "[{":
            level += 1
            most = max(most, level)
        elif character in "]}":
            level -= 1
    return most


def some_text(dice):
    return '"' + "".join(dice.choices(IN_TEXTS, k=dice.choice((0, 1, 2, 5)))) + '"'


def some_value(dice, levels):
    """JSON of at most this many levels."""
    kind = dice.random()
    if levels < 1 or kind < 0.3:
        return dice.choice(SCALARS)
    if kind < 0.7:
        return some_text(dice)
    values = [some_value(dice, levels - 1) for _ in range(dice.choice((0, 1, 1, 2)))]
    if kind < 0.85:
        return "[" + ", ".join(values) + "]"
    return "{" + ",".join(f"{some_text(dice)}: {value}" for value in values) + "}"


def nested(dice, levels):
    """JSON that has this many levels, with other values beside each."""
    value = "[]" if dice.random() < 0.5 else "{}"
    for _ in range(levels - 1):
        before = [some_value(dice, 3) for _ in range(dice.choice((0, 0, 0, 1)))]
        behind = [some_value(dice, 3) for _ in range(dice.choice((0, 0, 0, 1)))]
        space = dice.choice(("", "", " ", "\n"))
        values = [*before, value, *behind]
        if dice.random() < 0.5:
            value = "[" + space + ",".join(values) + space + "]"
        else:
            members = (f"{some_text(dice)}:{space}{item}" for item in values)
            value = "{" + space + ", ".join(members) + "}"
    return value


def is_refused_for_depth(content, **options):
    """Whether JSON, or what is no JSON, is nested too deeply."""
    try:
        parsed(content, **options)
    except TooDeepError:
        return True
    except ValueError:
        return False
    return False


def test_json_is_refused_where_a_plain_count_finds_more_than_a_hundred_levels():
    dice = Random(f"levels {os.environ.get('VICTOR_SEARCH', '')}")
    deep = 0
    for _ in range(COUNT):
        levels = dice.choice((1, 3, 11, *range(96, 106), 130))
        text = nested(dice, levels)
        json.loads(text)  # which says that it is JSON
        is_deep = levels_of(text) > 100
        encoded = text.encode(dice.choice(CODINGS), "surrogatepass")
        for content in (text, text.encode("utf-8"), encoded, SecretBuffer(encoded)):
            assert is_refused_for_depth(content) == is_deep, content
            assert is_refused_for_depth(content, is_secret=True) == is_deep, content
        deep += is_deep
    assert COUNT / 5 < deep < COUNT * 4 / 5


@pytest.mark.parametrize("siblings", [0, 1, 500])
@pytest.mark.parametrize("levels", [100, 101])
def test_levels_are_counted_exactly_beside_any_number_of_others(levels, siblings):
    tree = "[" * 12 + '{"]": "["}' + "]" * 12  # of 13 levels
    others = f"{tree}, " * siblings
    chain = '["}]", ' * (levels - 2) + "{}" + "]" * (levels - 2)
    text = f"[{others}{chain}]"
    assert levels_of(text) == levels
    assert is_refused_for_depth(text.encode()) == (levels > 100)


@pytest.mark.parametrize("levels", [100, 101])
def test_a_member_of_a_cut_object_is_read_to_a_hundred_levels(levels):
    deep = '["]",' * levels + "1" + "]" * levels
    members = readable_members(SecretBytes(f'{{"a": {deep}, "b": 1, "c'.encode()))
    assert members == ({"a": json.loads(deep), "b": 1} if levels == 100 else {"a": []})


MIB = 1024 * 1024
HOSTILE = {
    "lists": b"[" * 4 * MIB,
    "ends of lists": b"]" * 4 * MIB,
    "lists in lists in lists": b"[[],[[],[[]]]]" * (4 * MIB // 14),
    "lists of texts of brackets": b"[" + b'"[]]",["}{"],' * (4 * MIB // 13) + b"1]",
    "a text of brackets": b'["' + b"[]{}" * MIB + b'"]',
    "a text of escaped quotes": b'["' + rb"\"[" * (4 * MIB // 3) + b'"]',
    "a text of escaped backslashes": b'["' + rb"\\" * (2 * MIB) + b'"]',
    "empty texts": b"[" + b'"",' * (MIB + MIB // 3) + b'""]',
    "quotes": b'"' * 4 * MIB,
    "lists behind a text without end": b'["\\' + b'["' * (2 * MIB),
}


def seconds_of(content):
    """The least processor time of three times in which JSON is read, or refused."""
    times = []
    for _ in range(3):
        began = time.process_time()
        with suppress(ValueError):
            parsed(content)
        times.append(time.process_time() - began)
    return min(times)


@cache
def seconds_of_reading():
    """Those of plain JSON of four MiB."""
    plain = b"[" + b"0.25," * (4 * MIB // 5) + b"1]"
    return seconds_of(plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    "hostile",
    borders(HOSTILE, "lists in lists in lists", "a text of escaped quotes", "quotes"),
)
def test_four_mebibytes_are_refused_or_read_in_the_time_of_others(hostile):
    """A webhook is read before anybody knows who sent it."""
    content = HOSTILE[hostile]
    assert seconds_of(content) < 6 * seconds_of_reading()
    assert seconds_of(content.decode()) < 6 * seconds_of_reading()


def test_no_frame_that_looks_for_depth_shows_the_body():
    """Whatever a reporter of errors looks at, at each line."""
    secret = "8414087111"
    deep = '["\\"' + "]" + secret + '",' + "[" * 200
    shallow = '[{"a": "' + secret + ' \\\\ [ "}' + ", [[]]" * 200 + "]"
    seen = []

    def look(frame, _event, _argument):
        if frame.f_code.co_filename != json_values.__file__:
            return None
        seen.append(frame.f_code.co_name)
        shown = {name: repr(value) for name, value in frame.f_locals.items()}
        assert found_in(str(shown), [secret]) == [], frame.f_code.co_name
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        for text, is_deep in ((deep, True), (shallow, False)):
            for content in (SecretBytes(text.encode()), SecretBuffer(text.encode())):
                assert json_values._is_deep(content) == is_deep
    finally:
        sys.settrace(before)
    assert seen
