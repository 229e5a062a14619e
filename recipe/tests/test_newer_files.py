"""A newer document in several files: all of them are taken, or none."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from victor_spec.document import load
from victor_spec.generate import generate

from .command import run

pytestmark = pytest.mark.pull_request
ROOT = """\
openapi: 3.0.3
info: {title: Payments, version: '1'}
paths:
  /payments:
    post:
      operationId: createPayment
      requestBody:
        content: {application/json: {schema: {$ref: 'payment.yaml#/NewPayment'}}}
      responses:
        '201':
          description: made
          content: {application/json: {schema: {$ref: 'payment.yaml#/Payment'}}}
"""
PARTS = """\
NewPayment: {type: object, properties: {amount: {type: string}, note: {type: string}}}
Payment: {type: object, properties: {id: {type: string}}}
"""
WIDER = PARTS.replace("{id: {type: string}}", "{id: {type: string}, payer: {type: string}}")
NESTED = {
    "api.yaml": ROOT.replace("payment.yaml#/Payment", "schemas/Payment.yaml"),
    "payment.yaml": PARTS.splitlines()[0],
    "schemas/Payment.yaml": "{type: object, properties: {id: {type: string}}}\n",
}


def write(folder, files):
    """The first of these files of a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / next(iter(files))


def whole(tree):
    """A document in one file."""
    return yaml.safe_dump(tree, sort_keys=False)


@pytest.fixture
def api(tmp_path):
    """A document in two files, with its package."""
    document = write(tmp_path / "api", {"api.yaml": ROOT, "payment.yaml": PARTS})
    generate(document, tmp_path)
    return document


def update(document, files, *more, folder="new"):
    """Take a newer document of these files."""
    newer = write(document.parents[1] / folder, files)
    return run("update", document, newer, "--out", document.parents[1], *more)


