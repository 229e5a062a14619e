"""Which frames of a traceback are this project's own."""

from __future__ import annotations

from pathlib import Path

import victor_ext

PACKAGE = Path(victor_ext.__file__).parent
OURS = (f"{PACKAGE}/", f"{PACKAGE.parent / 'generated'}/")
"""How the file names of this project's code begin, in whatever folder it lies."""
