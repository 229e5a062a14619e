"""`python -m victor_ext.cli`, for where the command `victor` is not on the path."""

from __future__ import annotations

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