def files_of(folder):
    """What stands in the files of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def test_a_change_in_another_file_is_taken_with_the_document(api, capsys):
    assert update(api, {"api.yaml": ROOT, "payment.yaml": WIDER}) == 0
    out = capsys.readouterr().out
    assert "Payment.payer is new" in out
    assert "  with payment.yaml\n" in out
    assert files_of(api.parent) == {"api.yaml": ROOT, "payment.yaml": WIDER}
    assert run("check", api, "--out", api.parents[1]) == 0
    assert "nothing changed" not in capsys.readouterr().out
    assert run("generate", api, "--out", api.parents[1]) == 0
    assert "nothing changed" in capsys.readouterr().out


def test_a_document_becomes_several_files_and_one_again_without_a_change(api, capsys):
    """Its parts have the same names: nothing differs on the wire, nor in Python."""
    document = api.parent.with_name("one") / "api.yaml"
    one = write(document.parent, {"api.yaml": whole(load(api))})
    for files in (NESTED, {"api.yaml": one.read_text(encoding="utf-8")}):
        assert update(one, files, folder=f"new{len(files)}") == 0
        assert "No change." in capsys.readouterr().out
        assert run("check", one, "--out", api.parents[1]) == 0
        assert {*files} <= {*files_of(one.parent)}


def test_files_that_the_newer_document_refers_to_no_more_are_named_and_stay(api, capsys):
    assert update(api, {"api.yaml": whole(load(api))}) == 0
    place = api.parent / "payment.yaml"
    assert f"  {place}: api.yaml refers to it no more; delete it\n" in capsys.readouterr().out
    assert place.read_text(encoding="utf-8") == PARTS


def test_a_part_keeps_its_name_when_a_later_path_has_one_that_is_called_so(tmp_path, capsys):
    def path(name, file):
        answer = f"{{description: a, content: {{application/json: {{schema: {{$ref: {file}}}}}}}}}"
        return f"  /{name}: {{get: {{operationId: {name}, responses: {{'200': {answer}}}}}}}\n"

    head = ROOT.partition("  /payments")[0] + path("cards", "Item.yaml")
    item = "{type: object, properties: {inner: {$ref: inner/Item.yaml}}}\n"
    files = {"api.yaml": head, "Item.yaml": item, "inner/Item.yaml": "{type: object}\n"}
    document = write(tmp_path / "api", files)
    generate(document, tmp_path)
    more = {"api.yaml": head + path("rows", "v2/Item.yaml"), "v2/Item.yaml": "{type: array}\n"}
    assert update(document, {**files, **more}) == 0, capsys.readouterr().out


def test_an_action_that_would_change_a_part_of_another_file_is_refused(api, capsys):
    """Two parts of one name: which of them has it alone follows from the order of the paths."""
    first, second = "schemas/NewPayment.yaml", "more/NewPayment.yaml"
    root = ROOT.replace("payment.yaml#/NewPayment", first).replace("payment.yaml#/Payment", second)
    turned = ROOT.replace("payment.yaml#/NewPayment", second).replace(
        "payment.yaml#/Payment", first
    )
    text = "{type: object, properties: {%s: {type: string}, name: {type: string}}}\n"
    parts = {first: text % "a", second: text % "b"}
    overlay = "overlay: 1.0.0\nactions: [{target: $.components.schemas.NewPayment.properties.name, "
    write(api.parent, {"api.yaml": root, **parts})
    write(api.parent, {"api.overlay.yaml": overlay + "update: {maxLength: 5}}]\n"})
    said = refused(api, {"api.yaml": turned, **parts}, capsys)
    assert f"it leads to {first} in the document and to {second} in the newer one" in said
    assert update(api, {"api.yaml": root, **parts}) == 0


def test_files_of_examples_and_descriptions_that_were_not_taken_are_named(api, capsys):
    """No command reads them; the document leads to them."""
    more = {"more/one.json": "1", "more/two.json": "2", "intro.md": "Payments", "api/x.md": "x"}
    root = ROOT.replace("'1'}", "'1', description: {$ref: intro.md}}").replace(
        "          description: made\n          content: {application/json: {",
        "          description: made\n          content: {application/json: {examples: {"
        'a: {$ref: \'more/one.json#/a\'}, b: {"externalValue": "./more/two.json"}}, ',
    )
    write(api.parent, {"more/one.json": "1", "more/two.json": "old"})
    assert update(api, {"api.yaml": root, "payment.yaml": PARTS, **more}) == 1
    out = capsys.readouterr().out
    words = "api.yaml mentions it, and no command reads it: copy it to"
    for name in ("intro.md", "more/two.json"):
        place = api.parents[1] / "new" / name
        assert f"{place}: {words} {api.parent / name}\n" in out
    assert out.count(words) == 2
    write(api.parent, more)
    assert update(api, {"api.yaml": root}, folder="new") == 0


def test_a_document_and_its_files_may_be_json(tmp_path):
    root = yaml.safe_load(ROOT.replace("payment.yaml", "payment.json"))
    files = [
        {"api.json": json.dumps(root), "payment.json": json.dumps(yaml.safe_load(text))}
        for text in (PARTS, WIDER)
    ]
    document = write(tmp_path / "api", files[0])
    generate(document, tmp_path)
    assert update(document, files[1]) == 0
    assert files_of(document.parent) == files[1]
    assert run("check", document, "--out", tmp_path) == 0


@pytest.mark.parametrize(
    ("own", "name", "text", "says"),
    [
        ("api.json", "api.yaml", whole, "to JSON."),
        ("api.yaml", "api.json", lambda tree: json.dumps(tree, indent=1), ""),
        ("api.yaml", "api.json", lambda tree: json.dumps(tree | {"x-a": "😀"}), "to YAML."),
    ],
)
def test_a_newer_document_is_taken_only_where_its_new_name_lets_it_be_read(
    api, own, name, text, says, capsys
):
    """A text in YAML is none in JSON, and half a character in JSON is none in YAML."""
    document = write(api.parent.with_name("one"), {own: json.dumps(load(api))})
    files = {name: text(load(api))}
    if not says:
        assert update(document, files) == 0
        assert run("check", document) == 0
        return
    said = refused(document, files, capsys)
    assert said.startswith(f"new/{name} would be {own}, and no command could read that: ")
    assert says in said


def untouched(document):
    """All files but those of the newer document."""
    files = files_of(document.parents[1])
    return {name: text for name, text in files.items() if not name.startswith("new/")}


def refused(document, files, capsys, **more):
    """What is said when a newer document of these files is not taken; nothing is touched."""
    before = untouched(document)
    capsys.readouterr()
    assert update(document, files, **more) == 2
    assert untouched(document) == before
    return capsys.readouterr().err.replace(f"{document.parents[1]}/", "")


def referring(name):
    """A document that refers to a file of this name."""
    return {"api.yaml": ROOT.replace("payment.yaml", name), name: PARTS}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (referring(".git/x.yaml"), "new/.git/x.yaml cannot be taken: a part of its path begins"),
        (referring("setup.py"), "new/setup.py cannot be taken: its name does not end with .yaml"),
        (referring("api.settings.yaml"), "it has another meaning beside api.yaml"),
        (
            {**referring("b.yaml"), "api.yaml": ROOT.replace("payment.yaml#/P", "b.yaml#/P")},
            "payment.yaml#/NewPayment leads to no file: put payment.yaml into",
        ),
        (
            {
                "newer.yaml": ROOT,
                "payment.yaml": PARTS.replace("{id: {", "{id: {$ref: 'newer.yaml#/info'}, a: {"),
            },
            "new/payment.yaml refers to newer.yaml, which would be api.yaml: rename new/newer.yaml",
        ),
        (
            {"newer.yaml": ROOT.replace("payment.yaml", "api.yaml"), "api.yaml": PARTS},
            "new/api.yaml cannot be taken: it has another meaning beside api.yaml.",
        ),
        (
            {"api.yaml": ROOT.replace("yaml#/P", "YAML#/P"), "payment.YAML": PARTS}
            | {"payment.yaml": PARTS},
            "differ in letter case alone: many systems take them for one file",
        ),
        (
            referring("Payment.yaml"),
            "which differs in letter case alone: rename yours to Payment.yaml first.",
        ),
        (
            referring("Payment.yaml") | {"payment.yaml": PARTS, "Payment.yaml": "A: {}\n"},
            "leads to nothing",
        ),
    ],
)
def test_a_newer_document_whose_files_cannot_stand_there_is_refused(api, files, says, capsys):
    assert says in refused(api, files, capsys)


def test_a_reference_in_other_letters_than_its_file_names_that(api, capsys):
    (api.parent / "payment.yaml").rename(api.parent / "Payment.yaml")
    assert run("check", api) == 2
    said = "leads to no file: Payment.yaml is there, whose letters have another case."
    assert said in capsys.readouterr().err


def test_a_file_that_is_none_of_the_document_is_not_replaced(api, capsys):
    write(api.parent, {"schemas/Payment.yaml": "mine: 1\n"})
    said = "api/schemas/Payment.yaml is no file of api.yaml, and the newer document has another"
    assert said in refused(api, NESTED, capsys)
    write(api.parent, {"schemas/Payment.yaml": NESTED["schemas/Payment.yaml"]})
    assert update(api, NESTED) == 0


@pytest.mark.parametrize("link", ["schemas", "schemas/Payment.yaml"])
def test_nothing_is_written_through_a_link(api, link, capsys):
    elsewhere = api.parents[1] / "elsewhere"
    write(elsewhere, {"Payment.yaml": "mine: 1\n"})
    path = api.parent / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(elsewhere if link == "schemas" else elsewhere / "Payment.yaml")
    said = refused(api, NESTED, capsys)
    assert f"api/{link} is a link, and nothing is written through one" in said


def test_a_link_of_the_newer_document_and_one_that_is_the_document_are_refused(api, capsys):
    write(api.parents[1] / "new", {"real.yaml": PARTS})
    (api.parents[1] / "new" / "payment.yaml").symlink_to("real.yaml")
    said = refused(api, {"api.yaml": ROOT}, capsys)
    assert said.startswith("new/payment.yaml is a link: put the file itself there")
    (api.parent / "named.yaml").symlink_to("api.yaml")
    newer = write(api.parents[1] / "new", {"api.yaml": ROOT, "payment.yaml": WIDER})
    arguments = ["--out", api.parents[1], "--name", "api_api"]
    assert run("update", api.parent / "named.yaml", newer, *arguments) == 2
    assert "named.yaml is a link: name the file that it leads to." in capsys.readouterr().err


CIRCLES = {
    "schemas": (
        {"a.yaml": "{$ref: b.yaml}", "b.yaml": "{$ref: a.yaml}"},
        "components: {schemas: {A: {$ref: a.yaml}}}\npaths: {}\n",
        0,
        "plain-json",
    ),
    "paths": (
        {"a.yaml": "{$ref: b.yaml}", "b.yaml": "{$ref: a.yaml}"},
        "paths: {/a: {$ref: a.yaml}}\n",
        2,
        "leads back to itself",
    ),
    "operations": (
        {"a.yaml": "{$ref: b.yaml}", "b.yaml": "{$ref: a.yaml}"},
        "paths: {/a: {get: {$ref: a.yaml}}}\n",
        2,
        "leads back to itself",
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_circle_of_files_is_named(tmp_path, circle, capsys):
    files, rest, status, says = CIRCLES[circle]
    head = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n"
    document = write(tmp_path, {"api.yaml": head + rest, **files})
    assert run("generate", document, "--out", tmp_path) == status
    printed = capsys.readouterr()
    assert says in printed.out + printed.err


def test_two_documents_that_share_a_file_are_named(api, capsys):
    other = write(api.parent, {"other.yaml": ROOT.replace("createPayment", "pay")})
    generate(other, api.parents[1])
    assert update(api, {"api.yaml": ROOT, "payment.yaml": WIDER}) == 1
    said = f"1. {other} has payment.yaml, too: generate its package again, and look at what changes"
    assert said in capsys.readouterr().out
    assert run("check", other, "--out", api.parents[1]) == 1
    assert run("generate", other, "--out", api.parents[1]) == 0


def test_a_shared_file_that_the_other_document_could_not_read_is_refused(api, capsys):
    write(api.parent, {"other.yaml": ROOT.replace("createPayment", "pay")})
    files = {"api.yaml": ROOT.replace("#/Payment", "#/Paid")}
    files["payment.yaml"] = PARTS.replace("\nPayment:", "\nPaid:")
    said = refused(api, files, capsys)
    assert said.startswith(
        "api/other.yaml has some of these files, too, and could not be read with"
    )
    assert said.endswith("payment.yaml#/Payment leads to nothing.\n")


def test_another_document_is_read_with_its_corrections(api, capsys):
    broken = ROOT.replace("payment.yaml#/Payment", "nowhere.yaml").replace("createPayment", "pay")
    target = "$.paths['/payments'].post.responses['201'].content"
    overlay = f'overlay: 1.0.0\nactions: [{{target: "{target}", remove: true}}]\n'
    write(api.parent, {"other.yaml": broken, "other.overlay.yaml": overlay})
    assert update(api, {"api.yaml": ROOT, "payment.yaml": WIDER}) == 1
    assert "other.yaml has payment.yaml, too" in capsys.readouterr().out


def test_another_document_in_one_line_of_json_is_known(api, capsys):
    tree = yaml.safe_load(ROOT)
    write(api.parent, {"other.json": json.dumps({"info": tree.pop("info"), **tree})})
    assert update(api, {"api.yaml": ROOT, "payment.yaml": WIDER}) == 1
    assert "other.json has payment.yaml, too" in capsys.readouterr().out


def test_a_file_that_only_another_document_has_now_is_not_called_useless(api, capsys):
    write(api.parent, {"other.yaml": ROOT.replace("createPayment", "pay")})
    assert update(api, {"api.yaml": whole(load(api))}) == 0
    assert "payment.yaml: api.yaml refers to it no more; other.yaml does" in capsys.readouterr().out


def test_a_file_that_changes_while_an_update_works_is_kept(api, capsys, monkeypatch):
    from victor_spec.commands import update as command

    compared = command.compare

    def comparing(*trees):
        (api.parent / "payment.yaml").write_text(f"{PARTS}# mine\n", encoding="utf-8")
        return compared(*trees)

    monkeypatch.setattr(command, "compare", comparing)
    assert update(api, {"api.yaml": ROOT, "payment.yaml": WIDER}) == 2
    said = f"{api.parent / 'payment.yaml'} was changed meanwhile: repeat the command."
    assert said in capsys.readouterr().err
    assert files_of(api.parent)["payment.yaml"].endswith("# mine\n")


def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_replaced(api, capsys, monkeypatch):
    touch = Path.touch

    def refusing(path, *arguments, **more):
        if path.suffix == ".update":
            raise PermissionError(13, "Permission denied", str(path.parent))
        return touch(path, *arguments, **more)

    monkeypatch.setattr(Path, "touch", refusing)
    said = refused(api, {"api.yaml": ROOT, "payment.yaml": WIDER}, capsys)
    assert said == "Nothing was replaced: api cannot be written: Permission denied.\n"


def test_the_overlay_reaches_a_part_in_whatever_file_it_stands(api, capsys):
    """It is the same overlay for the document in one file."""
    out = ["--out", api.parents[1]]
    place = "$.paths['/payments'].post.requestBody.content['application/json'].schema"
    overlay = f"""\
