"""`victor spec update`: the day that a newer document comes, in a folder of the user's own."""

import shlex
from pathlib import Path

import pytest

from victor_ext.spec.command_line import main
from victor_ext.spec.generate import generate

pytestmark = pytest.mark.thorough
OLD = Path(__file__).with_name("update.yaml").read_text(encoding="utf-8")
ADDED = OLD.replace("1.4.0", "1.5.0").replace("        note:", "        colour: {type: string}\n        note:")
BROKEN = OLD.replace("1.4.0", "2.0.0").replace("        price: {type: integer}\n", "")
LOSSY = OLD.replace("price: {type: integer}", "price: {$ref: '#/components/schemas/Price'}")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a document and its package."""
    (tmp_path / "shop.yaml").write_text(OLD, encoding="utf-8")
    generate(tmp_path / "shop.yaml", tmp_path)
    return tmp_path


def update(shop: Path, newer: str, *more: str) -> int:
    """Run the command."""
    (shop / "newer.yaml").write_text(newer, encoding="utf-8")
    return main(["update", str(shop / "shop.yaml"), str(shop / "newer.yaml"), "--out", str(shop), *more])


def files(shop: Path) -> dict[str, bytes]:
    """What could have been replaced."""
    return {
        str(path.relative_to(shop)): path.read_bytes()
        for path in sorted(shop.rglob("*"))
        if path.is_file() and path.name != "newer.yaml" and "__pycache__" not in path.parts
    }


def test_an_addition_needs_no_decision(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(shop, ADDED) == 0
    assert "No change breaks anything" in capsys.readouterr().out
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == ADDED
    assert "colour" in (shop / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")
    before = files(shop)
    generate(shop / "shop.yaml", shop)
    assert files(shop) == before


def test_what_may_break_is_a_decision(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get = "  /cards/{id}:\n    get:\n"
    assert update(shop, OLD.replace(get, f"{get}      deprecated: true\n      x-sunset: soon\n")) == 1
    assert "1 decision for a person:" in capsys.readouterr().out


def test_the_package_keeps_its_decimals(shop: Path) -> None:
    assert update(shop, ADDED.replace("price: {type: integer}", "price: {type: number}"), "--decimals", "*.price") == 1
    assert "price: Decimal" in (shop / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")


def test_what_breaks_is_a_decision(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(shop, BROKEN, "--name", "bank") == 1
    out = capsys.readouterr().out
    assert "1 decision for a person:" in out
    assert "components.schemas.Card.properties.price" in out
    assert "bank.models.Card.price" in out
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == BROKEN


@pytest.mark.parametrize("newer", [OLD, "", "openapi: 2.0", "openapi: 3.0.0\n", "openapi: 3.0.0\npaths: [", LOSSY])
def test_the_same_document_and_what_makes_no_whole_package_replace_nothing(
    newer: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(shop)
    assert update(shop, newer) == (0 if newer == OLD else 2)
    printed = capsys.readouterr()
    assert "No change." in printed.out if newer == OLD else printed.err
    assert files(shop) == before


def test_a_loss_is_accepted_by_the_command_that_the_refusal_names(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update(shop, LOSSY) == 2
    command = capsys.readouterr().err.splitlines()[-1]
    assert main(shlex.split(command.replace("REASON", "'never read'"))[2:]) == 0
    assert update(shop, LOSSY) == 1
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == LOSSY


def test_approvals_may_lie_elsewhere(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "newer.yaml").write_text(BROKEN, encoding="utf-8")
    approve = ["--approve", "Nobody reads the price.", "--expires", "2999-01-31"]
    assert main(["diff", str(shop / "shop.yaml"), str(shop / "newer.yaml"), *approve]) == 0
    assert update(shop, BROKEN, "--approved", str(shop / "newer.approved.yaml")) == 0
    assert "approved" in capsys.readouterr().out


def test_what_was_not_shown_is_not_approved(shop: Path) -> None:
    (shop / "newer.yaml").write_text(BROKEN, encoding="utf-8")
    compare = ["diff", str(shop / "shop.yaml"), str(shop / "newer.yaml")]
    assert main([*compare, "--no-python", "--approve", "Nobody reads the price.", "--expires", "2999-01-31"]) == 0
    assert "scope: wire" in (shop / "newer.approved.yaml").read_text(encoding="utf-8")
    assert main([*compare, "--no-python"]) == 0
    assert main(compare) == 1


def test_a_folder_without_the_package_is_named(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(shop / "shop.yaml"), "--out", str(shop / "nowhere")]) == 1
    said = f"{shop / 'nowhere' / 'shop_api'}: the package does not exist: run `victor spec generate`"
    assert capsys.readouterr().err.startswith(said)
