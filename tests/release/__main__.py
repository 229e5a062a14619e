"""Check what `make build` has built: `python -m tests.release dist`."""

from __future__ import annotations

import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from tests.release import contents
from victor_ext import __version__


def wrong_wheel(wheel: Path) -> Iterator[str]:
    """What is wrong with the wheel."""
    found = contents.files_of(wheel)
    yield from contents.wrong_names(found, contents.expected_in_wheel(contents.committed()))
    metadata = next((data for name, data in found.items() if name.endswith(".dist-info/METADATA")), b"")
    yield from contents.wrong_metadata(metadata, __version__, contents.EXTRAS)
    yield from contents.wrong_entry_points(found)
    yield from contents.wrong_sbom(found, __version__)


def wrong_source(source: Path, wheel: Path) -> Iterator[str]:
    """What is wrong with the source distribution; the wheel that is built from it must be the same wheel."""
    found = contents.files_of(source)
    yield from contents.wrong_names(found, contents.expected_in_source(contents.committed()))
    yield from contents.wrong_metadata(found.get("PKG-INFO", b""), __version__, contents.EXTRAS)
    yield from contents.wrong_sbom(found, __version__)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
        (tree,) = Path(folder).iterdir()
        (built,) = WheelBuilder(str(tree)).build(directory=folder, versions=["standard"])
        if Path(built).read_bytes() != wheel.read_bytes():
            yield f"builds another wheel than {wheel.name}"


def main(folder: Path) -> int:
    """Returns 0 when there is one wheel and one source distribution of this version, and nothing is wrong with them."""
    wheel = folder / f"victor_ext-{__version__}-py3-none-any.whl"
    source = folder / f"victor_ext-{__version__}.tar.gz"
    missing = [path.name for path in (wheel, source) if not path.is_file()]
    others = {path.name for path in folder.glob("*")} - {wheel.name, source.name}
    wrong = [f"{folder} lacks {name}" for name in missing]
    wrong += [f"{folder} has {name}, which is not of this version: delete it" for name in sorted(others)]
    if not missing:
        wrong += [f"{wheel.name} {what}" for what in wrong_wheel(wheel)]
        wrong += [f"{source.name} {what}" for what in wrong_source(source, wheel)]
    print("\n".join(wrong) or f"{wheel.name} and {source.name} contain what they should.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
