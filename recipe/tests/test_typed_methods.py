"""The methods that are written as they are called, and their docstrings."""

import ast
import inspect

import pytest

from victor_spec.typed.docstrings import docstring_of
from victor_spec.typed.plans import Argument
from victor_spec.typed.settings import MethodSettings

from . import test_typed_bodies
from .test_typed_bodies import DOCUMENT
from .wire import made_with_settings, source_of

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
SETTINGS = test_typed_bodies.SETTINGS + METHODS
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
    tags: `tags`.
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


def test_a_method_names_each_argument_once_and_hands_the_request_to_its_flow(written):
    source = source_of(written, "methods")
    assert "class Orders(_typed.BlockingMethods, Generic[Receipt]):" in source
    assert (
        "your_reference = _typed.concealed_number(your_reference) "
        "key = _typed.concealed(key) "
        "request = PACKAGE.request( _take_order, shop_id=shop_id, kind=kind, total=total, "
        "currency=currency, "
    ) in source
    assert "return self._shared.runner.run(self._take(request))" in source
    assert "return await self._shared.runner.run(self._take(request))" in source


def test_a_method_stands_in_place_of_the_function_that_checks_its_arguments(written):
    source = source_of(written, "arguments")
    assert "def take_order" not in source
    assert 'TAKE_ORDER = PACKAGE.compared("take_order")' in source


def test_the_settings_may_describe_a_function_that_has_no_method(tmp_path):
    settings = SETTINGS.replace("    name: Orders.take\n", "").replace("    result: Receipt\n", "")
    result = made_with_settings(tmp_path, DOCUMENT, settings)
    source = (result.package / "typed" / "arguments.py").read_text("utf-8")
    (function,) = (each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef))
    assert ast.get_docstring(function) == DOCSTRING


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
    takes = METHODS.replace("methods:\n", "").replace("takeOrder:", "takeOrder:", 1)
    result = made_with_settings(
        tmp_path, DOCUMENT, test_typed_bodies.SETTINGS + SEVERAL + takes.lstrip("\n")
    )
    return {name: ast.unparse(kind) for name, kind in classes_in(result).items()}


def test_two_methods_of_one_operation_have_each_their_own_arguments(several):
    blocking = several["Orders"]
    order, take = blocking.partition("def order(")[2], blocking.partition("def take(")[2]
    signatures = [each.partition(" -> ")[0] for each in (order, take)]
    assert ["note: str | None" in each for each in signatures] == [False, True]
    assert ["kind: Kind | None=None" in each for each in signatures] == [True, False]
    assert "self._order(request)" in order


def test_a_method_of_several_calls_hands_its_arguments_to_the_flow(several):
    wait = "def wait(self, order: str | Parcel, *, until: str | None=None, timeout: float=300.0)"
    assert f"{wait} -> Receipt:" in several["Orders"]
    assert f"async {wait} -> Receipt:" in several["AsyncOrders"]
    assert "flow = self._wait(order, until=until, timeout=timeout)" in several["Orders"]
    assert "Generic[Receipt, Parcel]" in several["Orders"]
    written = "Wait.\\n\\n            for each in orders: print(each)\\n\\n        Args:"
    assert written in several["Orders"].replace("\n", "\\n")
    assert "until: A word." in several["Orders"]


def test_a_method_may_yield_results(several):
    for prefix in ("", "Async"):
        kind = several[f"{prefix}Orders"]
        assert f"    def watch(self, order: str) -> {prefix}Iterator[Receipt]:" in kind
        assert "results = self._watch(order)" in kind
        assert "return self._results(results)" in kind


FORM = DOCUMENT.replace("application/json", "application/x-www-form-urlencoded")


def test_the_members_of_a_form_are_arguments(tmp_path):
    assert FORM != DOCUMENT
    source = source_of(made_with_settings(tmp_path, FORM, SETTINGS), "methods")
    assert "your_reference: str" in source


DEFAULT = {"server_default": "50"}


@pytest.mark.parametrize(
    ("words", "row", "said"),
    [
        ("Mine", {"said_limits": "Up to 140 characters."}, "Mine. Up to 140 characters."),
        ("Mine. None: not sent.", {"said_limits": "1 to 9."}, "Mine. 1 to 9. None: not sent."),
        (
            "Mine. None: not sent.",
            {"said_limits": "1 to 90.", **DEFAULT},
            "Mine. 1 to 90. None: not sent. (The server's default: 50).",
        ),
        ("Mine. 1 to 90.", {"said_limits": "1 to 90."}, "Mine. 1 to 90."),
        ("None: not sent.", DEFAULT, "None: not sent. (The server's default: 50)."),
    ],
)
def test_the_limits_stand_before_what_none_means_and_a_default_comes_last(words, row, said):
    argument = Argument("memo", "memo", "str", "A memo.", is_required=False, row=row)
    own = MethodSettings(arguments={"memo": words})
    assert docstring_of(own, "List.", [argument], 92) == f"List.\n\nArgs:\n    memo: {said}"


def test_no_line_of_a_docstring_is_longer_than_the_file_allows():
    argument = Argument("memo", "memo", "str", "A long word, " * 40, is_required=False)
    text = docstring_of(MethodSettings(), "List, and list again, " * 20, [argument], 92)
    first, *others = text.splitlines()
    assert len(first) <= 89
    assert max(map(len, others)) <= 92
    assert inspect.cleandoc(text) == text
