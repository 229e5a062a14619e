"""Each system that is installed has its pages, and stands on the pages over all systems; one that
lacks it is named.
"""

from pathlib import Path

import pytest
import yaml

from victor_ext.systems import entry_points_of

ROOT = Path(__file__).parents[2]
TITLES = {name: point.load().title for name, point in entry_points_of().items()}
OVERVIEWS = (
    "README.md",
    "docs/concepts.md",
    "docs/index.md",
    "docs/outbox.md",
    "docs/reconcile.md",
    "docs/sandbox.md",
)
"""They name every system."""


@pytest.mark.parametrize("name", TITLES)
def test_a_system_has_a_page_and_a_reference(name: str) -> None:
    reference = "payment-requests" if name == "victor" else name
    pages = (f"docs/{name}.md", f"docs/api/{reference}.md")
    missing = [page for page in pages if not (ROOT / page).exists()]
    assert missing == [], f"write {', '.join(missing)}, as the other systems have them"


@pytest.mark.parametrize("name", TITLES)
def test_its_page_is_in_the_menu(name: str) -> None:
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    [systems] = [section["Systems"] for section in menu if "Systems" in section]
    assert f"{name}.md" in systems, f"mkdocs.yml lacks {name}.md"


@pytest.mark.parametrize("name", TITLES)
def test_its_sandbox_has_a_section_of_the_reference(name: str) -> None:
    text = (ROOT / "docs" / "sandbox-reference.md").read_text("utf-8")
    assert f"\n## {TITLES[name]}\n" in text, f"docs/sandbox-reference.md lacks {TITLES[name]}"


@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("page", OVERVIEWS)
def test_a_page_over_all_systems_names_it(page: str, name: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert TITLES[name] in text, f"{page} says nothing of {TITLES[name]}"
