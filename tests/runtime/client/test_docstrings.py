"""A method documents its arguments; what it leaves out, the function that checks them says."""

import inspect

import pytest

from victor_ext.providers.velo import AsyncVelo, Velo
from victor_ext.providers.velo.payouts import Payouts
from victor_ext.runtime.client.docstrings import with_arguments_described

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


@pytest.mark.parametrize("client", [Velo, AsyncVelo])
def test_help_describes_each_argument_of_a_list(client: type[object]) -> None:
    awaited = client is AsyncVelo
    method = Payouts.list.function(awaited=awaited)
    text = inspect.getdoc(method) or ""
    for name in inspect.signature(method).parameters:
        if name != "self":
            assert f"{name}: " in text
