"""Cases that stand beside the tests that read them, in `cases.yaml`."""

from pathlib import Path

import yaml


def cases_beside(test, name="cases"):
    """The cases of a folder, by their names; `test` is the `__file__` of a test in it."""
    return yaml.safe_load(Path(test).with_name(f"{name}.yaml").read_text(encoding="utf-8"))


def documents_in(folder: Path) -> list[Path]:
    """The OpenAPI documents of a folder, without the files that stand beside them."""
    return sorted(path for path in folder.glob("*.yaml") if "." not in path.stem)
