"""Generated packages, as a command line names them."""

import sys
from pathlib import Path

from .failures import Misuse

IN_WORDS = "The name or the folder of a generated package: victor_api, or clients/till_api."


def importable_name(package: str) -> str:
    """Return the name by which a package can be imported. The parent of a folder is added to the
    places that Python imports from. A folder that only has packages in it is refused.
    """
    folder = Path(package).resolve()
    if not folder.is_dir():
        return package
    inside = sorted(each.parent.name for each in folder.glob("*/__init__.py"))
    if inside and not (folder / "__init__.py").exists():
        named = ", ".join(f"{package.rstrip('/')}/{name}" for name in inside)
        raise Misuse(f"{package} is a folder of packages, and no package: write one of {named}.")
    sys.path.insert(0, str(folder.parent))
    return folder.name
