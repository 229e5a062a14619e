"""`make update-spec` ends with one verdict, and with an undo of what it replaced."""

import subprocess
from pathlib import Path

import pytest

from tests.contracts import update_spec

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with documents; the tests run in it."""
    names = ["openapi/victor.yaml", "my documents/a.yaml", "generated/a_api/old.py"]
    names += [
        "tests/contracts/a.json",
        "tests/contracts/a.py",
        "docs/reference.md",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", *names], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def update(document="openapi/victor.yaml", *, compared=0, tested=0):
    """Update a document; each module writes what it would, and nothing but that."""

    def run(name, *arguments):
        if name == "victor_spec":
            assert arguments[-3:] == ("--", document, "newer.yaml")
            files = [document, "generated/a_api/old.py", "generated/a_api/new.py"]
            status = compared
        elif name == "pytest":
            files, status = [], tested
        else:
            pages = {"tests.contracts.record": "tests/contracts/a.json"}
            files, status = [pages.get(name, "docs/reference.md")], 0
        for file in files:
            Path(file).write_text("new\n")
        return status

    return update_spec.main(document, "newer.yaml", run)


def last_lines(capsys):
    """What is printed behind the contract tests."""
    return capsys.readouterr().out.partition("what the document says?\n")[2].splitlines()


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
    clone, capsys, compared, tested, verdict
):
    assert update(compared=compared, tested=tested) == 0
    lines = last_lines(capsys)
    assert len(lines) == 2
    assert verdict in lines[0]


@pytest.mark.parametrize("document", ["openapi/victor.yaml", "my documents/a.yaml"])
def test_the_undo_restores_what_was_replaced_and_git_has(clone, capsys, document):
    (clone / "tests/contracts/a.py").write_text("own\n")
    update(document)
    *_, undo = last_lines(capsys)
    written = [document, "generated/a_api/old.py", "tests/contracts/a.json", "docs/reference.md"]
    assert {(clone / name).read_text() for name in written} == {"new\n"}
    command = undo.removeprefix("To undo all of it: ")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert {(clone / name).read_text() for name in written} == {"old\n"}
    assert not (clone / "generated/a_api/new.py").exists()
    assert (clone / "tests/contracts/a.py").read_text() == "own\n"


def test_an_update_that_fails_writes_nothing_more_and_ends_with_its_status(clone, capsys):
    assert update(compared=2) == 2
    assert (clone / "docs/reference.md").read_text() == "old\n"
    assert last_lines(capsys) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["FROM=newer.yaml"], '"openapi/victor.yaml" "newer.yaml"'),
        (["FROM=newer.yaml", "SPEC=my documents/a.yaml"], '"my documents/a.yaml" "newer.yaml"'),
        ([], '"openapi/victor.yaml" ""'),
    ],
)
def test_make_passes_both_documents(settings, words):
    command = ["make", "--dry-run", "-C", str(ROOT), "update-spec", *settings]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"-m tests.contracts.update_spec {words}" in ran.stdout


def test_without_a_newer_document_make_says_how_to_name_it(capsys):
    assert update_spec.main("openapi/victor.yaml", "") == 2
    assert "make update-spec FROM=newer.yaml" in capsys.readouterr().out
