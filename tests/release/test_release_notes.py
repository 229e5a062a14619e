"""The notes of a release are its section of the changelog, with links that lead into the tag."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
CHANGELOG = """\
# Changelog

## 1.2.3 - 2026-01-31

[a](docs/a.md#b), [b](../docs/b.md), [c](https://c.example/d).

## 1.2.2 - 2026-01-30

Older.
"""
PAGES = "https://host.example/owner/name/blob"

pytestmark = pytest.mark.slow


def notes(folder, tag, package, changelog):
    """The notes that the workflow writes in a repository with this package and changelog."""
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["build"]["steps"]
    [script] = [step["run"] for step in steps if "notes.md" in step.get("run", "")]
    for name, text in (
        (f"{package}/_version.py", '__version__ = "1.2.3"\n'),
        (changelog, CHANGELOG),
    ):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    variables = {
        "TAG": tag,
        "GITHUB_SERVER_URL": "https://host.example",
        "GITHUB_REPOSITORY": "owner/name",
    }
    subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=os.environ | variables, check=True)
    return (folder / "build" / "notes.md").read_text(encoding="utf-8")


def test_a_link_of_the_client_is_relative_to_the_root(tmp_path):
    text = notes(tmp_path, "v1.2.3", "victor_ext", "CHANGELOG.md")
    assert f"[a]({PAGES}/v1.2.3/docs/a.md#b)" in text
    assert "[c](https://c.example/d)" in text
    assert "Older" not in text


def test_a_link_of_the_recipe_is_relative_to_its_folder(tmp_path):
    text = notes(tmp_path, "spec-v1.2.3", "recipe/victor_spec", "recipe/CHANGELOG.md")
    assert f"[a]({PAGES}/spec-v1.2.3/recipe/docs/a.md#b)" in text
    assert f"[b]({PAGES}/spec-v1.2.3/docs/b.md)" in text
    assert "[c](https://c.example/d)" in text
