"""Judge every document in folders: `python -m tests.calls FOLDER...`. Exit status 1: one is sent or
read otherwise than it says.
"""

import sys
import tempfile
import time
from pathlib import Path

from victor_spec.document import load
from victor_spec.generate import generate

from .judge import judged


def judge_document(document: Path):
    """How many mistakes the package of a document has; prints them."""
    began = time.process_time()
    tree = load(document)
    with tempfile.TemporaryDirectory() as folder:
        result = generate(document, Path(folder), tree=tree)
        verdict = judged(tree, result.package)
    faults = verdict.beside(result.left_out)
    wrong = [each for each in verdict.faults.values() if each.kind == "wrong"]
    missing = [each for each in faults if each.kind == "missing"]
    print(
        f"{document.name}: {verdict.calls} calls, {verdict.decoded} answers, {len(wrong)} wrong, "
        f"{len(result.left_out)} left out, {len(missing)} missing, {len(verdict.plain)} plain, "
        f"{len(verdict.unjudged)} unjudged, {time.process_time() - began:.0f} s",
        flush=True,
    )
    for line in (
        *(f"left out: {each}" for each in result.left_out),
        *(each.line() for each in wrong + missing),
    ):
        print("   ", line[:300])
    for name in ("plain", "unjudged"):
        for place in sorted(getattr(verdict, name))[:20]:
            print(f"    {name}: {place}")
    return len(wrong)


def main(arguments):
    documents = []
    for argument in map(Path, arguments):
        inner = sorted(argument.iterdir()) if argument.is_dir() else [argument]
        documents += [
            each
            for each in inner
            if each.suffix in (".yaml", ".yml", ".json")
            and not each.stem.endswith((".settings", ".overlay", ".accepted", ".schema"))
        ]
    return min(sum(map(judge_document, documents)), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
