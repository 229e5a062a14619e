"""What CI and the pages for contributors call exists: targets of `make`, sessions of nox."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CALLERS = [
    *sorted(ROOT.glob(".github/workflows/*.yml")),
    *(ROOT / name for name in (".ci/run", ".pre-commit-config.yaml", "Makefile")),
    *(ROOT / name for name in ("CONTRIBUTING.md", "README.md", "tests/README.md")),
]


def test_each_target_of_make_and_each_session_of_nox_that_is_called_exists():
    makefile = (ROOT / "Makefile").read_text()
    rules = re.findall(r"^([\w./-]+(?: [\w./-]+)*):(?!=)", makefile, re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    sessions = re.findall(r"^@stage\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    for path in CALLERS:
        text = path.read_text()
        made = re.findall(r"(?:`|: |^)make ([a-z./ -]+)", text, re.MULTILINE)
        unknown = {target for targets_called in made for target in targets_called.split()} - targets
        unknown |= {*re.findall(r"\bnox.*? (?:-s|--session) (\w+)", text)} - {*sessions}
        assert not unknown, path
