"""The reusable workflow that compares a document with that of the base, run as GitHub runs it."""

import os
import subprocess
import sys

import pytest
import yaml

from tests.cases import ROOT

pytestmark = pytest.mark.pull_request
WORKFLOW = ROOT / ".github" / "workflows" / "spec-diff.yml"
OLD = """\
openapi: 3.0.3
info: {title: Cards, version: 1.4.0}
paths:
  /cards:
    get: {responses: {"200": {description: The cards}}}
"""


@pytest.fixture
def repository(tmp_path):
    """A repository whose only commit has cards.yaml, and a command victor-spec on its path."""
    (tmp_path / "cards.yaml").write_text(OLD, encoding="utf-8")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-C", str(tmp_path)]
    for arguments in (["init", "-q"], ["add", "cards.yaml"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, "-c", "commit.gpgsign=false", *arguments], check=True)
    command = tmp_path / "bin" / "victor-spec"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m victor_spec "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


def compare(repository, document, base="HEAD"):
    """Run the step that compares, and return it with the summary that it wrote."""
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["diff"]["steps"]
    (script,) = (step["run"] for step in steps if step.get("name") == "Compare")
    summary = repository / "summary.md"
    summary.touch()
    settings = {
        "PATH": f"{repository / 'bin'}:{os.environ['PATH']}",
        "DOCUMENT": document,
        "BASE": base,
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    ran = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=repository,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran, summary.read_text(encoding="utf-8")


def test_a_new_document_is_compared_with_nothing(repository):
    (repository / "new.yaml").write_text(OLD, encoding="utf-8")
    ran, summary = compare(repository, "new.yaml")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == summary == "new.yaml is new: HEAD has none to compare it with.\n"


def test_the_workflow_fails_and_says_that_all_breaks_if_the_document_was_deleted(repository):
    (repository / "cards.yaml").unlink()
    ran, summary = compare(repository, "cards.yaml")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout == f"::error::{summary}"
    assert summary == "cards.yaml is gone: all that HEAD has in it breaks.\n"


@pytest.mark.parametrize(
    ("document", "base"), [("never.yaml", "HEAD"), ("cards.yaml", "no-such-branch")]
)
def test_a_document_or_a_base_that_does_not_exist_is_reported_as_unreadable(
    repository, document, base
):
    ran, _ = compare(repository, document, base)
    assert ran.returncode == 2
    assert f"git:{base}:{document} cannot be read" in ran.stderr


def test_a_breaking_change_is_in_the_summary_and_in_an_annotation(repository):
    (repository / "cards.yaml").write_text(OLD.replace("/cards", "/card"), encoding="utf-8")
    ran, summary = compare(repository, "cards.yaml")
    assert ran.returncode == 1
    assert "paths./cards.get" in ran.stdout
    assert "paths./cards.get" in summary