overlay: 1.0.0
actions:
  - target: {place}.properties.amount
    update: {{format: decimal}}
  - target: $.components.schemas.Payment
    update: {{required: [id]}}
  - target: $.paths['/payments'].post
    update: {{responses: {{'201': {{content: {{application/json: {{schema: {{title: T}}}}}}}}}}}}
"""
    (api.parent / "api.overlay.yaml").write_text(overlay, encoding="utf-8")
    schemas = load(api)["components"]["schemas"]
    assert schemas["NewPayment"]["properties"]["amount"] == {"type": "string", "format": "decimal"}
    assert schemas["Payment"]["required"] == ["id"]
    assert schemas["Payment"]["title"] == "T"
    assert run("check", api, *out) == 1
    assert run("generate", api, *out) == 0
    assert update(api, {"api.yaml": ROOT, "payment.yaml": WIDER}) == 0
    assert run("check", api, *out) == 0


def test_an_overlay_removes_a_broken_reference_and_may_refer_to_a_file(api):
    api.write_text(ROOT.replace("payment.yaml#/Payment", "nowhere.yaml"), encoding="utf-8")
    content = "$.paths['/payments'].post.responses['201'].content"
    overlay = f"overlay: 1.0.0\nactions: [{{target: \"{content}['application/json'].schema\", "
    for more, is_read in (("update: {$ref: 'payment.yaml#/Payment'}", True), ("update: {}", False)):
        (api.parent / "api.overlay.yaml").write_text(f"{overlay}{more}}}]\n", encoding="utf-8")
        assert (run("check", api) == 0) == is_read


def test_a_document_of_a_commit_is_read_with_all_its_files_and_its_overlay(
    api, capsys, monkeypatch
):
    monkeypatch.chdir(api.parents[1])
    overlay = (
        "overlay: 1.0.0\nactions: [{target: $.components.schemas.Payment, update: {x-a: 1}}]\n"
    )
    (api.parent / "api.overlay.yaml").write_text(overlay, encoding="utf-8")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=no"]
    for command in (["init", "-q"], ["add", "api"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    write(api.parent, {"payment.yaml": WIDER})
    capsys.readouterr()
    assert run("diff", "git:HEAD:api/api.yaml", "api/api.yaml", "--no-python") == 0
    assert "components.schemas.Payment.properties.payer" in capsys.readouterr().out
    newer = write(api.parents[1] / "new", {"api.yaml": ROOT, "payment.yaml": PARTS})
    assert run("diff", "git:HEAD:api/api.yaml", newer, "--no-python") == 0
    assert capsys.readouterr().out == "No change.\n"
