"""`make update-spec` ends with one verdict, and with an undo of what it replaced."""

import os
import shutil
import subprocess

import pytest

from tests.release.contents import ROOT

pytestmark = pytest.mark.slow
UP_TO_DATE = ("-o", ".venv/.ready", "-o", "tests/fifth_system/tiny_api/py.typed")
"""What `make setup` makes."""
PYTHON = """\
#!/bin/sh
# `victor_spec update` replaces the document, its package and the changelog; pytest finds something.
case "$2" in
    victor_spec)
        for document; do test "$document" = newer.yaml || replaced=$document; done
        echo new | tee "$replaced" generated/a_api/old.py generated/a_api/new.py > CHANGELOG.md
        exit {compared};;
    tests.contracts.record) echo new > tests/contracts/a.json;;
    pytest) exit {tested};;
esac
"""


@pytest.fixture
def clone(tmp_path):
    """A clone with documents that git knows and one that it does not, and an environment."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    names = ["openapi/victor.yaml", "my documents/a.yaml", "generated/a_api/old.py", "CHANGELOG.md"]
    names += ["tests/contracts/a.json", "tests/contracts/a.py"]
    setup = ["requirements.lock", "pyproject.toml", "recipe/pyproject.toml", ".venv/.ready"]
    setup += ["recipe/victor_spec/a.py"]
    for name in [*names, "untracked.yaml", *setup]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", *names], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True)
    return tmp_path


def last_lines(clone, *settings, compared=0, tested=0):
    """What is printed behind the contract tests."""
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text(PYTHON.format(compared=compared, tested=tested))
    python.chmod(0o755)
    ran = subprocess.run(
        ["make", *UP_TO_DATE, "update-spec", "FROM=newer.yaml", *settings],
        cwd=clone,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout.partition("what the document says?\n")[2].splitlines()


@pytest.mark.parametrize(
    ("compared", "tested", "verdict"),
    [
        (0, 0, "Nothing has to be decided"),
        (1, 0, "Yours to decide: the decisions that are numbered above. The contract tests pass."),
        (0, 1, "Yours to decide: what the contract tests name."),
        (1, 2, "numbered above, and what the contract tests name."),
    ],
)
def test_the_verdict_follows_from_the_comparison_and_the_contract_tests(
    clone, compared, tested, verdict
):
    lines = last_lines(clone, compared=compared, tested=tested)
    assert len(lines) == 2
    assert verdict in lines[0]


@pytest.mark.parametrize(
    "document", ["openapi/victor.yaml", "my documents/a.yaml", "untracked.yaml"]
)
def test_the_undo_restores_what_was_replaced_and_git_has(clone, document):
    (clone / "tests/contracts/a.py").write_text("own\n")
    *_, undo = last_lines(clone, f"SPEC={document}")
    assert (clone / "tests/contracts/a.json").read_text() == "new\n"
    command = undo.removeprefix("To undo all of it: ")
    subprocess.run(["sh", "-c", command], cwd=clone, check=True, capture_output=True)
    is_known = document != "untracked.yaml"
    assert (clone / document).read_text() == ("old\n" if is_known else "new\n")
    assert (clone / "generated/a_api/old.py").read_text() == "old\n"
    assert not (clone / "generated/a_api/new.py").exists()
    assert (clone / "CHANGELOG.md").read_text() == "old\n"
    assert (clone / "tests/contracts/a.json").read_text() == "old\n"
    assert (clone / "tests/contracts/a.py").read_text() == "own\n"


def test_the_output_says_that_the_undo_cannot_restore_a_document_unknown_to_git(clone):
    lines = last_lines(clone, "SPEC=untracked.yaml")
    assert lines[1] == "git has no earlier untracked.yaml: the undo leaves it as it is."
