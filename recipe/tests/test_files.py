"""Documents of several files are read as one; nothing outside the document's folder is."""

import shutil
from pathlib import Path

import httpx
import pytest

from victor_spec.components import Components
from victor_spec.document import load
from victor_spec.generate import generate
from victor_spec.tree import operations

from .calls.judge import judged
from .calls.package import Caller, Package
from .command import run
from .wire import beside

pytestmark = pytest.mark.pull_request
HEAD = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n"
SEVERAL = Path(__file__).parent / "several"
FILES = beside("files")


@pytest.fixture
def spec(tmp_path):
    return shutil.copytree(SEVERAL / "api", tmp_path / "api") / "some.yaml"


def whole(spec):
    """The models of a package that lacks nothing of its document, and how many operations are in
    it.
    """
    result = generate(spec, spec.parent / "out")
    assert result.left_out == []
    assert judged(load(spec), result.package).lines() == []
    return Package(result.package).load("models"), len(result.operations)


def test_a_document_of_several_files_is_whole(spec):
    models, found = whole(spec)
    assert {"Own", "Card", "Card2", "Owner", "Pet", "Error"} <= {*models.__all__}
    assert found == 2
    card = models.Card2.from_dict(
        {"owner": {"name": "N", "cards": [{"word": "a"}]}, "next": {"own": {"here": "x"}}}
    )
    assert card.owner.cards[0].word == "a"
    assert card.next_.own.here == "x"


def write(folder, **texts):
    """Files of a document, and the first of them."""
    paths = [folder / name if name.endswith(".json") else folder / f"{name}.yaml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths[0]


@pytest.mark.parametrize(("reference", "says"), FILES["refused"])
def test_a_reference_to_nothing_in_the_documents_folder_is_refused(spec, reference, says, capsys):
    (spec.parent.parent / "secret.yaml").write_text("A: {type: string}\n")
    (spec.parent / "link.yaml").symlink_to(spec.parent.parent / "secret.yaml")
    spec.write_text(
        spec.read_text(encoding="utf-8").replace("schemas/error.yaml", reference), encoding="utf-8"
    )
    assert run("generate", spec, "--out", spec.parent / "out") == 2
    said = capsys.readouterr().err
    place = "paths./pets.get.responses.default.content.application/json.schema"
    assert said.startswith(f"{spec} cannot be read: {place}: {reference} {says}")


def test_a_file_at_a_url_is_read_from_its_local_copy(tmp_path, capsys):
    url = "https://api.example/word.yaml?v=1"
    copy = write(tmp_path, copy="Word: {type: object, properties: {w: {type: string}}}\n")
    some = (
        f"{HEAD}components: {{schemas: {{A: {{properties: {{a: {{$ref: "
        f"'{url}#/Word'}}}}}}}}}}\npaths: {{}}\n"
    )
    document = write(tmp_path / "api", some=some)
    newer = write(tmp_path / "api", newer=some)
    more = ["--copy", f"{url}={copy}"]
    out = ["--out", tmp_path / "out"]
    assert run("generate", document, *out) == 2
    assert f"name a copy with --copy {url}=FILE" in capsys.readouterr().err
    assert run("generate", document, *out, *more) == 0
    assert run("check", document, *out, *more) == 0
    assert run("diff", document, document, *more) == 0
    assert run("update", document, newer, *out, *more) == 0
    capsys.readouterr()
    assert run("check", document, "--copy", url.partition("=")[0]) == 2
    assert "--copy takes URL=FILE, such as" in capsys.readouterr().err


def test_a_discriminator_chooses_by_files_and_by_what_their_parts_are_called(
    tmp_path,
):
    """One that is renamed, because the root has another `Account`, keeps its word."""
    result = generate(SEVERAL / "payments.yaml", tmp_path)
    assert result.left_out == []
    assert judged(load(SEVERAL / "payments.yaml"), result.package).lines() == []
    package = Package(result.package)

    def read(operation, kind):
        answer = httpx.Response(200, json={"kind": kind, "reference": "r"})
        function = next(each for each in package.functions if each.name == operation)
        with Caller(package, "https://api.example") as caller:
            return type(caller.answer(function, {}, answer, "sync")).__name__

    chosen = {kind: read("get_chosen", kind) for kind in ("card", "sepa", "Iban", "other")}
    assert chosen == {"card": "Card", "sepa": "Iban", "Iban": "Iban", "other": "Card"}
    words = {"visa": "Card", "card": "Card", "ach": "Account2", "Account": "Account2"}
    words |= {"sepa.debit": "SepaDebit", "cash": "Cash", "cheque": "Cash"}
    assert {kind: read("get_method", kind) for kind in words} == words


def test_operations_beside_the_reference_of_a_path_are_read_with_the_referenced_ones(
    tmp_path,
):
    names = [each.where for each in operations(load(SEVERAL / "payments.yaml"))]
    assert names == ["GET /methods", "POST /methods", "LINK /methods", "GET /chosen"]
    spec = write(tmp_path, **FILES["beside the reference of a path"])
    result = generate(spec, tmp_path)
    assert result.left_out == [
        "GET /a: that of #/components/pathItems/a, beside which the path has its own"
    ]
    assert "own" in (result.package / "operations.py").read_text()
    old = load(spec)
    new = load(SEVERAL / "payments.yaml")
    assert {"get /a"} == {*Components(old).operations}
    assert {"get /methods", "post /methods", "link /methods"} < {*Components(new).operations}
