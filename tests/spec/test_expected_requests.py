"""The encoder of the check, against the tables of the OpenAPI specification."""

from __future__ import annotations

from typing import Any

import pytest

from victor_ext.spec.checking.expected import difference, query_pairs, same_text, take, values
from victor_ext.spec.checking.operations import Parameter
from victor_ext.spec.checking.views import Node

COLORS = ["blue", "black", "brown"]
RGB = {"R": 100, "G": 200, "B": 150}


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("matrix", False, "blue", ";color=blue"),
        ("matrix", False, COLORS, ";color=blue,black,brown"),
        ("matrix", True, COLORS, ";color=blue;color=black;color=brown"),
        ("matrix", False, RGB, ";color=R,100,G,200,B,150"),
        ("matrix", True, RGB, ";R=100;G=200;B=150"),
        ("label", False, "blue", ".blue"),
        ("label", False, COLORS, ".blue,black,brown"),
        ("label", True, COLORS, ".blue.black.brown"),
        ("label", False, RGB, ".R,100,G,200,B,150"),
        ("label", True, RGB, ".R=100.G=200.B=150"),
        ("simple", False, "blue", "blue"),
        ("simple", False, COLORS, "blue,black,brown"),
        ("simple", True, COLORS, "blue,black,brown"),
        ("simple", False, RGB, "R,100,G,200,B,150"),
        ("simple", True, RGB, "R=100,G=200,B=150"),
    ],
)
def test_paths_and_headers(style: str, explode: bool, value: Any, written: str) -> None:
    assert written in values(Parameter("", "path", "color", Node({}, ""), style, explode), value)


def test_the_order_of_properties_does_not_count() -> None:
    """A model writes what the document requires, and what it does not declare, first."""
    turned = dict(reversed(RGB.items()))
    assert "R=100,G=200,B=150" in values(Parameter("", "header", "color", Node({}, ""), "simple", explode=True), turned)
    assert [("color", "R,100,G,200,B,150")] in query_pairs("color", turned, "form", explode=False)


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("form", True, "blue", "color=blue"),
        ("form", False, COLORS, "color=blue,black,brown"),
        ("form", True, COLORS, "color=blue&color=black&color=brown"),
        ("form", False, RGB, "color=R,100,G,200,B,150"),
        ("form", True, RGB, "R=100&G=200&B=150"),
        ("spaceDelimited", False, COLORS, "color=blue black brown"),
        ("spaceDelimited", False, RGB, "color=R 100 G 200 B 150"),
        ("pipeDelimited", False, COLORS, "color=blue|black|brown"),
        ("pipeDelimited", False, RGB, "color=R|100|G|200|B|150"),
        ("deepObject", True, RGB, "color[R]=100&color[G]=200&color[B]=150"),
        ("deepObject", False, RGB, "color[R]=100&color[G]=200&color[B]=150"),
        ("deepObject", True, {"a": {"b": [True, 1.5]}}, "color[a][b][]=true&color[a][b][]=1.5"),
        ("deepObject", True, {"a": {"b": [True, 1.5]}}, "color[a][b][0]=true&color[a][b][1]=1.5"),
    ],
)
def test_queries(style: str, explode: bool, value: Any, written: str) -> None:
    pairs = [tuple(pair.split("=")) for pair in written.split("&")]
    assert pairs in query_pairs("color", value, style, explode=explode)


def test_the_text_of_a_python_object_is_never_right() -> None:
    value = {"price": "p1", "tags": ["a"]}
    for style in ("form", "deepObject", "spaceDelimited"):
        for explode in (True, False):
            for way in query_pairs("line", value, style, explode=explode):
                assert all("'" not in text for _, text in way)


def test_items_keep_their_order() -> None:
    ways = [[("a", "1"), ("a", "2")]]
    assert take([("a", "1"), ("b", "0"), ("a", "2")], ways)
    assert not take([("a", "2"), ("a", "1")], ways)
    assert not take([("a", "1")], ways)


def test_equal_values() -> None:
    assert same_text("2026-03-04T05:06:07Z", "2026-03-04T05:06:07.000+00:00")
    assert not same_text("2026-03-04T05:06:07Z", "2026-03-04T05:06:08Z")
    assert difference({"a": None, "b": [1]}, {"b": [1.0]}) is None
    assert difference({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}) == "a.b[1] is 3 instead of 2"
    assert difference({"a": True}, {"a": 1}) == "a is 1 instead of true"
    assert difference({"a": 1}, {}) == "a is null instead of 1"
    assert difference([1, 2], [1]) == "it is [1] instead of [1, 2]"
