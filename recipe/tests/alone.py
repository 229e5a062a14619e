"""A use of the recipe without the client: `python -P alone.py DOCUMENT`.

The command makes a package in the working folder, checks it, and it can be imported.
"""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

COMMAND = Path(sys.executable).with_name("victor-spec")


def main(document):
    assert find_spec("victor_ext") is None, "the client is installed, too"
    for what in ("generate", "check"):
        command = [COMMAND, what, document, "--out", "made", "--name", "made_api"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    sys.path.insert(0, "made")
    assert import_module("made_api").Client(base_url="http://127.0.0.1")


if __name__ == "__main__":
    main(sys.argv[1])
