"""`python -m victor_ext.sandbox`."""

from __future__ import annotations

import sys

from victor_ext.sandbox.command_line import main

if __name__ == "__main__":
    sys.exit(main())
