"""Which frames of a traceback are this project's own, in whatever folder it lies."""

from __future__ import annotations

from pathlib import Path

import victor_ext

_FOLDER = Path(victor_ext.__file__).parent
HAND_WRITTEN = f"{_FOLDER}/"
"""How the file names of `victor_ext` begin."""
OURS = (HAND_WRITTEN, f"{_FOLDER.parent / 'generated'}/")
"""The same, with those of the generated packages."""
