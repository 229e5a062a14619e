"""Generated packages, as a command line names them."""

import sys
from pathlib import Path

IN_WORDS = "The name or the folder of a generated package: victor_api, or clients/till_api."


def importable_name(package: str) -> str:
    """Return the name by which a package can be imported. The parent of a folder is added to the
    places that Python imports from.
    """
    folder = Path(package).resolve()
    if not folder.is_dir():
        return package
    sys.path.insert(0, str(folder.parent))
    return folder.name
