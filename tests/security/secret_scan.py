"""Look for secrets in everything that is committed: `python tests/security/secret_scan.py [FILES]`.

What only looks like a secret is known by its file, its kind and its digest, in `known_fakes.txt`.
`--accept` writes that file anew: look at the difference before you commit it. A whole private key
is never accepted.
"""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kingfisher_sdk import Rules, Scanner

ROOT = Path(__file__).parent.parent.parent
KNOWN = Path(__file__).parent / "known_fakes.txt"
HEAD = (
    "# What only looks like a secret. Written by `python tests/security/secret_scan.py --accept`.\n"
)
WHOLE_KEY = "whole-private-key"


@dataclass(frozen=True, order=True)
class Found:
    """Something that looks like a secret. `digest` is None for what cannot be accepted."""

    file: str
    line: int
    kind: str
    digest: str | None

    @property
    def fake(self):
        """The line that makes it known as one."""
        return f"{self.file}  {self.kind}  {self.digest}"

    def __str__(self):
        return f"{self.file}:{self.line}: this looks like a secret: {self.kind}"


def tracked(root):
    """The files that are committed, or are about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    paths = [root / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file() and path != KNOWN]


@cache
def _scanner():
    rules = Rules(
        [KNOWN.with_name("secret_rules.yml")],
        confidence="low",
        cache_dir=ROOT / "build" / "secret-rules",
    )
    return Scanner(rules, dedup=False, redact=False)


def found_in(paths, root=ROOT):
    """Everything that looks like a secret, in the order of files and lines."""
    found = set()
    for path in paths:
        for each in _scanner().scan_file(path):
            digest = (
                None
                if each.rule_id == WHOLE_KEY
                else hashlib.sha256(each.secret.encode()).hexdigest()
            )
            if each.visible:
                found.add(
                    Found(
                        path.relative_to(root).as_posix(),
                        each.location["line"],
                        each.rule_id,
                        digest,
                    )
                )
    return sorted(found, key=lambda each: (each.file, each.line, each.kind))


def new_in(found):
    """Those that nobody has called a fake yet."""
    known = set(KNOWN.read_text("utf-8").splitlines())
    return [each for each in found if each.digest is None or each.fake not in known]


def main():
    """0: nothing new; 1: something that looks like a secret."""
    files = [
        path
        for path in map(Path.absolute, map(Path, sys.argv[1:]))
        if path.is_file() and path != KNOWN
    ]
    found = found_in(files or tracked(ROOT))
    if sys.argv[1:] == ["--accept"]:
        fakes = sorted({each.fake for each in found if each.digest is not None})
        KNOWN.write_text(HEAD + "".join(f"{line}\n" for line in fakes), "utf-8")
    new = new_in(found)
    for each in new:
        print(each)
    if new:
        print(
            "If it is one: take it out, and revoke it. If it is a fake: run this again with "
            "--accept."
        )
    return bool(new)


if __name__ == "__main__":
    sys.exit(main())
