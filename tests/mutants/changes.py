"""A sample of what cosmic-ray can change, by a seed: of places, so that one with ten changes is as
likely as others.
"""

import ast
import random
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

LEFT_OUT = re.compile(r"_(Eq|NotEq|Lt|LtE|Gt|GtE)_Is(Not)?$|_Is_Eq$|_IsNot_NotEq$")
"""Operators. Whether two equal numbers or texts are one object is the interpreter's own business.
"""


@dataclass(frozen=True)
class Change:
    """One operator at one place of one module."""

    module: str
    operator: str
    occurrence: int
    line: int
    function: str
    """The module's name and the definition, such as `timeouts.get`: with its lines, it names what
    is accepted.
    """

    def does_something(self) -> bool:
        """Whether it makes Python that means something else. (In the working directory.)"""
        source = Path(self.module).read_text(encoding="utf-8")
        try:
            changed = mutate_code(source, get_operator(self.operator)(), self.occurrence)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(changed, self.module, "exec")
        except (
            AttributeError,
            SyntaxError,
            ValueError,
        ):  # AttributeError: `except module.Name` by `except Name`'s
            return False
        return _meaning(source) != _meaning(changed)


def sample(modules: Sequence[str], seed: int, wanted: int | None) -> list[Change]:
    """So many changes of these modules, or all of them; the same for the same seed."""
    chance = random.Random(seed)
    places = [changes for module in modules for _, changes in sorted(_places(module).items())]
    for changes in [places, *places]:
        chance.shuffle(changes)
    turns = (change for turn in zip_longest(*places) for change in turn if change is not None)
    return list(islice((change for change in turns if change.does_something()), wanted))


def _places(module: str) -> dict[tuple[int, int], list[Change]]:
    nodes = list(ast_nodes(get_ast(Path(module).read_text(encoding="utf-8"))))
    places: dict[tuple[int, int], list[Change]] = {}
    for name in sorted(operator_names()):
        operator = get_operator(name)
        if operator.arguments() or LEFT_OUT.search(name):
            continue
        found = [
            (node, start) for node in nodes for start, _ in operator().mutation_positions(node)
        ]
        for occurrence, (node, start) in enumerate(found):
            function = ".".join(
                filter(None, [Path(module).stem, ASTQuery(node).get_definition_name()])
            )
            places.setdefault(start, []).append(
                Change(module, name, occurrence, start[0], function)
            )
    return places


def around(source: str, line: int) -> Iterator[range]:
    """The line; the definitions around it, the nearest first; and the module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    spans = [
        range(n.lineno, (n.end_lineno or 0) + 1)
        for n in ast.walk(ast.parse(source))
        if isinstance(n, kinds)
    ]
    yield range(line, line + 1)
    yield from sorted((span for span in spans if line in span), key=len)
    yield range(1, 1_000_000)


def _meaning(source: str) -> str:
    """The source without what no behaviour depends on."""
    return ast.dump(_Meaning().visit(ast.parse(source)))


class _Meaning(ast.NodeTransformer):
    """Takes away annotations, decorators of classes, protocols, overloads and signatures' `*`."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Name("object")
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        # Who may be passed by position alone, or by name alone, is said to the callers, and decides
        # nothing.
        node.args = node.posonlyargs + node.args + node.kwonlyargs
        node.defaults += [default for default in node.kw_defaults if default is not None]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        for argument in node.args:
            argument.annotation = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []  # how a class is made: its slots, its repr, its order of arguments
        is_protocol = any(ast.unparse(base).startswith("Protocol") for base in node.bases)
        return ast.Pass() if is_protocol else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        is_overload = len(node.body) == 1 and ast.unparse(node.body) == "..."
        return ast.Pass() if is_overload else self.generic_visit(node)
