"""The list of mistakes fits the code: the rules stand on their pages, and the tests are there.

`make mistakes` plants them.
"""

import ast
from copy import deepcopy
from functools import cache

import pytest

from tests.mistakes import ROOT, change_code, file_of, mistakes, scope_of

LIST = mistakes()


@cache
def _words(page):
    return " ".join((ROOT / page).read_text("utf-8").split())


@cache
def _tree(file):
    return ast.parse(file.read_text("utf-8"))


@cache
def _names(file):
    """The tests of a file, as pytest names them."""
    names = set[str]()
    for node in _tree(file).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [method for method in node.body if isinstance(method, ast.FunctionDef)]
            names.update(f"{node.name}::{method.name}" for method in methods)
    return frozenset(names)


@pytest.mark.parametrize("mistake", LIST, ids=lambda mistake: mistake.title)
def test_a_mistake_fits_the_code(mistake):
    if " ".join(mistake.rule.split()) not in _words(mistake.page):
        pytest.fail(
            f"tests/mistakes/{mistake.room}.yaml quotes {mistake.rule!r}, which {mistake.page} "
            "does not state: correct the rule."
        )
    for change in mistake.changes:
        scope = deepcopy(scope_of(_tree(file_of(change.where)), change.where))
        before = ast.dump(scope)
        change_code(scope, change)
        assert ast.dump(scope) != before
    assert mistake.tests
    for test in mistake.tests:
        path, _, name = test.partition("[")[0].partition("::")
        assert name in _names(ROOT / path), f"there is no {test}"


def test_each_mistake_has_a_title_of_its_own():
    assert len({mistake.title for mistake in LIST}) == len(LIST)
