"""Mistakes made on purpose: each breaks a rule that a page states, and names tests that notice.

They stand in the files beside this one. `make mistakes` plants each in a copy of the tree and
runs its tests. Code is found as a syntax tree, so that another format of it changes nothing.

A mistake has:

- `rule` and `page`: the sentence that it breaks, word for word, and where that stands: a page, or a
  module with docstrings;
- `where`, `right` and `wrong`: the function or class (`module:Class.method`) that has the code
  once, the code, and what replaces it; if one place is not enough, `changes` with several of these;
- `tests`: those that must go red; the more telling ones first;
- `name`: what is wrong, if the rule does not say it;
- `history`: in place of tests, the kind and number of a history that shows it (`tests/histories`).
"""

import ast
from pathlib import Path
from typing import Any, NamedTuple

from tests.cases import cases_beside

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.stem for path in Path(__file__).parent.glob("*.yaml"))
IMPORTED_FROM = ("", "recipe", "generated")
"""The folders that modules are imported from."""
OF_HISTORIES = (
    "tests/histories/test_histories.py::test_the_history_in_which_a_mistake_shows_is_right"
)
"""The test that runs the history of a mistake."""


class Change(NamedTuple):
    """A piece of code, and what takes its place; nothing removes it."""

    where: str
    right: str
    wrong: str


class Mistake(NamedTuple):
    """What is changed, the rule that breaks, and the tests that notice."""

    room: str
    rule: str
    page: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    name: str
    history: dict[str, Any]

    @property
    def title(self):
        return self.name or f"{self.changes[0].where}: {self.rule}"


def mistakes():
    """The whole list, in the order of its files."""
    return [_mistake(room, row) for room in ROOMS for row in cases_beside(__file__, room)]


def _mistake(room, row):
    changes = tuple(_change(change) for change in row.get("changes", [row]))
    name, history = row.get("name", ""), row.get("history", {})
    tests = [f"{OF_HISTORIES}[{name}]"] if history else row["tests"]
    return Mistake(room, row["rule"], row["page"], changes, tuple(tests), name, history)


def _change(row):
    wrong = "" if row["wrong"] is None else row["wrong"]
    return Change(row["where"], str(row["right"]), str(wrong))  # without quotes, False is no text


def file_of(where, root=ROOT):
    """The file of a module, in this copy of the tree."""
    path = where.partition(":")[0].replace(".", "/")
    for folder in IMPORTED_FROM:
        for name in (f"{path}.py", f"{path}/__init__.py"):
            if (root / folder / name).is_file():
                return root / folder / name
    raise LookupError(f"{where}: there is no such module")


def change_code(scope, change):
    """Make a change in what `scope_of` has found.

    Raises:
        LookupError: It has not exactly one such piece of code.
    """
    replaced = Replacement(change.right, change.wrong)
    replaced.visit(scope)
    if replaced.count != 1:
        raise LookupError(f"{change.right!r} is {replaced.count} times in {change.where}")


def scope_of(module, where):
    """The function or class that is named behind the colon, or else the module.

    Raises:
        LookupError: There is none.
    """
    scope, kinds = module, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for part in filter(None, where.partition(":")[2].split(".")):
        definitions = (node for node in ast.iter_child_nodes(scope) if isinstance(node, kinds))
        matches = [definition for definition in definitions if definition.name == part]
        if len(matches) != 1:
            raise LookupError(f"{where}: there is no such function, or more than one")
        scope = matches[0]
    return scope


def _value_of(code):
    """The expression that the code is; None: it is statements."""
    first = code[0] if len(code) == 1 else None
    return first.value if isinstance(first, ast.Expr) else None


class Replacement(ast.NodeTransformer):
    """Replaces what is equal to `right`, and counts how often."""

    def __init__(self, right, wrong):
        try:
            self._right, self._wrong = ast.parse(right).body, ast.parse(wrong).body
        except SyntaxError as error:
            raise LookupError(f"{error.text!r} is no whole piece of code") from None
        self._wanted = list(map(ast.dump, self._right))
        values = [_value_of(code) for code in (self._right, self._wrong)]
        self._expression = None if None in values else ast.dump(values[0])
        self.count = 0

    def generic_visit(self, node):
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list) and self._expression is None:
                self._replace_within(statements)
        return super().generic_visit(node)

    def visit(self, node):
        if self._expression is not None and ast.dump(node) == self._expression:
            self.count += 1
            return _value_of(self._wrong)
        return super().visit(node)

    def _replace_within(self, statements):
        dumped, size = list(map(ast.dump, statements)), len(self._wanted)
        starts = range(len(statements) - size + 1)
        places = [start for start in starts if dumped[start : start + size] == self._wanted]
        self.count += len(places)
        if places:
            statements[places[0] : places[0] + size] = self._wrong or [ast.Pass()]
