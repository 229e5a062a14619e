"""Cases that stand beside the tests that read them, in `cases.yaml`."""

from pathlib import Path

import yaml


def cases_beside(test, name="cases"):
    """The cases of a folder, by their names; `test` is the `__file__` of a test in it."""
    text = Path(test).with_name(f"{name}.yaml").read_text(encoding="utf-8")
    try:
        # the loader in Python takes as long as many tests
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.scanner.ScannerError:
        # the one in C knows no half of a surrogate pair
        return yaml.safe_load(text)
