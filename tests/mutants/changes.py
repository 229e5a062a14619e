"""The changes: where a module can be changed, what it becomes, and the fragment that a reader is shown.

The operators are cosmic-ray's. It writes changed source, and so reaches generators, properties, constants and the
fields of dataclasses alike; what it does not do is choose: a sample takes places first, so that a place with ten
possible changes is as likely as a place with one.
"""

from __future__ import annotations

import ast
import random
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

LONGEST = 100
"""Characters. A fragment grows to the expression around it while it stays below this."""

SHORTEST = 12
"""Characters. Up to this a fragment says too little by itself."""

LEFT_OUT = re.compile(r"_(Eq|NotEq|Lt|LtE|Gt|GtE)_Is(Not)?$|_Is_Eq$|_IsNot_NotEq$")
"""Operators. Whether two equal numbers or texts are one object is the interpreter's own business."""


@dataclass(frozen=True)
class Change:
    """One module, changed in one place."""

    module: str
    source: str
    function: str
    """The module's name and what the change is in, such as `timeouts.Timeouts.get`."""
    was: str
    becomes: str
    lines: tuple[range, ...]
    """The lines whose tests are to notice, the nearest first."""

    @property
    def name(self) -> tuple[str, str, str]:
        """What stays when the module moves, or lines are added: whoever accepts a change names it by this."""
        return self.function, self.was, self.becomes


@dataclass(frozen=True)
class _Spot:
    """One operator at one place of one module."""

    module: Module
    operator: Any
    occurrence: int

    def change(self) -> Change | None:
        """What the module becomes; None when that is no Python, or means the same."""
        from cosmic_ray.mutating import mutate_code

        try:
            changed = mutate_code(self.module.source, self.operator(), self.occurrence)
        except AttributeError:  # an operator for `except Name` meets `except module.Name`, which it cannot change
            return None
        return None if changed is None else self.module.change_to(changed)


class Module:
    """One module of the checkout."""

    def __init__(self, root: Path, path: str) -> None:
        self.path = path
        self.source = (root / path).read_text(encoding="utf-8")

    @cached_property
    def _tree(self) -> ast.Module:
        return _meaning(self.source)

    def change_to(self, source: str) -> Change | None:
        """The change that makes this module that source; None when it is no Python, or means the same."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(source, self.path, "exec")
                changed = _meaning(source)
        except (SyntaxError, ValueError):
            return None
        trail = list(_difference(self._tree, changed))
        if not trail:
            return None
        function = [Path(self.path).stem, *(old.name for old, _ in trail if isinstance(old, _DEFINITIONS))]
        was, becomes = _fragment(trail)
        return Change(self.path, source, ".".join(function), was, becomes, tuple(_lines(trail)))

    def places(self) -> dict[tuple[int, int], list[_Spot]]:
        """Where this module can be changed, and how."""
        from cosmic_ray.ast import ast_nodes, get_ast
        from cosmic_ray.plugins import get_operator, operator_names

        nodes = list(ast_nodes(get_ast(self.source)))
        left_out = [_extent(node) for node in _annotations(ast.parse(self.source))]
        places: dict[tuple[int, int], list[_Spot]] = {}
        for name in sorted(operator_names()):
            operator = get_operator(name)
            if operator.arguments() or LEFT_OUT.search(name):
                continue
            positions = [position for node in nodes for position in operator().mutation_positions(node)]
            for occurrence, (start, _) in enumerate(positions):
                if not any(begins <= start < ends for begins, ends in left_out):
                    places.setdefault(start, []).append(_Spot(self, operator, occurrence))
        return places


def sample(modules: list[Module], seed: int, wanted: int | None) -> Iterator[Change]:
    """`count` changes of these modules, or all of them; the same for the same seed."""
    chance = random.Random(seed)
    places = [spots for module in modules for _, spots in sorted(module.places().items())]
    chance.shuffle(places)
    for spots in places:
        chance.shuffle(spots)
    seen: set[tuple[str, str]] = set()
    while places and (wanted is None or len(seen) < wanted):
        for spots in places:
            change = _next_of(spots, seen)
            if change is not None:
                seen.add((change.module, change.source))
                yield change
                if len(seen) == wanted:
                    return
        places = [spots for spots in places if spots]


def _next_of(spots: list[_Spot], seen: set[tuple[str, str]]) -> Change | None:
    while spots:
        change = spots.pop().change()
        if change is not None and (change.module, change.source) not in seen:
            return change
    return None


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Pair = tuple[ast.AST, ast.AST]


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            yield node.annotation
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns


def _extent(node: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _meaning(source: str) -> ast.Module:
    """The source without what no behaviour depends on."""
    tree: ast.Module = _Meaning().visit(ast.parse(source))
    return tree


class _Meaning(ast.NodeTransformer):
    """Takes away annotations, protocols, overloads and signatures' `*`."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.copy_location(ast.Name("object"), node.annotation)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        # Who may be passed by position alone, or by name alone, is said to the callers, and decides nothing.
        node.args = node.posonlyargs + node.args + node.kwonlyargs
        node.defaults += [default for default in node.kw_defaults if default is not None]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        is_protocol = any(ast.unparse(base).startswith("Protocol") for base in node.bases)
        return ast.copy_location(ast.Pass(), node) if is_protocol else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        is_overload = len(node.body) == 1 and ast.unparse(node.body) == "..."
        return ast.copy_location(ast.Pass(), node) if is_overload else self.generic_visit(node)


