#!/usr/bin/env bash
# The command line of the MCP Inspector sends `--tool-arg amount=44.10` as the number 44.1, though the tool says that it takes text.
#
# Version:  @modelcontextprotocol/inspector 2.12.0 (npm), mcp 2.3.0 (PyPI), Node.js 22.19 or newer
# Setting:  A tool whose schema is {"type": "string"} for its argument, called by `--tool-arg` and by `--tool-args-json`.
# Seen:     `--tool-arg` sends 44.10 as 44.1, 00042 as text, and true as a boolean. `--tool-args-json '{"value": "44.10"}'` sends the text.
# Guessed:  That it asks the schema of the tool, which it reads anyway, or sends text.
# Why:      An amount loses its digits before the server sees it. A server that takes numbers, too, cannot tell 44.10 from 44.1, and one that
#           takes text alone refuses what was typed as text. In scripts, write `--tool-args-json`.
#
# Run it as `bash findings/mcp-inspector-makes-numbers.sh` with Python 3.11 or newer and npm. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "mcp==2.3.0"
npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional "@modelcontextprotocol/inspector@2.12.0"
cat > server.py <<'PYTHON'
from typing import Annotated, Any

from mcp.server import MCPServer
from pydantic import WithJsonSchema

server = MCPServer("texts", log_level="ERROR")


@server.tool()
def show(value: Annotated[Any, WithJsonSchema({"type": "string"})]) -> str:
    return repr(value)


server.run("stdio")
PYTHON
sent() {
  node_modules/.bin/mcp-inspector --cli --format json --quiet venv/bin/python server.py --method tools/call --tool-name show "$@" |
    venv/bin/python -c "import json, sys; print(json.load(sys.stdin)['result']['content'][0]['text'])"
}
seen=$(
  for value in 44.10 00042 true; do echo "--tool-arg value=$value: $(sent --tool-arg "value=$value")"; done
  echo "--tool-args-json: $(sent --tool-args-json '{"value": "44.10 USD"}')"
)
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
--tool-arg value=44.10: 44.1
--tool-arg value=00042: '00042'
--tool-arg value=true: True
--tool-args-json: '44.10 USD'
EXPECTED
