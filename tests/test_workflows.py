"""The targets of `make` that CI and the pages for contributors name exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CALLED = re.compile(r"(?:`|run: |^|@|\$ )(?:make|\$\(MAKE\)) ([a-z2./ -]+)", re.MULTILINE)


def test_each_target_of_make_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    rules = re.findall(r"^([\w./-]+(?: [\w./-]+)*):(?!=)", makefile, re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    callers = [ROOT / ".ci/run", ROOT / "Makefile", *ROOT.glob(".github/workflows/*.yml")]
    for room in (".", "docs", "examples/*", "recipe", "recipe/docs", "tests"):
        callers += ROOT.glob(f"{room}/*.md")
    for path in callers:
        called = {word for words in CALLED.findall(path.read_text()) for word in words.split()}
        assert {word for word in called if not word.startswith("-")} <= targets, path
