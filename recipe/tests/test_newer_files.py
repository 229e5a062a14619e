"""A newer document in several files: all of them are taken, or none."""

import subprocess

import pytest

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


@pytest.mark.parametrize("link", ["schemas", "schemas/Payment.yaml"])
def test_nothing_is_written_through_a_link(api, link, capsys):
    elsewhere = api.parents[1] / "elsewhere"
    write(elsewhere, {"Payment.yaml": "mine: 1\n"})
    path = api.parent / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(elsewhere if link == "schemas" else elsewhere / "Payment.yaml")
    said = refused(api, NESTED, capsys)
    assert f"api/{link} is a link, and nothing is written through one" in said


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
