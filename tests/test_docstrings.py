"""A method documents its arguments; what it leaves out, the function that checks them says."""

import importlib
import inspect
import re

import pytest

from victor_ext.docstrings import limits_of, with_arguments_described
from victor_ext.providers.velo import AsyncVelo, Velo
from victor_ext.providers.velo.payouts import Payouts

SOURCE = """The payouts.

Args:
    memo: A part of the memo.
    sort: Fields and directions,
        such as `a:asc`.
"""


BOTH = """Args:
    memo: A part of the memo.
    sort: Fields and directions,
        such as `a:asc`."""
RAISES = "Raises:\n    NotFound: None."
OWN_MEMO = "List.\n\nArgs:\n    memo: Mine.\n\nExamples:\n    >>> 1"
BOTH_WITH_OWN_MEMO = BOTH.replace("A part of the memo.", "Mine.")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("List.", f"List.\n\n{BOTH}"),
        (f"List.\n\n{RAISES}", f"List.\n\n{BOTH}\n\n{RAISES}"),
        (OWN_MEMO, f"List.\n\n{BOTH_WITH_OWN_MEMO}\n\nExamples:\n    >>> 1"),
        (f"List.\n\n{BOTH}", f"List.\n\n{BOTH}"),
        (None, None),
    ],
)
def test_an_argument_that_a_docstring_leaves_out_is_described_by_the_checking_function(
    own, expected
):
    assert with_arguments_described(own, SOURCE, {}) == expected


DEFAULT = "(The server's default: 50)."


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("Mine.", ["Up to 140 characters."], "Mine. Up to 140 characters."),
        ("Mine. None: not sent.", ["1 to 9."], "Mine. 1 to 9. None: not sent."),
        (
            "Mine. None: not sent.",
            ["1 to 90.", DEFAULT],
            f"Mine. 1 to 90. None: not sent. {DEFAULT}",
        ),
        ("Mine. 1 to 90.", ["1 to 90."], "Mine. 1 to 90."),
    ],
)
def test_the_limits_are_added_to_an_argument_that_the_docstring_describes(own, limits, expected):
    source = "The payouts.\n\nArgs:\n    memo: A memo.\n"
    text = f"List.\n\nArgs:\n    memo: {own}\n\n{RAISES}"
    merged = with_arguments_described(text, source, {"memo": limits})
    assert merged == f"List.\n\nArgs:\n    memo: {expected}\n\n{RAISES}"


def described_in(function):
    """What the docstring of a function says of its arguments."""
    _, _, arguments = (inspect.getdoc(function) or "").partition("Args:\n")
    joined = re.sub(r"\n {8}", " ", arguments)
    return dict(re.findall(r"^ +(\w+): (.*)$", joined, re.MULTILINE))


@pytest.mark.parametrize("system", ["victor", "velo", "flexfactor"])
def test_the_docstring_of_a_generated_function_says_the_limits_of_its_rows(system):
    module = importlib.import_module(f"{system}_api.typed.arguments")
    for name, call in module._rows.CALLS.items():
        described = described_in(getattr(module, name))
        limits = limits_of(f"{system}_api.typed.arguments.{name}")
        for argument in call.get("body", ()):
            said = re.search(r"(?:Up to \d+|\d+ to \d+)(?: characters)?\.$", described[argument])
            own = [each for each in limits.get(argument, ()) if "default" not in each]
            assert own == ([] if said is None else [said[0]])
        for argument, sentences in limits.items():
            assert all(sentence in described[argument] for sentence in sentences)


def test_a_sentence_that_becomes_longer_is_wrapped():
    own = f"List.\n\nArgs:\n    memo: {'Mine, and longer, ' * 4}\n        and more.\n    sort: Up."
    source = "The payouts.\n\nArgs:\n    memo: A memo.\n    since: When."
    merged = with_arguments_described(own, source, {"memo": ["Up to 140 characters."]}) or ""
    assert max(map(len, merged.splitlines())) <= 100
    assert " ".join(merged.split()).endswith(
        "and more. Up to 140 characters. sort: Up. since: When."
    )


@pytest.mark.parametrize("client", [Velo, AsyncVelo])
def test_help_describes_each_argument_of_a_list(client):
    awaited = client is AsyncVelo
    method = Payouts.list.function(awaited=awaited)
    text = inspect.getdoc(method) or ""
    for name in inspect.signature(method).parameters:
        if name != "self":
            assert f"{name}: " in text
