"""What packages send and read, judged by their documents as they were written."""

import re
import shutil
from pathlib import Path

import pytest

from victor_spec.document import load
from victor_spec.generate import generate

from .calls.judge import judged
from .cases import DOCUMENTS
from .test_bounds import recursive_document
from .wire import beside, document, written

pytestmark = pytest.mark.pull_request
HERE = Path(__file__).resolve().parent
GREEN = beside("green")
SHOP = HERE / "shop.yaml"
MISTAKES = beside("planted")


def judge(path, folder):
    """What calls find in the package of a document, of which nothing is left out."""
    tree = load(path)
    result = generate(path, folder, tree=tree)
    assert result.left_out == []
    return judged(tree, result.package)


def assert_nothing_is_found(verdict):
    assert (verdict.lines(), verdict.plain) == ([], set())
    assert verdict.unjudged <= {"paths./animals/{kind}.get.parameters.query:near"}


@pytest.mark.parametrize(
    "path",
    [*DOCUMENTS, *(HERE / f"{name}.yaml" for name in ("zoo", "legitimate", "shop"))],
    ids=lambda path: path.stem,
)
def test_a_document_is_sent_and_read_as_declared(path, tmp_path):
    assert_nothing_is_found(judge(path, tmp_path))


@pytest.mark.parametrize("tree", GREEN.values(), ids=GREEN)
def test_a_small_document_is_sent_and_read_as_declared(tree, tmp_path):
    assert_nothing_is_found(judge(written(tmp_path, document(**tree)), tmp_path))


@pytest.mark.parametrize("seed", [0, 4, 12, 40, 46])
def test_schemas_that_refer_to_each_other_anywhere_are_sent_and_read(seed, tmp_path):
    assert judge(written(tmp_path, recursive_document(seed)), tmp_path).lines() == []


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return generate(SHOP, tmp_path_factory.mktemp("shop")).package


def copy_of(made, tmp_path):
    """A package to plant a mistake in."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(made, tmp_path / made.name, ignore=ignored)


PLANTED = {
    name: (each["module"], each["change"], each["said"])
    for name, each in MISTAKES["modules"].items()
} | {
    name: (
        f"api/shop/{module}",
        MISTAKES["around"][planted].replace("CHANGE", each["change"]),
        each["said"],
    )
    for planted in ("requests", "answers")
    for module, changes in MISTAKES[planted].items()
    for name, each in changes.items()
}


@pytest.mark.parametrize(("module", "code", "said"), PLANTED.values(), ids=PLANTED)
def test_a_mistake_planted_in_a_package_is_found_by_comparing_calls_with_the_document(
    made, tmp_path, module, code, said
):
    package = copy_of(made, tmp_path)
    with (package / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{code}")
    verdict = judged(load(SHOP), package)
    found = [*verdict.lines(), *(f"plain: {each}" for each in verdict.plain)]
    assert any(re.search(said, line) for line in found), found


def test_a_schema_without_a_python_type_is_sent_and_read_as_plain_json_and_noted_once(tmp_path):
    path = HERE / "exotic.yaml"
    tree = load(path)
    result = generate(path, tmp_path, tree=tree)
    verdict = judged(tree, result.package)
    assert (verdict.lines(), result.left_out) == ([], [])
    assert verdict.plain, "values that are plain JSON"
    notes = result.log.notes()
    assert notes
    assert len(notes) == len({*notes}), "a note comes twice"
