"""Each system that is installed has its pages, and stands on the pages over all systems; one that
lacks it is named.
"""

from pathlib import Path

import pytest

from victor_ext._systems import entry_points_of

ROOT = Path(__file__).parents[2]
TITLES = {name: point.load().title for name, point in entry_points_of().items()}
OVERVIEWS = ("README.md", "docs/concepts.md", "docs/index.md", "docs/outbox.md")
OVERVIEWS += ("docs/reconcile.md", "docs/sandbox.md")
"""They name every system."""
each_system = pytest.mark.parametrize("name", TITLES)


@each_system
def test_a_system_has_a_page_and_a_reference(name):
    reference = "payment-requests" if name == "victor" else name
    pages = (f"docs/{name}.md", f"docs/api/{reference}.md")
    missing = [page for page in pages if not (ROOT / page).exists()]
    assert missing == [], f"write {', '.join(missing)}, as the other systems have them"


@each_system
def test_the_page_of_a_system_is_in_the_menu(name):
    lines = (ROOT / "mkdocs.yml").read_text("utf-8").splitlines()
    [systems] = [line for line in lines if "- Systems: [" in line]
    assert f"{name}.md" in systems, f"mkdocs.yml lacks {name}.md"


@each_system
def test_a_system_is_named_on_the_pages_over_all_systems(name):
    said = dict.fromkeys(OVERVIEWS, TITLES[name])
    said["docs/sandbox-reference.md"] = f"\n## {TITLES[name]}\n"
    for page, text in said.items():
        assert text in (ROOT / page).read_text("utf-8"), f"{page} lacks {text.strip()}"
