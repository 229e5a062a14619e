"""Documents of several files are read as one; nothing outside the document's folder is."""

import shutil
from pathlib import Path

import httpx
import pytest

from victor_spec.components import Components
from victor_spec.document import DocumentError, load
from victor_spec.generate import generate
from victor_spec.rewrites import prepare
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


def test_a_document_whose_sections_are_in_their_own_files_is_read_whole(tmp_path):
    models, found = whole(write(tmp_path, **FILES["sections"]))
    assert found == 1
    assert {"A", "B"} <= {*models.__all__}


def test_a_schema_has_its_name_in_a_section_in_another_file_that_stands_before_the_paths(tmp_path):
    models, _ = whole(write(tmp_path, **FILES["sections that stand first"]))
    assert {"Amount", "Price"} <= {*models.__all__}
    assert not {"Money", "Price2"} & {*models.__all__}
    amount = models.Amount.from_dict({"value": "44.23"})
    assert amount.value == "44.23"
    price = models.Price.from_dict({"parts": [{"net": {"value": "1.00"}}]})
    assert price.parts[0].net == models.Amount("1.00")


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


def test_references_within_examples_and_extensions_are_not_followed(tmp_path):
    components = load(write(tmp_path, **FILES["names that refer to nothing"]))["components"]
    schema = components["schemas"]["A"]
    assert components["x-policy"] == {"$ref": "../p.yaml"}
    assert schema["example"] == {"$ref": "../a.yaml"}
    assert schema["x-policy"] == {"$ref": "../b.yaml"}


def test_the_reference_of_a_property_that_is_named_like_an_extension_is_followed(tmp_path):
    components = load(write(tmp_path, **FILES["names that refer to nothing"]))["components"]
    assert components["schemas"]["c"] == {"type": "string"}


def test_the_size_limit_is_for_all_files_together_and_an_error_names_an_unreadable_file(spec):
    with (spec.parent / "schemas" / "error.yaml").open("a") as file:
        file.write("#" * 4_000)
    with pytest.raises(DocumentError, match="is too much: at most 4,194 bytes together"):
        load(spec, max_mib=0.004)
    (spec.parent / "schemas" / "error.yaml").write_text("a: [")
    with pytest.raises(DocumentError, match=r"error\.yaml cannot be read"):
        load(spec)


def test_a_whole_content_that_is_a_reference_is_written_out(tmp_path):
    spec = write(tmp_path, **FILES["a whole content"])
    models, _ = whole(spec)
    assert {*models.__all__} == {"Card", "Text"}
    assert load(spec)["components"]["schemas"]["Card"]["properties"]["content"] == {
        "$ref": "#/components/schemas/Text"
    }


def test_contents_that_grow_at_each_level_of_references_are_refused_as_too_much(tmp_path):
    header = "{schema: {}, encoding: {a: {headers: {%s}}}}"
    medium = ", ".join(
        f"h{n}: {{content: {{$ref: '#/components/mediaTypes/M%d'}}}}" for n in range(10)
    )
    parts = "".join(
        f"    M{n}: {{a/b: {header % (medium.replace('%d', str(n + 1)))}}}\n" for n in range(30)
    )
    spec = write(
        tmp_path, some=f"{HEAD}paths: {{}}\ncomponents:\n  mediaTypes:\n{parts}    M30: {{}}\n"
    )
    with pytest.raises(DocumentError, match="is too much"):
        load(spec, max_mib=0.1)


def test_an_operation_and_a_description_are_read_from_their_own_files(tmp_path):
    spec = write(tmp_path, **FILES["an operation and a text"])
    assert whole(spec)[1] == 2
    answer = load(spec)["paths"]["/a"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {
        "properties": {"a": {"type": "string"}}
    }


def test_an_operation_whose_reference_leads_back_to_itself_is_refused(tmp_path):
    spec = write(tmp_path, **FILES["back to itself"])
    with pytest.raises(DocumentError, match=r"paths\./a\.get: a\.yaml leads back to itself"):
        load(spec)


def test_an_anchor_is_a_name_of_a_schema(tmp_path):
    spec = write(tmp_path, **FILES["anchors"])
    tree = load(spec)
    card = tree["components"]["schemas"]["Card"]["properties"]
    assert card["next"] == {"$ref": "#/components/schemas/Card"}
    word = card["word"]["$ref"].rpartition("/")[2]
    assert tree["components"]["schemas"][word] == {"$anchor": "word", "type": "string"}
    assert generate(spec, tmp_path).left_out == []
    assert "next_: Card | Unset" in (tmp_path / "some_api" / "models" / "card.py").read_text()


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


def test_a_description_that_refers_to_another_file_is_dropped_and_the_document_is_read():
    schemas = prepare(load(SEVERAL / "payments.yaml"))[0]["components"]["schemas"]
    assert "description" not in schemas["Account"]
    assert "description" in schemas["card"]["properties"]


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
