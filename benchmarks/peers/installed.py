"""How much a package installs, with all that it needs."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = ("victor_ext", "victor_api", "velo_api", "eastpay_api", "flexfactor_api")
STOCK_NEEDS = ("httpx", "attrs", "python-dateutil")
"""What openapi-python-client's output says that it needs."""


def installed(name: str) -> list[float]:
    """MB, without compiled modules, and how many packages."""
    stock = name == "openapi-python-client"
    needed: dict[str, Distribution] = {}
    for each in STOCK_NEEDS if stock else (name,):
        _add(each, frozenset(), needed)
    size = sum(map(_size, needed.values())) + (_of_module("victor_stock") if stock else 0)
    return [round(size / 1e6, 2), len(needed) + stock]


def _add(name: str, extras: frozenset[str], needed: dict[str, Distribution]) -> None:
    if canonicalize_name(name) in needed:
        return
    try:
        found = distribution(name)
    except PackageNotFoundError:  # of another platform or another Python
        return
    needed[canonicalize_name(name)] = found
    for line in found.requires or ():
        requirement = Requirement(line)
        contexts = [{"extra": extra} for extra in (extras or {""})]
        if requirement.marker is None or any(
            requirement.marker.evaluate(context) for context in contexts
        ):
            _add(requirement.name, frozenset(requirement.extras), needed)


def _size(found: Distribution) -> int:
    # installed from this folder: the record has no files
    if found.metadata["Name"] == "victor-ext":
        return sum(map(_of_module, OURS))
    total = 0
    for file in found.files or ():
        path = Path(str(file.locate()))
        if path.suffix != ".pyc" and path.is_file():
            total += path.stat().st_size
    return total


def _of_module(name: str) -> int:
    place = Path(str(__import__(name).__file__)).parent
    return sum(
        path.stat().st_size for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"
    )
