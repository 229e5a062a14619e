#!/usr/bin/env bash
# pyright (strict) calls a private module of the same package "private and used outside", if `__init__.py` imports a name from it, and else does not.
#
# Version:  pyright 1.1.414 (PyPI, with its own Node.js)
# Setting:  `"typeCheckingMode": "strict"`, which turns reportPrivateUsage on.
# Seen:     Of `from . import _alone, _imported` in a module of the package, `_imported` alone is an error, since `__init__.py` has
#           `from ._imported import ONE`. Without that line there is none.
# Guessed:  That both are the same: modules of one package may use each other, and `from ._imported import ONE` is no error in either.
# Why:      Whoever gives private modules a `_` sees errors in some of them only, and one more line in `__init__.py` makes an error in a
#           file that nobody has changed. `from ._imported import ONE` in place of the module passes.
#
# Run it as `bash findings/pyright-private-sibling.sh` with Python 3.11 or newer. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "pyright[nodejs]==1.1.414"
mkdir package
echo 'ONE = 1' > package/_imported.py
echo 'TWO = 2' > package/_alone.py
printf 'from . import _alone, _imported\n\nprint(_alone.TWO, _imported.ONE)\n' > package/uses.py
echo '{"typeCheckingMode": "strict", "include": ["package"]}' > pyrightconfig.json

reported() {
  venv/bin/pyright --outputjson | venv/bin/python -c "
import json, sys
print([each['message'].split()[0] + ' ' + each['rule'] for each in json.load(sys.stdin)['generalDiagnostics']])"
}
seen=$(
  printf 'from ._imported import ONE\n\n__all__ = ["ONE"]\n' > package/__init__.py
  echo "with a name of _imported: $(reported)"
  : > package/__init__.py
  echo "with nothing: $(reported)"
)
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
with a name of _imported: ['"_imported" reportPrivateUsage']
with nothing: []
EXPECTED
