"""Every mistake that is planted in a generated package makes the check red, and says where."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from victor_ext.spec.checking.check import inspect
from victor_ext.spec.document import load
from victor_ext.spec.generate import generate

from .wire import beside

pytestmark = pytest.mark.thorough
SHOP = Path(__file__).with_name("shop.yaml")
MISTAKES = beside("planted")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    assert generate(SHOP, folder).left_out == []
    return folder / "shop_api"


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "shop_api", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "shop_api"


def test_the_package_as_it_is_made_is_green(made: Path) -> None:
    findings = inspect(load(SHOP), made)
    assert not findings.problems
    assert findings.declared == findings.present == {
        "operations": 4, "parameters": 7, "answers": 7, "schemas": 5, "properties": 12, "enum values": 9,
    }  # fmt: skip


PLANTED = {name: (each["module"], each["change"], each["said"]) for name, each in MISTAKES["modules"].items()} | {
    name: (f"api/shop/{module}", MISTAKES["around"][planted].replace("CHANGE", each["change"]), each["said"])
    for planted in ("requests", "answers")
    for module, changes in MISTAKES[planted].items()
    for name, each in changes.items()
}


@pytest.mark.parametrize(("module", "code", "said"), PLANTED.values(), ids=PLANTED)
def test_a_mistake_is_found(package: Path, module: str, code: str, said: str) -> None:
    with (package / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{code}")
    lines = [each.line() for each in inspect(load(SHOP), package).problems.values()]
    assert any(re.search(said, line) for line in lines), lines
