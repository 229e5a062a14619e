"""The line of a place in the text of a document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from victor_ext.spec.__main__ import main
from victor_ext.spec.diff.report import Lines
from victor_ext.spec.document import load

YAML = """openapi: 3.0.3
info: {title: Shop, version: '1'}
servers:
  - url: https://shop.example
  - url: https://test.example
paths:
  /v1.0/cards:
    get: {}
  /v1.0/cards/{id}:
    get:
      parameters:
        - {in: header, name: limit}
        - in: query
          name: limit
          schema: {type: integer}
      responses:
        '200': {description: ok}
components:
  schemas:
    Card.Small: {type: object}
    Card:
      type: object
      properties:
        price: {type: integer}
        pin: {type: string}
"""
PLACES = {
    "": 1,
    "servers[1].url": 5,
    "paths./v1.0/cards/{id}.get": 10,
    "paths./v1.0/cards.get.summary": 8,
    "paths./v1.0/cards/{id}.get.parameters.query:limit": 13,
    "paths./v1.0/cards/{id}.get.parameters.query:limit.schema": 15,
    "components.schemas.Card.Small": 20,
    "components.schemas.Card.properties.price": 24,
    "components.schemas.Card.properties.gone": 23,
    "nowhere": 1,
}


@pytest.mark.parametrize(("place", "line"), PLACES.items())
def test_the_line_of_a_place(tmp_path: Path, place: str, line: int) -> None:
    (tmp_path / "shop.yaml").write_text(YAML, encoding="utf-8")
    assert Lines(tmp_path / "shop.yaml").of(place) == line


def test_json_has_lines_too(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(YAML, encoding="utf-8")
    for indent in (2, "\t"):
        (tmp_path / "shop.json").write_text(json.dumps(load(tmp_path / "shop.yaml"), indent=indent), encoding="utf-8")
        written = (tmp_path / "shop.json").read_text(encoding="utf-8").splitlines()
        line = Lines(tmp_path / "shop.json").of("components.schemas.Card.properties.price")
        assert written[line - 1].strip() == '"price": {'


def test_annotations_have_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(YAML, encoding="utf-8")
    new.write_text(YAML.replace("name: limit\n", "name: limit\n          required: true\n"), encoding="utf-8")
    assert main(["diff", str(old), str(new), "--no-python", "--github"]) == 1
    assert re.match(
        r"::error file=.*,line=13,title=paths./v1.0/cards/{id}.get.parameters.query%3Alimit::", capsys.readouterr().out
    )
