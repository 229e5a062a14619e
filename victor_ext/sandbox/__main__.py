"""`python -m victor_ext.sandbox`."""

import sys

from victor_ext.sandbox._command_line import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], prog="python -m victor_ext.sandbox"))
