"""What a wheel and a source distribution must and must not contain.

`python -m tests.release.contents dist` checks what `make build` has built, and
`python -m tests.release.contents dist victor-spec` what `nox -s release -- recipe` has built.
"""

import email
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder
from packaging.metadata import Metadata

import victor_spec
from victor_ext import __version__

ROOT = Path(__file__).parents[2]
PROJECT, RECIPE = (
    tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for folder in (ROOT, ROOT / "recipe")
)
EXTRAS = list(PROJECT["optional-dependencies"])
GENERATED = sorted(folder.name for folder in (ROOT / "generated").glob("*_api"))

LICENSE = "*.dist-info/licenses/LICENSE"
NOWHERE = (
    "*.pyc",
    "*__pycache__*",
    "*.pem",
    "*.key",
    "*.env",
    "*.sqlite*",
    "*.log",
    "*~",
    "*.orig",
    "*.rej",
    "*.swp",
)
METADATA = {
    "Requires-Python": r">=3\.11",
    "License-Expression": r"Apache-2\.0",
    "Description-Content-Type": r"text/markdown",
    "Summary": r".{20,}\.",
}


def files_of(distribution: Path):
    """Files of a wheel, or of a source distribution without its first folder."""
    if distribution.suffix == ".whl":
        with zipfile.ZipFile(distribution) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    found = {}
    with tarfile.open(distribution) as source:
        for member in source.getmembers():
            data = source.extractfile(member)
            if data is not None:
                found[member.name.partition("/")[2]] = data.read()
    return found


def build_wheel(tree: Path, folder) -> Path:
    """Build the wheel of a project into a folder."""
    (built,) = WheelBuilder(str(tree)).build(directory=str(folder), versions=["standard"])
    return Path(built)


def committed():
    """Names of the files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name]


def expected_in_wheel(files):
    """The files of the packages, as the client's wheel names them."""
    packages = ("victor_ext/", *(f"generated/{package}/" for package in GENERATED))
    names = {name.removeprefix("generated/") for name in files if name.startswith(packages)}
    return names | {
        f"victor_ext/openapi/{package.removesuffix('_api')}.yaml" for package in GENERATED
    }


def expected_in_source(files):
    """The files of the repository without what only its host reads, without the recipe, and without
    what needs that: the tests, the Makefile and the noxfile.
    """
    left_out = (".github/", ".ci/", "recipe/", "tests/", "Makefile", "noxfile.py")
    return {name for name in files if not name.startswith(left_out)} | {"PKG-INFO"}


def expected_of_recipe(files, folder):
    """The files of a folder of the recipe, without its tests, as its distributions name them."""
    own = {name.removeprefix("recipe/") for name in files if name.startswith(f"recipe/{folder}")}
    return {name for name in own if not name.startswith("tests/")}


def wrong_names(found, expected):
    """What is there and must not be, and what is not there and must be."""
    names = {name for name in found if not fnmatch(name, "victor_*.dist-info/*")}
    for name in sorted(names):
        if any(fnmatch(name, pattern) for pattern in NOWHERE):
            yield f"has {name}, which belongs into no distribution"
    yield from (f"has {name}, which is not committed" for name in sorted(names - expected))
    yield from (f"lacks {name}, which is committed" for name in sorted(expected - names))


def wrong_metadata(text, version, extras, name="victor-ext"):
    """What the metadata says wrongly, or does not say."""
    try:
        Metadata.from_email(text)
    except ExceptionGroup as group:
        yield from (f"has metadata that no index takes: {each}" for each in group.exceptions)
    metadata = email.message_from_bytes(text)
    own = {"Name": name, "Version": re.escape(version)}
    for field, pattern in {**METADATA, **own}.items():
        if not re.fullmatch(pattern, metadata.get(field, "")):
            yield f"says {field}: {metadata.get(field)}, which is not {pattern}"
    said = set(metadata.get_all("Provides-Extra", []))
    if said != set(extras):
        yield f"says the extras {', '.join(sorted(said))}, which are {', '.join(sorted(extras))}"
    description = str(metadata.get_payload())
    if "# " not in description:
        yield "has no description"
    for link in re.findall(r"\]\((?!https?:|#)([^)]*)\)|<!--", description):
        yield f"describes itself with a link or a comment that no package index can show: {link}"


