"""One word for one thing: a class name stands once in the client, and once in the sandbox, which
shares no code with it.
"""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import victor_ext

pytestmark = pytest.mark.slow
PACKAGE = Path(victor_ext.__file__).parent

OF_EACH_SYSTEM = {"AsyncPayments", "PaymentRequests", "Payments", "Payouts", "Webhooks"}
"""What a user calls on a client, or adds to a batch."""
OF_DJANGO = {"Migration"}
IN_TWO_KINDS_OF_OBJECT = {"operation"}
"""The decorator of a method that is written once for both modes."""
ALLOWED = OF_EACH_SYSTEM | OF_DJANGO | IN_TWO_KINDS_OF_OBJECT


def public_names(module):
    """The names in `__all__` of a module."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return {
                text.value
                for text in ast.walk(node.value)
                if isinstance(text, ast.Constant) and isinstance(text.value, str)
            }
    return set()


def classes(module):
    """The names of the classes of a module."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def internal_twins(modules):
    """The class names that stand in several of these modules, and are public in none but one."""
    public = {path.parent: public_names(path) for path in modules if path.name == "__init__.py"}
    places = defaultdict(list)
    internal = set()
    for module in modules:
        rooms = [room for room in module.parents if room in public]
        for name in classes(module):
            places[name].append(str(module.relative_to(PACKAGE)))
            if not any(name in public[room] for room in rooms):
                internal.add(name)
    return {name: where for name, where in places.items() if len(where) > 1 and name in internal}


@pytest.mark.parametrize("is_sandbox", [False, True], ids=["client", "sandbox"])
def test_a_class_name_stands_in_one_module(is_sandbox):
    modules = [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if ("sandbox" in path.relative_to(PACKAGE).parts) is is_sandbox
    ]
    twins = internal_twins(modules)
    assert {name: where for name, where in twins.items() if name not in ALLOWED} == {}
