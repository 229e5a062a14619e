"""The documents of the repository, and cases that stand beside the tests that read them."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(path for path in (ROOT / "openapi").glob("*.yaml") if "." not in path.stem)
"""Those of the repository, without the files that stand beside them."""


def cases_beside(test, name="cases"):
    """The cases of a folder, by their names; `test` is the `__file__` of a test in it."""
    return yaml.safe_load(Path(test).with_name(f"{name}.yaml").read_text(encoding="utf-8"))
