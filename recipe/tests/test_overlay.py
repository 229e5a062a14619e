"""The corrections of a document: the overlay beside it."""

import pytest
import yaml

from victor_spec.document import DocumentError, load, read_document

from .cases import ROOT
from .command import run

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /cards/{id}:
    get:
      operationId: getCard
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: since, in: query, schema: {type: string}}
      responses:
        "200":
          description: The card.
          content: {application/json: {schema: {$ref: '#/components/schemas/Card'}}}
components:
  schemas:
    Card:
      type: object
      required: [pin]
      properties:
        pin: {type: string}
        "it's": {type: string}
        made: {type: string}
"""
CARD = "$.components.schemas.Card"
FORMAT = f"{{target: '{CARD}.properties.made', update: {{format: date-time}}}}"
SINCE = "$.paths['/cards/{id}'].get.parameters[?@.name=='since']"


def shop(folder, *actions, top="overlay: 1.0.0"):
    """The document, with an overlay of these actions beside it."""
    document = folder / "shop.yaml"
    document.write_text(DOCUMENT, encoding="utf-8")
    lines = [top, "actions:", *(f"  - {action}" for action in actions)]
    (folder / "shop.overlay.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return document


EFFECTS = [
    (
        f"{CARD}.properties.made",
        {"update": {"format": "date"}},
        "made",
        {"type": "string", "format": "date"},
    ),
    (f'{CARD}.properties["it\'s"]', {"update": {"type": "integer"}}, "it's", {"type": "integer"}),
    (f"{CARD}.properties.made", {"remove": True}, "made", None),
    (f"{CARD}.properties", {"update": {"new": {"type": "string"}}}, "new", {"type": "string"}),
]


@pytest.mark.parametrize(("target", "rest", "name", "value"), EFFECTS)
def test_an_action_changes_what_stands_at_its_target(target, rest, name, value, tmp_path):
    tree = load(
        shop(
            tmp_path,
            yaml.safe_dump({"target": target, **rest}, default_flow_style=True, width=999).strip(),
        )
    )
    assert tree["components"]["schemas"]["Card"]["properties"].get(name) == value


def test_an_item_of_a_list_is_named_by_a_member_and_a_list_gets_what_is_added(tmp_path):
    required = f"{{target: '{CARD}', update: {{required: [made]}}}}"
    tree = load(shop(tmp_path, f'{{target: "{SINCE}", remove: true}}', required))
    [parameter] = tree["paths"]["/cards/{id}"]["get"]["parameters"]
    assert parameter["name"] == "id"
    assert tree["components"]["schemas"]["Card"]["required"] == ["pin", "made"]


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("{target: $.a.c, remove: true}", "there is no 'a'"),
        (FORMAT.replace("made", "mad"), "the nearest key is 'made'"),
        ("{target: '$.paths[*]', remove: true}", "it is no exact path"),
        ("{target: '$.paths.x[0]', remove: true}", "it is no exact path"),
        (f'{{target: "{SINCE.replace("since", "until")}", update: {{}}}}', "0 items are 'until'"),
        ("{target: $.info}", "either `update` or `remove: true`"),
        ("{target: $.info, update: 5}", "`update` must be an object"),
        ("{target: $.info.title, update: {}}", "it leads to no object and no list"),
    ],
)
def test_an_action_that_leads_nowhere_or_does_not_fit_is_named(action, says, tmp_path):
    with pytest.raises(DocumentError) as caught:
        load(shop(tmp_path, FORMAT, action))
    assert str(caught.value).startswith(f"{tmp_path / 'shop.overlay.yaml'}: action 2 (")
    assert says in str(caught.value)


@pytest.mark.pull_request
def test_the_package_follows_the_overlay_and_an_action_that_changes_nothing_is_red(
    tmp_path, capsys
):
    document = shop(tmp_path, FORMAT)
    arguments = [document, "--out", tmp_path]
    assert run("generate", *arguments) == 0
    model = (tmp_path / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")
    assert "made: datetime.datetime | Unset" in model
    assert run("check", *arguments) == 0
    document.write_text(
        DOCUMENT.replace("made: {type: string}", "made: {type: string, format: date-time}")
    )
    assert read_document(document).idle == [
        f"{tmp_path / 'shop.overlay.yaml'}: action 1 ({CARD}.properties.made)"
    ]
    assert run("check", *arguments) == 1
    assert "as the document says so itself: delete it" in capsys.readouterr().out
    (tmp_path / "shop.overlay.yaml").unlink()
    assert run("check", *arguments) == 0


@pytest.mark.pull_request
def test_a_newer_document_is_corrected_as_the_one_that_it_replaces(tmp_path, capsys):
    document = shop(tmp_path, FORMAT)
    newer = tmp_path / "newer.yaml"
    newer.write_text(DOCUMENT.replace("1.0.0", "1.1.0"), encoding="utf-8")
    assert run("diff", document, newer) == 0
    assert "No change." in capsys.readouterr().out
    assert run("update", document, newer, "--out", tmp_path) == 0
    assert run("check", document, "--out", tmp_path) == 0
    newer.write_text(DOCUMENT.replace("        made:", "        created:"), encoding="utf-8")
    assert run("update", document, newer, "--out", tmp_path) == 2
    assert "there is no 'made'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "file", [*(ROOT / "openapi").glob("*.overlay.yaml")], ids=lambda file: file.name
)
def test_our_overlays_change_something_each(file):
    assert read_document(file.with_name(file.name.replace(".overlay", ""))).idle == []
