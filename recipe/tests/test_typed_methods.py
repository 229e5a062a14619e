"""The methods that are written as they are called, and their docstrings."""

import ast

import pytest

from victor_spec.typed.docstrings import docstring_of
from victor_spec.typed.plans import Argument
from victor_spec.typed.settings import MethodSettings

from . import test_typed_bodies
from .test_typed_bodies import DOCUMENT
from .wire import made_with_settings

pytestmark = pytest.mark.pull_request
METHODS = """
methods:
  takeOrder:
    name: Orders.take
    result: Receipt
    accounts: [your_reference]
    secrets: [key]
    text: |
      Take an order.

      It is sent once.
    arguments: {note: "For the shop. None: none."}
    returns: The receipt
    raises: {Conflict: It was taken before}
    examples: |
      >>> shop.orders.take("s-1")
"""
BODIES = test_typed_bodies.SETTINGS.partition("methods:")[0]
SETTINGS = BODIES + METHODS
DOCSTRING = """\
Take an order.

It is sent once.

Args:
    shop_id: Whose.
    kind: What it is.
    total: What it costs.
    currency: `currency`.
    your_reference: 2 to 30 characters.
    note: For the shop. Up to 80 characters. None: none.
    lines: 1 to 9.
    wrapped: `wrapped`.
    key: `key`.

Returns:
    The receipt.

Raises:
    Conflict: It was taken before.

Examples:
    >>> shop.orders.take("s-1")"""


def classes_in(result):
    """The classes of the module of methods, by their names."""
    source = (result.package / "typed" / "methods.py").read_text("utf-8")
    return {each.name: each for each in ast.parse(source).body if isinstance(each, ast.ClassDef)}


@pytest.fixture
def written(tmp_path):
    return made_with_settings(tmp_path, DOCUMENT, SETTINGS)


def test_a_method_is_written_blocking_and_awaited_with_one_signature_and_docstring(written):
    classes = classes_in(written)
    assert [*classes] == ["Orders", "AsyncOrders"]
    (blocking,), (awaited,) = (each.body for each in classes.values())
    assert isinstance(blocking, ast.FunctionDef)
    assert isinstance(awaited, ast.AsyncFunctionDef)
    assert ast.unparse(blocking.args) == ast.unparse(awaited.args)
    assert ast.get_docstring(blocking) == ast.get_docstring(awaited) == DOCSTRING


SEVERAL = """
classes: [Parcel]
methods:
  order:
    operation: takeOrder
    name: Orders.order
    leave_out: [note]
    optional: [kind]
    result: Receipt
  waitForOrder:
    name: Orders.wait
    takes: {order: "str | Parcel", until: str | None, timeout: float = 300.0}
    positional: [order]
    result: Receipt
    text: |
      Wait.

          for each in orders: print(each)
    arguments: {until: A word}
  watchOrder:
    name: Orders.watch
    takes: {order: str}
    positional: [order]
    yields: true
    result: Receipt
    text: Watch.
"""
"""Two methods of one operation, and methods that are several calls."""


@pytest.fixture
def several(tmp_path):
    takes = METHODS.replace("methods:\n", "")
    result = made_with_settings(tmp_path, DOCUMENT, BODIES + SEVERAL + takes.lstrip("\n"))
    return {name: ast.unparse(kind) for name, kind in classes_in(result).items()}


def test_two_methods_of_one_operation_have_each_their_own_arguments(several):
    blocking = several["Orders"]
    order, take = blocking.partition("def order(")[2], blocking.partition("def take(")[2]
    signatures = [each.partition(" -> ")[0] for each in (order, take)]
    assert ["note: str | None" in each for each in signatures] == [False, True]
    assert ["kind: Kind | None=None" in each for each in signatures] == [True, False]
    assert "self._order(request)" in order


@pytest.mark.parametrize(
    ("words", "limits", "default", "said"),
    [
        ("Mine", "Up to 140 characters.", "", "Mine. Up to 140 characters."),
        ("Mine. None: not sent.", "1 to 9.", "", "Mine. 1 to 9. None: not sent."),
        (
            "Mine. None: not sent.",
            "1 to 90.",
            "50",
            "Mine. 1 to 90. None: not sent. (The server's default: 50).",
        ),
        ("Mine. 1 to 90.", "1 to 90.", "", "Mine. 1 to 90."),
        ("None: not sent.", "", "50", "None: not sent. (The server's default: 50)."),
    ],
)
def test_the_limits_stand_before_what_none_means_and_a_default_comes_last(
    words, limits, default, said
):
    argument = Argument(
        "memo", "memo", "str", "", is_required=False, limits=limits, server_default=default
    )
    own = MethodSettings(name="Lists.all", arguments={"memo": words})
    assert docstring_of(own, "List.", [argument], 92) == f"List.\n\nArgs:\n    memo: {said}"