def wrong_entry_points(found, project=PROJECT):
    """The licence, the command, and what the project offers to others, that are not there."""
    if not any(fnmatch(name, LICENSE) for name in found):
        yield f"lacks {LICENSE}"
    declared = ending(found, "/entry_points.txt").decode()
    for group in (project["scripts"], *project["entry-points"].values()):
        for line in (f"{name} = {place}" for name, place in group.items()):
            if line not in declared.splitlines():
                yield f"has no entry point {line}"


def ending(found, end):
    """The first file whose name has this end."""
    return next((data for name, data in found.items() if name.endswith(end)), b"")


def wrong_wheel(wheel: Path):
    """What is wrong with the client's wheel."""
    found = files_of(wheel)
    yield from wrong_names(found, expected_in_wheel(committed()))
    yield from wrong_metadata(ending(found, ".dist-info/METADATA"), __version__, EXTRAS)
    yield from wrong_entry_points(found)


def wrong_source(source: Path, wheel: Path):
    """What is wrong with the client's source distribution; the wheel that is built from it must be
    the same wheel.
    """
    found = files_of(source)
    yield from wrong_names(found, expected_in_source(committed()))
    yield from wrong_metadata(found.get("PKG-INFO", b""), __version__, EXTRAS)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
        (tree,) = Path(folder).iterdir()
        if build_wheel(tree, folder).read_bytes() != wheel.read_bytes():
            yield f"builds another wheel than {wheel.name}"


def wrong_recipe_wheel(wheel: Path):
    """What is wrong with the recipe's wheel."""
    found = files_of(wheel)
    metadata = ending(found, ".dist-info/METADATA")
    yield from wrong_names(found, expected_of_recipe(committed(), "victor_spec/"))
    yield from wrong_metadata(metadata, victor_spec.__version__, (), "victor-spec")
    yield from wrong_entry_points(found, RECIPE)
    if b"\nRequires-Dist: victor-ext" in metadata:
        yield "needs the client"


def wrong_recipe_source(source: Path, _wheel: Path):
    """What is wrong with the recipe's source distribution."""
    # the .gitignore is that of the repository, if hatchling takes it
    found = files_of(source).keys() - {".gitignore"}
    yield from wrong_names(found, expected_of_recipe(committed(), "") | {"PKG-INFO"})


def main(folder: Path, name="victor-ext"):
    """Returns 0 when there is one wheel and one source distribution of this version, and nothing is
    wrong with them.
    """
    is_client = name == "victor-ext"
    version = __version__ if is_client else victor_spec.__version__
    base = f"{name.replace('-', '_')}-{version}"
    wheel, source = folder / f"{base}-py3-none-any.whl", folder / f"{base}.tar.gz"
    own = {wheel.name, source.name}
    of_other = {path.name for path in folder.glob("victor_spec-*" if is_client else "victor_ext-*")}
    missing = sorted(each for each in own if not (folder / each).is_file())
    wrong = [f"{folder} lacks {each}" for each in missing]
    wrong += [
        f"{folder} has {each}, which is not of this version: delete it"
        for each in sorted({path.name for path in folder.iterdir()} - own - of_other)
    ]
    if not missing:
        of_wheel = wrong_wheel if is_client else wrong_recipe_wheel
        of_source = wrong_source if is_client else wrong_recipe_source
        wrong += [f"{wheel.name} {what}" for what in of_wheel(wheel)]
        wrong += [f"{source.name} {what}" for what in of_source(source, wheel)]
    print("\n".join(wrong) or f"{wheel.name} and {source.name} contain what they should.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
