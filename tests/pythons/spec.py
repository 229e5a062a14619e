"""Extra `spec`: a document becomes a package that can be imported, by the command."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path

document = Path("victor.yaml")
document.write_bytes((files("victor_ext") / "openapi" / "victor.yaml").read_bytes())
victor = Path(sys.executable).with_name("victor")
command = [victor, "spec", "generate", document, "--out", "made", "--name", "made_api"]
check = [victor, "spec", "check", document, "--out", "made", "--name", "made_api"]
for each in (command, check):
    made = subprocess.run(each, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
sys.path.insert(0, "made")
assert import_module("made_api").Client(base_url="http://127.0.0.1")
