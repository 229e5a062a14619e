#!/usr/bin/env bash
# prometheus_client answers no scrape any more after one worker was killed as it made its file.
#
# Version:  prometheus-client 0.26.0 (Python 3.11), known there: github.com/prometheus/client_python/issues/1199
# Setting:  `PROMETHEUS_MULTIPROC_DIR`, as for gunicorn.
# Seen:     A process makes its file, and gives it a size a moment later. If it is killed between the two, the empty file stays, and
#           `MultiProcessCollector` raises `struct.error` for the metrics of all processes, until somebody empties the folder.
# Why:      Who alerts on unknown payments has no metrics after the very kill that made one. victor_ext leaves out empty files.
#
# Run it as `bash findings/prometheus-client-empty-file.sh` with python3. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check prometheus-client==0.26.0
mkdir metrics
export PROMETHEUS_MULTIPROC_DIR=$folder/metrics

cat > worker.py <<'PYTHON'
import os
import signal
import sys

from prometheus_client import Counter

if "killed" in sys.argv:  # where the library asks for the size of the file that it has made
    os.fstat = lambda file: os.kill(os.getpid(), signal.SIGKILL)
Counter("payments", "").inc()
PYTHON
cat > scrape.py <<'PYTHON'
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

registry = CollectorRegistry()
MultiProcessCollector(registry)
try:
    print(generate_latest(registry).decode().splitlines()[-1])
except Exception as error:
    print(type(error).__name__)
PYTHON

environment/bin/python worker.py
before=$(environment/bin/python scrape.py)
(environment/bin/python worker.py killed) 2> /dev/null || true
environment/bin/python worker.py
seen="one worker has counted: $before
one was killed as it made its file: $(environment/bin/python scrape.py)
again: $(environment/bin/python scrape.py)
empty files: $(find metrics -empty | wc -l)"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
one worker has counted: payments_total 1.0
one was killed as it made its file: error
again: error
empty files: 1
EXPECTED
