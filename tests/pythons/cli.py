"""Extra `cli`: the help of every command is whole and plain, and a key is the one that Python makes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from victor_ext import idempotency_key_for

VICTOR = Path(sys.executable).with_name("victor")
USAGES = {
    "": "Usage: victor [OPTIONS] COMMAND [ARGS]...",
    "key": "Usage: victor key [OPTIONS] {FACT...}",
    "rfp get": "Usage: victor rfp get [OPTIONS] {ID}",
    "rfp create": "Usage: victor rfp create [OPTIONS]",
    "bulk export": "Usage: victor bulk export [OPTIONS] [BATCH]",
}


def run(*words: str) -> str:
    return subprocess.run([VICTOR, *words], capture_output=True, text=True, check=True).stdout


assert run("key", "invoice", "1042").strip() == idempotency_key_for("invoice", "1042")
for command, usage in USAGES.items():
    shown = run(*command.split(), "--help")
    assert shown.splitlines()[0] == usage, shown.splitlines()[0]
    # The types of typer: <str>, <list[str]>.
    assert not re.search(r"<\w+", shown), shown
