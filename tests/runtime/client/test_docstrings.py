"""A method documents its arguments; what it leaves out, the function that checks them says."""

import inspect

import pytest

from victor_ext.providers.velo import AsyncVelo, Velo
from victor_ext.providers.velo.payouts import Payouts
from victor_ext.runtime.client.resources import with_arguments_described

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
def test_what_a_method_leaves_out_comes_from_the_function_that_checks_it(
    own: str | None, expected: str | None
) -> None:
    assert with_arguments_described(own, SOURCE) == expected


@pytest.mark.parametrize(
    ("own", "described", "expected"),
    [
        ("Mine.", "A memo. Up to 140 characters.", "Mine. Up to 140 characters."),
        ("Mine.", "Up to 140 characters.", "Mine. Up to 140 characters."),
        ("Mine.", "In 2026. 2 to 9.", "Mine. 2 to 9."),
        (
            "Mine. None: not sent.",
            "A memo. Up to 140 characters.",
            "Mine. Up to 140 characters. None: not sent.",
        ),
        (
            "Mine. None: not sent.",
            "A memo (The server's default: 50). 1 to 90.",
            "Mine. 1 to 90. None: not sent. (The server's default: 50).",
        ),
        (
            "Mine. None: not sent.",
            "A memo. (The server's default: 50) 1 to 90.",
            "Mine. 1 to 90. None: not sent. (The server's default: 50)",
        ),
        (
            "Mine. None: not sent.",
            "A memo. 1 to 90. (The server's default: 1.5).",
            "Mine. 1 to 90. None: not sent. (The server's default: 1.5).",
        ),
        ("Mine. 1 to 90.", "A memo. 1 to 90.", "Mine. 1 to 90."),
        ("Mine.", "At least 3, or 5.", "Mine."),
        ("Mine.", "A memo of 140 characters.", "Mine."),
    ],
)
def test_what_a_method_describes_itself_gets_the_limits_of_the_function_that_checks_it(
    own: str, described: str, expected: str
) -> None:
    source = f"The payouts.\n\nArgs:\n    memo: {described}\n"
    merged = with_arguments_described(f"List.\n\nArgs:\n    memo: {own}\n\n{RAISES}", source)
    assert merged == f"List.\n\nArgs:\n    memo: {expected}\n\n{RAISES}"


def test_a_sentence_that_becomes_longer_is_wrapped() -> None:
    own = f"List.\n\nArgs:\n    memo: {'Mine, and longer, ' * 4}\n        and more.\n    sort: Up."
    source = "The payouts.\n\nArgs:\n    memo: A memo. Up to 140 characters.\n    since: When."
    merged = with_arguments_described(own, source) or ""
    assert max(map(len, merged.splitlines())) <= 100
    assert " ".join(merged.split()).endswith(
        "and more. Up to 140 characters. sort: Up. since: When."
    )


@pytest.mark.parametrize("client", [Velo, AsyncVelo])
def test_help_describes_each_argument_of_a_list(client: type[object]) -> None:
    awaited = client is AsyncVelo
    method = Payouts.list.function(awaited=awaited)
    text = inspect.getdoc(method) or ""
    for name in inspect.signature(method).parameters:
        if name != "self":
            assert f"{name}: " in text
