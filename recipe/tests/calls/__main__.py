"""Judge documents: `python -m tests.calls FILE...`. Exit status 1: one is sent or read otherwise
than it says.
"""

import sys
import tempfile
from pathlib import Path

from victor_spec.document import load
from victor_spec.generate import generate

from .judge import judged


def judge_document(path: Path):
    """How many mistakes the package of a document has; prints them."""
    tree = load(path)
    with tempfile.TemporaryDirectory() as folder:
        result = generate(path, Path(folder), tree=tree)
        verdict = judged(tree, result.package)
    lines = {
        "wrong": [each.line() for each in verdict.faults.values() if each.kind == "wrong"],
        "left out": result.left_out,
        "missing": [
            each.line() for each in verdict.beside(result.left_out) if each.kind == "missing"
        ],
        "plain": sorted(verdict.plain),
        "unjudged": sorted(verdict.unjudged),
    }
    counted = ", ".join(f"{len(each)} {name}" for name, each in lines.items())
    print(f"{path.name}: {verdict.calls} calls, {verdict.decoded} answers, {counted}", flush=True)
    for name, each in lines.items():
        if each:
            print(f"    {name}:", *each[:20], sep="\n        ")
    return len(lines["wrong"])


if __name__ == "__main__":
    sys.exit(min(sum(judge_document(Path(each)) for each in sys.argv[1:]), 1))
