"""A malicious document is input like any other: its names and texts never become code, and arrive
as they are.
"""

import ast
import json
import re
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_spec.document import load
from victor_spec.generate import COPIED, TEMPLATES, generate, parse, render
from victor_spec.rewrites import prepare

from .calls.package import Package
from .command import run
from .wire import beside, written

pytestmark = pytest.mark.pull_request
CANARY = "victor_ext_canary"
RUN = f"__import__('sys').modules.setdefault('{CANARY}', 1)"

GIVEN = beside("injection")
PIECES = [each.replace("RUN", RUN) for each in GIVEN["pieces"]]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)

STATEMENTS = {
    *("Import", "ImportFrom", "ClassDef", "FunctionDef", "AsyncFunctionDef"),
    *("Assign", "AnnAssign", "If", "Expr"),
}
ONLY_IN_TEXTS = {"__import__", "eval", "exec", "compile", "modules"}


def document(texts):
    """A document with one of the texts at every place that has one."""
    tree = json.dumps(GIVEN["document"])
    return json.loads(
        re.sub(r"TEXT(\d+)", lambda found: json.dumps(texts[int(found[1])])[1:-1], tree)
    )


PLACES = 45


def check_modules(package):
    paths = [*package.rglob("*.py")]
    assert {"operations.py", "thing.py"} <= {path.name for path in paths}
    for path in paths:
        if path.name not in (*COPIED, "client.py", "types.py"):
            assert statements(ast.parse(path.read_bytes())) == set(), path


def statements(tree):
    """What no generated module has: other statements, bare expressions, and names that only the
    texts have.
    """
    found = {type(each).__name__ for each in tree.body} - STATEMENTS
    for each in tree.body:
        is_table = ast.unparse(each).startswith("_declare(")
        if isinstance(each, ast.Expr) and not (is_table or isinstance(each.value, ast.Constant)):
            found.add(f"an expression: {ast.unparse(each)[:60]}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            found |= {node.id if isinstance(node, ast.Name) else node.attr} & ONLY_IN_TEXTS
    return found


@settings(max_examples=25)
@given(st.lists(texts, min_size=PLACES, max_size=PLACES, unique=True))
def test_texts_of_a_document_are_no_code(given_texts):
    """As `generate`, without formatting: that takes longer than all else."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "built"
        spec = written(Path(folder), document(given_texts))
        prepared, log = prepare(load(spec))
        data = parse(prepared, log)
        assert data is not None, log.reasons
        render(data, built, TEMPLATES, log)
        check_modules(built)


@pytest.mark.parametrize("shift", range(0, len(PIECES), 12))
def test_names_of_a_malicious_document_are_sent_and_read_exactly_as_written(shift, tmp_path):
    pieces = [*PIECES[shift:], *PIECES[:shift]]
    tree = document([f"{pieces[place % len(pieces)]}{place}" for place in range(PLACES)])
    result = generate(written(tmp_path, tree), tmp_path)
    check_modules(result.package)
    get = next(iter(tree["paths"].values()))["get"]
    query, _, cookie, deep = get["parameters"]
    with Package(result.package) as package:
        assert CANARY not in sys.modules
        models = package.load("models")
        assert (
            package.attributes(models.Thing).keys()
            >= tree["components"]["schemas"]["Thing"]["properties"].keys()
        )
        enums = [
            each
            for each in (getattr(models, name) for name in models.__all__)
            if not hasattr(each, "from_dict")
        ]
        assert {member.value for each in enums for member in each} >= set(query["schema"]["enum"])
    trees = [ast.parse(path.read_bytes()) for path in (result.package / "api").rglob("*.py")]
    texts = {
        node.value for each in trees for node in ast.walk(each) if isinstance(node, ast.Constant)
    }
    assert {
        query["name"],
        cookie["name"],
        f"{deep['name']}[{next(iter(deep['schema']['properties']))}]",
    } <= texts


@pytest.mark.parametrize("command", GIVEN["commands"])
def test_no_text_of_a_document_steers_a_terminal_or_a_workflow(
    command,
    tmp_path,
    monkeypatch,
    capsys,
):
    monkeypatch.chdir(tmp_path)
    evil = ("\x1b]0;t\x07", "\x9b2J", "\u202e", "\n::error::x\r", "{0:>9}", "%s")
    for name in ("old", "new"):
        tree = document([f"{evil[place % len(evil)]}{name}{place}" for place in range(PLACES)])
        written(tmp_path, tree, name)
    unread = {"openapi": f"9{evil}", "paths": {evil[0]: {"$ref": evil[3]}}}
    written(tmp_path, unread, "unread")
    run(*command.split())
    shown = capsys.readouterr()
    lines = f"{shown.out}\n{shown.err}".split("\n")
    assert len(lines) > 2
    assert [line for line in lines if not line.isprintable() or line.startswith("::error::x")] == []
