"""docs/ci.md: its files are those of examples/ci, whose steps run in a service's repository."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.pages.page import ROOT

pytestmark = pytest.mark.slow

FILES = {
    name: ROOT / "examples/ci" / name for name in ("github.yml", "gitlab.yml", "pre-commit.yaml")
}
DOCUMENT = """\
openapi: 3.0.3
info: { title: Cards, version: "1" }
paths:
  /cards:
    get:
      operationId: listCards
      tags: [cards]
      parameters: [{ name: state, in: query, schema: { type: string } }]
      responses:
        "200":
          description: All cards.
          content: { application/json: { schema: { $ref: "#/components/schemas/Card" } } }
components:
  schemas:
    Card:
      type: object
      required: [id]
      properties: { id: { type: string }, state: { type: string } }
"""


class Service:
    """The repository of a service, with a document and its package on `main`, and a branch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.document = folder / "openapi/cards.yaml"
        self.document.parent.mkdir()
        self.document.write_text(DOCUMENT)
        self.run("victor-spec generate openapi/cards.yaml --out clients")
        self.run("git init -q -b main . && git add . && git commit -q -m one")
        self.run("git update-ref refs/remotes/origin/main HEAD && git switch -q -c branch")

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a runner does: it ends at the first command that fails."""
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", "A service"), ("EMAIL", "service@example.com"))
        }
        path = os.pathsep.join([str(ROOT / ".venv/bin"), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**os.environ, **who, "PATH": path, **variables},
            check=False,
            capture_output=True,
            text=True,
        )

    def github(self, base: str = "origin/main") -> dict[str, subprocess.CompletedProcess[str]]:
        """The steps of the workflow that run a script, by their names, but for the installation."""
        steps = yaml.safe_load(FILES["github.yml"].read_text())["jobs"]["openapi"]["steps"]
        scripts = {step["name"]: step["run"] for step in steps if "run" in step}
        del scripts["Install victor-spec"]
        summary = str(self.folder.parent / "summary.md")
        variables = {"BASE": base, "GITHUB_STEP_SUMMARY": summary}
        return {name: self.run(script, **variables) for name, script in scripts.items()}

    def gitlab(self, base: str = "origin/main") -> subprocess.CompletedProcess[str]:
        """The script of the job of GitLab."""
        job = yaml.safe_load(FILES["gitlab.yml"].read_text())["openapi"]
        return self.run("\n".join(job["script"]), BASE=base)


@pytest.fixture
def service(tmp_path):
    folder = tmp_path / "service"
    folder.mkdir()
    return Service(folder)


@pytest.mark.parametrize("name", FILES)
def test_the_page_has_each_file_whole(name):
    page = (ROOT / "docs/ci.md").read_text()
    assert f"```yaml\n{FILES[name].read_text()}```" in page


def test_a_pull_request_that_changes_nothing_is_green(service):
    compared, checked, _ = service.github().values()
    assert (compared.returncode, checked.returncode) == (0, 0), checked.stderr
    assert service.gitlab().returncode == 0


def test_a_change_that_breaks_calls_is_red_and_named_at_its_line(service):
    service.document.write_text(
        DOCUMENT.replace("name: state, in: query,", "name: state, in: query, required: true,")
    )
    service.run("victor-spec generate openapi/cards.yaml --out clients")
    compared, checked, _ = service.github().values()
    assert (compared.returncode, checked.returncode) == (1, 0)
    assert "::error file=openapi/cards.yaml,line=" in compared.stdout
    assert "state" in (service.folder.parent / "summary.md").read_text()
    assert service.gitlab().returncode == 1
    assert "state" in (service.folder / "openapi-diff.md").read_text()


def test_a_package_that_was_edited_is_red_and_the_difference_is_shown(service):
    model = service.folder / "clients/cards_api/models/card.py"
    model.write_text(model.read_text() + "\nEDITED = True\n")
    service.run("git commit -q -a -m edited")
    compared, checked, shown = service.github().values()
    assert (compared.returncode, checked.returncode) == (0, 1)
    assert "card.py" in checked.stdout + checked.stderr
    assert "-EDITED = True" in shown.stdout


def test_a_document_that_the_base_does_not_have_is_compared_with_nothing(service):
    service.run("git rm -q -r --cached openapi && git commit -q -m none")
    service.run("git update-ref refs/remotes/origin/main HEAD")
    compared, checked, _ = service.github().values()
    assert (compared.returncode, checked.returncode) == (0, 0)


def test_a_base_that_was_not_fetched_is_red(service):
    compared, *_ = service.github(base="origin/other").values()
    assert compared.returncode == 128
    assert service.gitlab(base="0" * 40).returncode == 128


def test_gitlab_writes_its_report_also_where_the_package_is_stale(service):
    service.document.write_text(DOCUMENT.replace("name: state,", "name: status,"))
    assert service.gitlab().returncode == 1
    assert "status" in (service.folder / "openapi-diff.md").read_text()