def _difference(old: ast.AST, new: ast.AST) -> Iterator[_Pair]:
    """The pairs of nodes on the way from the module to what differs; nothing when nothing does."""
    if ast.dump(old) == ast.dump(new):
        return
    yield old, new
    below = [pair for pair in _children(old, new) if ast.dump(pair[0]) != ast.dump(pair[1])]
    if len(below) == 1 and _but_for(old, below[0][0]) == _but_for(new, below[0][1]):
        yield from _difference(*below[0])


def _children(old: ast.AST, new: ast.AST) -> list[_Pair]:
    olds, news = list(ast.iter_child_nodes(old)), list(ast.iter_child_nodes(new))
    return list(zip(olds, news, strict=True)) if type(old) is type(new) and len(olds) == len(news) else []


def _but_for(node: ast.AST, child: ast.AST) -> str:
    return ast.dump(node).replace(ast.dump(child), "", 1)


def _fragment(trail: list[_Pair]) -> tuple[str, str]:
    """The smallest part that can be read by itself, and what is around it while that is short."""
    chosen: tuple[str, str] | None = None
    for pair in reversed(trail):
        if not isinstance(pair[0], ast.expr | _STATEMENTS):
            continue
        texts = _text(pair[0]), _text(pair[1])
        if chosen is not None and max(map(len, texts)) > LONGEST and max(map(len, chosen)) > SHORTEST:
            break
        chosen = texts
        if isinstance(pair[0], _STATEMENTS):
            break
    return chosen or ("", "")


def _text(node: ast.AST) -> str:
    """A node as code on one line; of what has a body, the head alone."""
    if not isinstance(node, _STATEMENTS) or not hasattr(node, "body"):
        return " ".join(ast.unparse(node).split())
    head = type(node)(**{name: [] if name in _BODIES else value for name, value in ast.iter_fields(node)})
    return " ".join(ast.unparse(ast.fix_missing_locations(ast.copy_location(head, node))).split())


_STATEMENTS = ast.stmt | ast.ExceptHandler
_BODIES = ("body", "orelse", "finalbody", "handlers")


def _lines(trail: list[_Pair]) -> Iterator[range]:
    """The statement; where that runs at import, also the definition around it, and then the module."""
    statements = [old for old, _ in trail if isinstance(old, _STATEMENTS)]
    if statements and not isinstance(statements[-1], _DEFINITIONS):
        last = statements[-1]
        body = getattr(last, "body", None)
        yield range(last.lineno, max(last.lineno, body[0].lineno - 1 if body else last.end_lineno or 0) + 1)
        if any(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in statements):
            return
    for definition in reversed(statements):
        if isinstance(definition, _DEFINITIONS):
            yield range(definition.lineno, (definition.end_lineno or 0) + 1)
    yield range(1, 1_000_000)
