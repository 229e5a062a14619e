"""What a wheel and a source distribution must and must not contain.

`python -m tests.contents FOLDER` checks what `nox -s build_recipe` has built.
"""

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from packaging.metadata import Metadata

from victor_spec import __version__

FOLDER = Path(__file__).resolve().parents[1]
ENTRY_POINTS = (
    "victor-spec = victor_spec.command_line:main",
    "spec = victor_spec.command_line:main",
)


def names_in_wheel(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def names_in_source(source: Path) -> set[str]:
    """The files of a source distribution, without its first folder."""
    with tarfile.open(source) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def committed() -> set[str]:
    """The files of the recipe that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=FOLDER, capture_output=True, text=True, check=True
    )
    return {name for name in listed.stdout.split("\0") if name}


def wrong_wheel(files: dict[str, bytes]) -> Iterator[str]:
    """What is wrong with the files of a wheel."""
    own = {name for name in files if not fnmatch(name, "victor_spec-*.dist-info/*")}
    yield from wrong_names(own, {name for name in committed() if name.startswith("victor_spec/")})
    others = {name.partition("/")[2]: data for name, data in files.items() if name not in own}
    if "licenses/LICENSE" not in others:
        yield "lacks its licence"
    entry_points = others.get("entry_points.txt", b"").decode().splitlines()
    yield from (f"has no entry point {line}" for line in ENTRY_POINTS if line not in entry_points)
    yield from wrong_metadata(others.get("METADATA", b""))


def wrong_source(names: set[str]) -> Iterator[str]:
    """What is wrong with the files of a source distribution."""
    expected = {name for name in committed() if not name.startswith("tests/")}
    yield from wrong_names(names, expected | {"PKG-INFO", ".gitignore"})


def wrong_names(names: set[str], expected: set[str]) -> Iterator[str]:
    yield from (f"has {name}, which is not committed" for name in sorted(names - expected))
    missing = expected - names - {".gitignore"}  # that of the repository, if hatchling takes it
    yield from (f"lacks {name}, which is committed" for name in sorted(missing))


def wrong_metadata(text: bytes) -> Iterator[str]:
    try:
        Metadata.from_email(text)
    except ExceptionGroup as group:
        yield from (f"has metadata that no index takes: {error}" for error in group.exceptions)
    metadata = email.message_from_bytes(text)
    if (metadata.get("Name"), metadata.get("Version")) != ("victor-spec", __version__):
        yield f"is {metadata.get('Name')} {metadata.get('Version')}, not {__version__}"
    needed = metadata.get_all("Requires-Dist", [])
    if any(line.startswith("victor-ext") for line in needed):
        yield "needs the client"
    description = str(metadata.get_payload())
    if "# victor-spec" not in description:
        yield "has no description"
    if re.search(r"\]\((?!https?:|#)|<!--", description):
        yield "describes itself with a link or a comment that no package index can show"


def main(folder: Path) -> int:
    """Returns 0 when there is one wheel and one source distribution of this version, and nothing is
    wrong with them.
    """
    wheel = folder / f"victor_spec-{__version__}-py3-none-any.whl"
    source = folder / f"victor_spec-{__version__}.tar.gz"
    of_client = {path.name for path in folder.glob("victor_ext-*")}
    names = {path.name for path in folder.iterdir()} - of_client
    if names != {wheel.name, source.name}:
        print(f"{folder} has {', '.join(sorted(names))}: not {wheel.name} and {source.name} alone")
        return 1
    wrong = [f"{wheel.name} {what}" for what in wrong_wheel(names_in_wheel(wheel))]
    wrong += [f"{source.name} {what}" for what in wrong_source(names_in_source(source))]
    print("\n".join(wrong) or f"{wheel.name} and {source.name} contain what they should.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
