"""Every block of every page runs, in the order of the page; what cannot run says why."""

import re
import subprocess
import sys
from unittest import SkipTest

import pytest
from sybil.evaluators.python import PythonEvaluator
from sybil.region import Lexeme

from tests.pages.page import PAGES, PARSED, READ_ONLY, ROOT, languages, name_of, parsed
from tests.tiers import borders

# The provider of a page has demo data, and takes a step of each request's life every 10 ms.
pytestmark = [pytest.mark.slow, pytest.mark.victor_sandbox(demo_data=True, auto=0.01)]
pytest_plugins = ["pytester"]
FIRST = (ROOT / "README.md", ROOT / "docs" / "start.md")
"""What a newcomer reads; the examples of all other pages run in the workflow."""
KNOWN = {"python", "sh", "console", "http", *READ_ONLY, *PARSED}


class Python:
    """Runs Python: modules and tests are written to files first."""

    def __init__(self, folder):
        self.folder = folder
        self.tests = []
        self._run = PythonEvaluator()

    def __call__(self, example):
        source = str(example.parsed)
        if module := re.match(r"# ([\w/]+\.py)\n", source):
            file = self.folder / module[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, encoding="utf-8")
        elif re.search(r"^(async )?def test_", source, re.MULTILINE):
            self.tests.append(source)
        else:
            for address, real in example.namespace.get("addresses", {}).items():
                source = source.replace(address, real)
            example.parsed = Lexeme(source, example.parsed.offset, example.parsed.line_offset)
            example.namespace.setdefault("__name__", "page")
            example.namespace.setdefault("__file__", str(self.folder / "page.py"))
            self._run(example)

    def read_document(self, example):
        """A document is read, and written to a file if it begins with the name of one."""
        source = str(example.parsed)
        PARSED["yaml"](example)
        if document := re.match(r"# (\w+\.yaml)\n", source):
            (self.folder / document[1]).write_text(source, encoding="utf-8")

    def run_tests(self, pytester):
        """Run the tests of the page, which import its modules."""
        files = [
            pytester.makepyfile(**{f"test_{number}": source})
            for number, source in enumerate(self.tests)
        ]
        for module in self.folder.glob("*.py"):
            pytester.makepyfile(**{module.stem: module.read_text(encoding="utf-8")})
        pytester.syspathinsert()
        (pytester.path / "examples").symlink_to(ROOT / "examples")
        ran = pytester.runpytest_inprocess(
            *files, "-p", "no:cacheprovider", "--strict-markers", "-W", "error"
        )
        ran.assert_outcomes(
            passed=sum(
                len(re.findall(r"^(?:async )?def test_", each, re.MULTILINE)) for each in self.tests
            )
        )


@pytest.mark.parametrize("page", borders(PAGES, *FIRST), ids=name_of)
def test_each_block_runs(
    page,
    provider,
    folder,
    request,
    capsys,
):
    run_python = Python(folder)

    def give(example):
        example.namespace.update({name: request.getfixturevalue(name) for name in example.parsed})

    runners = {
        "python": run_python,
        "yaml": run_python.read_document,
        "sh": provider.script,
        "console": provider.session,
        "given": give,
    }
    document = parsed(page, runners)
    document.namespace["capsys"] = capsys
    for example in document.examples():
        try:
            example.evaluate()
        except SkipTest as skipped:
            print(f"{name_of(page)}:{example.line}: not run: {skipped}")
        except Exception as error:
            error.add_note(f"in the block of {name_of(page)}, line {example.line}")
            raise
    if run_python.tests:
        run_python.run_tests(request.getfixturevalue("pytester"))


@pytest.mark.pull_request
def test_each_program_with_a_handler_is_typed_as_printed(tmp_path):
    """But for the names that hidden blocks of the page give it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"(?ms)^```python\n(.*?)^```$", text)):
            if re.search(r"@\w+\.on\(", block):
                (tmp_path / f"{page.stem}_{number}.py").write_text(block, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--disable-error-code=name-defined", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert len([*tmp_path.glob("*.py")]) > 1


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_block_names_its_language_and_each_skip_its_reason(page):
    assert set(languages(page)) <= KNOWN
    text = page.read_text(encoding="utf-8")
    skips = re.findall(r"<!--+\s*;?\s*skip:?(.*?)-->", text)
    assert [skip for skip in skips if not re.fullmatch(r' next "[^"]{10,}" ', skip)] == []
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"^ {4}(?:\$ |pip |victor |make |python ).*", outside, re.MULTILINE) == []
