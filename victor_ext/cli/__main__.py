"""Entry point of `python -m victor_ext.cli`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
